"""Every field of every request: whatever a program or a stranger's file puts there, it fits or is one sentence."""

import json
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.requests.bench import BenchEdit, BenchSound, BenchSpeed
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.requests.train import Train

REQUESTS: tuple[Any, ...] = (
    Edit(Path("a.png"), ("a dog",)), Extend(Path("a.wav")), Generate("a cat"), Interpolate("a", "b"),
    Invert(Path("a.png")), Train(Path("a"), name="x"), BenchEdit(), BenchSound(), BenchSpeed(),
)  # fmt: skip
PLACES = [(request, field.name) for request in REQUESTS for field in fields(request)]
NUMBERS = st.sampled_from(
    [float("nan"), float("inf"), -float("inf"), -1, 0, 1, 2**63, 2**64, 10**400, -0.0, 1e-320, 0.5]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_a_value_fits_or_is_one_sentence(place: tuple[Any, str], value: Any) -> None:
    request, name = place
    made = None
    with suppress(ValueError):  # and nothing else
        made = type(request)(**vars(request) | {name: value})
    if made:
        json.dumps(getattr(made, name), default=str, allow_nan=False)  # as recipes are written


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": True}, "--steps must be a whole number; got True"),
        ({"steps": 10**9}, "--steps must be a number of steps from 1 to 100,000"),
        ({"guidance": "4"}, "--guidance must be a finite number; got '4'"),
        ({"strength": float("nan")}, "--strength must be a finite number or 'auto'; got nan"),
        ({"target": "a dog"}, "--target must be several values, each a text"),
        ({"target": ("a dog",) * 2000}, "--target must be several values"),
        ({"image": "a.png"}, "--image must be a path"),
        ({"size": (64, 64, 64)}, "--size must be 2 values"),
        ({"source": "x" * 10**6}, "--source must be a text of at most 20,000 letters"),
        ({"span": "0:inf"}, "span must be a start and an end in seconds"),
        ({"seed": 10**5000}, "--seed must be from 0 to 2^63 - 1; got a number with thousands of digits"),
    ],
)
def test_sentences(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("^", r"\^")):
        Edit(**vars(REQUESTS[0]) | changes)
