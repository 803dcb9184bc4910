"""Names that the command line offers; here, so that `regrow --help` loads no torch."""

from typing import Literal

DtypeName = Literal["auto", "float32", "bfloat16", "float16", "float8"]
"""Of a model's weights: auto is float32; float8 is the network's alone, which is computed in bfloat16."""
Offload = Literal["none", "parts", "layers"]
"""What waits in the machine's memory until the device computes with it."""
