"""The names that users choose by, apart from the code they name."""

from typing import Literal

Mode = Literal["crop", "pad", "stretch"]
