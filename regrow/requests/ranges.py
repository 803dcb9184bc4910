"""What numbers of a request may be, checked in one place: NaN is in no range, and a sentence names the flag."""

import math
from typing import Any

RANGES: dict[str, tuple[float, float, str]] = {
    "guidance": (-1000, 1000, "a number up to 1000"),
    "invert_guidance": (-1000, 1000, "a number up to 1000"),
    "guidance_share": (0, 1, "from 0 to 1"),
    "attention_share": (0, 1, "from 0 to 1"),
    "eta": (0, 1, "from 0 to 1"),
    "seed": (0, 2**63 - 1, "from 0 to 2^63 - 1"),
    "count": (1, 1000, "from 1 to 1000"),
    "tolerance": (0, 1, "from 0 to 1"),
    "reference": (0, 100_000, "0, which leaves it out, or a number of steps"),
    "feather": (0, 0.5, "from 0 to 0.5"),
}
MOST_SIDE = 4096
"""Pixels of a side, more than any checkpoint here was made for: a slip of the hand would fill the memory."""


def check_ranges(request: Any) -> None:
    """Check every number of a request that has a range, and its size.

    Raises:
        ValueError: naming the flag, the range and the value.
    """
    for name, (least, most, words) in RANGES.items():
        value = getattr(request, name, None)
        if value is not None and not (math.isfinite(value) and least <= value <= most):
            raise ValueError(f"--{name.replace('_', '-')} must be {words}; got {value}.")
    if (size := getattr(request, "size", None)) and not all(1 <= side <= MOST_SIDE for side in size):
        raise ValueError(f"--size must be two numbers of pixels from 1 to {MOST_SIDE}; got {size[0]} and {size[1]}.")
