"""The names that users choose by, apart from the code they name."""

from typing import Literal

Mode = Literal["crop", "pad", "stretch"]
"""How any picture is brought into a frame of one size."""
PairMode = Literal["auto", "crop", "pad", "stretch"]
"""How two pictures are brought into one frame."""
EditMode = Literal["auto", "whole", "region", "crop", "pad", "stretch"]
"""How a picture that is edited is; `whole` and `region` take a frame of the picture's own shape."""
