"""What the fields of a request may be, checked in one place: a sentence names the flag. NaN is in no range."""

import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from regrow.messages.message import say

RANGES: dict[str, tuple[float, float, str]] = {
    "steps": (1, 100_000, say("words_steps")),
    "start_step": (0, 100_000, say("words_start_step")),
    "frames": (2, 1000, say("words_frames")),
    "guidance": (-1000, 1000, say("words_up_to_thousand")),
    "image_guidance": (-1000, 1000, say("words_up_to_thousand")),
    "invert_guidance": (-1000, 1000, say("words_up_to_thousand")),
    "guidance_share": (0, 1, say("words_share")),
    "attention_share": (0, 1, say("words_share")),
    "eta": (0, 1, say("words_share")),
    "seed": (0, 2**63 - 1, say("words_seed")),
    "count": (1, 1000, say("words_count")),
    "tolerance": (0, 1, say("words_share")),
    "reference": (0, 100_000, say("words_reference")),
    "bpm": (0, 400, say("words_bpm")),
    "feather": (0, 0.5, say("words_feather")),
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
    check_values(type(request), vars(request))


def check_values(kind: type, values: Mapping[str, Any]) -> None:
    """Check some fields of a request likewise.

    Raises:
        ValueError: naming the flag, the range and the value.
    """
    check_types(kind, values)
    for name, (least, most, words) in RANGES.items():
        value = values.get(name)
        if value is not None and not least <= value <= most:
            raise ValueError(say("field_of_wrong_type", name=name.replace("_", "-"), wanted=words, given=_short(value)))
    if (size := values.get("size")) and not all(1 <= side <= MOST_SIDE for side in size):
        raise ValueError(say("size_out_of_range", most_side=MOST_SIDE, given=_short(tuple(size))))


def check_types(kind: type, values: Mapping[str, Any]) -> None:
    """Check the types of fields of a request, as they may come from a program or out of a stranger's file.

    Raises:
        ValueError: naming the flag, the type and the value.
    """
    hints = _hints(kind)
    for name, value in values.items():
        if name in hints and not fits(value, hints[name]):
            raise ValueError(
                say("field_of_wrong_type", name=name.replace("_", "-"), wanted=_words(hints[name]), given=_short(value))
            )


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
    return isinstance(value, kind or hint)  # of dict[str, int]: a dict


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
        return say("words_tuple", count=count, each=_words(parts[0]))
    known = {
        int: say("words_whole_number"),
        float: say("words_finite_number"),
        bool: say("words_switch"),
        str: say("words_text"),
    }
    return known.get(hint, say("words_path"))


def _short(value: object) -> str:
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # a whole number of thousands of digits
        return say("words_huge_number")
    return text if len(text) <= 60 else f"{text[:60]}..."
