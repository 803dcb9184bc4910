"""Mutations that mostly keep JSON valid: other types, huge numbers, paths, deep nesting, keys removed or moved."""

import json
from copy import deepcopy
from random import Random
from typing import Any

DEEP = 3000
"""Depth of a nested list, beyond the limit of Python's parser and most others."""
WRITTEN = {"deep": "[" * DEEP + "]" * DEEP, "deep object": '{"a":' * DEEP + "1" + "}" * DEEP, "1e999": "1e999"}
"""JSON text that Python does not write itself, by the placeholder that it replaces in the finished document."""
JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 0.5, -0.0, 10**6, 10**9, 2**31, 2**63, 2**64, -(2**63), 10**30, 10**400,
    1e308, -1e308, 5e-324, float("nan"), float("inf"), "", " ", "x", "0", "1", "null", "auto", "\0", "\ud800",
    "é" * 300, "x" * 100_000, "../../../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "~", "..",
    "user/repo", "C:\\x", "weights.bin", "weights.pt", "-1", "nan", "a\nb", [], {}, [None], [[]], [{}], [0] * 5000,
    {"": ""}, [1, "x", None],
    {"a": {"b": {"c": [1, 2, {"d": None}]}}}, *WRITTEN,
)  # fmt: skip


def mutated_json(random: Random, text: str) -> bytes:
    """Return a JSON document with one to four of its values or keys changed.

    Raises:
        ValueError: the text is not JSON.
    """
    value = json.loads(text)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        value = _changed(random, value)
    written = json.dumps(value, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 1)))
    for words, instead in WRITTEN.items():
        written = written.replace(f'"{words}"', instead)
    return written.encode("utf-8", "surrogatepass")


def _changed(random: Random, value: Any) -> Any:
    places = list(_places(value))
    if not places or random.random() < 0.03:
        return _junk(random)
    holder, key = random.choice(places)
    way = random.randrange(10)
    if way < 5:
        holder[key] = _junk(random)
    elif way == 5:
        del holder[key]
    elif way == 6 and isinstance(holder, dict):
        holder[random.choice(("x", "", "__class__", key + "s"))] = holder.pop(key)
    elif way == 7:
        other, its = random.choice(places)
        holder[key] = json.loads(json.dumps(other[its]))
    elif isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
        holder[key] = _other_number(random, holder[key])
    elif isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key] * random.choice((2, 100)) if way == 8 else holder[key][:-1]
    else:
        holder[key] = [holder[key]]
    return value


def _junk(random: Random) -> Any:
    """Return a fresh copy of a junk value, which the caller may change."""
    return deepcopy(random.choice(JUNK))


def _places(value: Any) -> Any:
    """Yield all places of a document, each as its container and the key or index in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in list(inside)[:3000]:
        yield value, key
        yield from _places(one)


def _other_number(random: Random, number: float) -> Any:
    ways = (lambda: -number, lambda: number + 1, lambda: number * 1000, lambda: number * 10**9, lambda: str(number),
            lambda: float(number), lambda: number / 3, lambda: [number], lambda: number - 1)  # fmt: skip
    try:
        return random.choice(ways)()
    except OverflowError:
        return 0
