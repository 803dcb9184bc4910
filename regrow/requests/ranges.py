"""What the fields of a request may be, checked in one place: a sentence names the flag. NaN is in no range."""

import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

RANGES: dict[str, tuple[float, float, str]] = {
    "steps": (1, 100_000, "a number of steps from 1 to 100,000"),
    "start_step": (0, 100_000, "from 0 to steps - 1"),
    "frames": (2, 1000, "from 2, for both ends are among them, to 1000"),
    "guidance": (-1000, 1000, "a number up to 1000"),
    "image_guidance": (-1000, 1000, "a number up to 1000"),
    "invert_guidance": (-1000, 1000, "a number up to 1000"),
    "guidance_share": (0, 1, "from 0 to 1"),
    "attention_share": (0, 1, "from 0 to 1"),
    "eta": (0, 1, "from 0 to 1"),
    "seed": (0, 2**63 - 1, "from 0 to 2^63 - 1"),
    "count": (1, 1000, "from 1 to 1000"),
    "tolerance": (0, 1, "from 0 to 1"),
    "reference": (0, 100_000, "0, which leaves it out, or a number of steps"),
    "bpm": (0, 400, "0, which leaves it to the model, or from 20 to 400"),
    "feather": (0, 0.5, "from 0 to 0.5"),
}
MOST_SIDE = 4096
"""Pixels of a side, more than any checkpoint here was made for: a slip of the hand would fill the memory."""
MOST_WORDS = 20_000
"""Letters of a prompt or any other text."""


def check_ranges(request: Any) -> None:
    """Check the type of every field of a request, every number that has a range, and its size.

    Raises:
        ValueError: naming the flag, the range and the value.
    """
    check_types(type(request), vars(request))
    for name, (least, most, words) in RANGES.items():
        value = getattr(request, name, None)
        if value is not None and not least <= value <= most:
            raise ValueError(f"--{name.replace('_', '-')} must be {words}; got {_short(value)}.")
    if (size := getattr(request, "size", None)) and not all(1 <= side <= MOST_SIDE for side in size):
        raise ValueError(f"--size must be two numbers of pixels from 1 to {MOST_SIDE}; got {_short(tuple(size))}.")


def check_types(kind: type, values: Mapping[str, Any]) -> None:
    """Check the types of fields of a request, as they may come from a program or out of a stranger's file.

    Raises:
        ValueError: naming the flag, the type and the value.
    """
    hints = _hints(kind)
    for name, value in values.items():
        if name in hints and not fits(value, hints[name]):
            raise ValueError(f"--{name.replace('_', '-')} must be {_words(hints[name])}; got {_short(value)}.")


def fits(value: object, hint: Any) -> bool:
    """Return whether a value is of a type; a list may stand for a tuple, and numbers are finite."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if kind is Literal:
        return any(type(value) is type(part) and value == part for part in parts)
    if kind is tuple:
        whole = isinstance(value, tuple | list)
        each = [parts[0]] * len(value) if whole and parts[-1] is ... else parts
        return whole and len(value) == len(each) <= 1000 and all(map(fits, value, each))
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool) and abs(value) < math.inf
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is str:
        return isinstance(value, str) and len(value) <= MOST_WORDS
    return isinstance(value, hint)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _words(hint: Any) -> str:
    """A type, to follow "must be"."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return " or ".join(_words(part) for part in parts if part is not type(None))
    if kind is Literal:
        return " or ".join(map(repr, parts))
    if kind is tuple:
        count = "several" if parts[-1] is ... else str(len(parts))
        return f"{count} values, each {_words(parts[0])}"
    known = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text of usual length"}
    return known.get(hint, "a path")


def _short(value: object) -> str:
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number beyond all ranges"
    return text if len(text) <= 60 else f"{text[:60]}..."
