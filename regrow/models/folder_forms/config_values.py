"""Check the numbers in a part's config, as libraries build a network from it before they look at the weights.

They build as many layers as a config says, for hours if need be, and some values fail only at the first step.
"""

import re
from pathlib import Path
from typing import Any

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

RANGES: tuple[tuple[re.Pattern[str], type[int] | type[float], float, float, bool], ...] = (
    (re.compile(r"block_out_channels$"), int, 1, 1_000_000, True),
    (re.compile(r"layers$|blocks$|depths?$|_per_block$"), int, 0, 1_000, True),
    (re.compile(r"(^|_)eps(ilon)?$"), float, 0, 1, False),
    (re.compile(r"^downsample_padding$"), int, 0, 1_000, False),
)
"""Patterns of keys; type, minimum and maximum of their values; whether a value may be a list of such numbers."""


def read_config(path: Path) -> dict[str, Any]:
    """Return the config of a part, after checking how many layers it asks for, how wide they are, and the like.

    Raises:
        ModelError: as `read_json`, or a number is out of range.
    """
    config = read_json(path)
    for key, value in config.items():
        for pattern, kind, least, most, listed in RANGES:
            if not pattern.search(key):
                continue
            wrong = (value,) if isinstance(value, list) and not listed else _wrong(value, kind, least, most)
            if wrong is not None:
                what = say("whole_number") if kind is int else say("number")
                raise ModelError(
                    say("config_value_wrong", key=key, where=path, what=what, least=least, most=most, value=wrong[0])
                )
    return config


def _wrong(value: Any, kind: type[int] | type[float], least: float, most: float) -> tuple[Any] | None:
    """Return the first wrong number in a value; None if all fit."""
    for one in value if isinstance(value, list) else [value]:
        if one is None or isinstance(one, bool | list | dict):
            continue
        if isinstance(one, str) and kind is int and not least:  # kinds of layers, or of padding
            continue
        if not isinstance(one, (int, kind)) or not least <= one <= most:
            return (one,)
    return None
