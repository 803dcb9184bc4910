"""Names that the command line offers; separate, so that `regrow --help` does not load torch."""

from typing import Literal

DtypeName = Literal["auto", "float32", "bfloat16", "float16", "float8"]
"""Dtype of a model's weights: auto is float32; float8 is for the network only, which computes in bfloat16."""
Offload = Literal["none", "parts", "layers"]
"""What is kept in the CPU's memory until the device computes with it."""
