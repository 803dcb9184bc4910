"""Names that the command line offers and the engines know; here, so that `regrow --help` loads no torch."""

from typing import Literal

EngineName = Literal["auto", "torch", "openvino"]
Precision = Literal["float32", "bfloat16"]
