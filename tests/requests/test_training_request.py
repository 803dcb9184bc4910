"""What `regrow train` refuses before anything is read or written: one sentence that names the option."""

from collections.abc import Callable
from dataclasses import fields
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from regrow.core.progress import finish
from regrow.requests.train import RANGES, Train
from regrow.training.stages import open_or_make

MODEL: dict[str, Any] = {"start": "storybook"}


@pytest.mark.parametrize("name", RANGES)
def test_every_number_has_a_range_that_nan_and_infinity_are_not_in(name: str) -> None:
    least, most = RANGES[name]
    for value in (nan, inf, -inf, least - 1, most * 2):
        with pytest.raises(ValueError, match=rf"^--{name.replace('_', '-')} must be .*; got {value}\.$"):
            Train(name="x", world="storybook", **{name: value})
    with pytest.raises(ValueError, match="must be"):
        Train(resume="x", minutes=nan)


def test_no_number_is_without_a_range() -> None:
    numbers = {field.name for field in fields(Train) if type(field.default) in (int, float)}
    assert numbers - {"size"} <= RANGES.keys()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": 4096}, "--size must be a multiple of 32 from 32 to 1024; got 4096"),
        ({"size": 48}, "--size must be a multiple of 32"),
        ({"logit_normal": (0.0, -1.0)}, "The deviation of --logit-normal must be from"),
        ({"logit_normal": (nan, 1.0)}, "--logit-normal must be 2 values, each a finite number"),
        ({"time": "0m"}, "--for must be a time such as 90m or 2h, a year at most; got '0m'"),
        ({"time": "9999999h"}, "a year at most"),
        ({"time": "soon"}, "--for must look like 90m"),
        ({"world": None, "data": Path("x"), "scenes": 50}, "--scenes counts scenes of a world: add --world"),
        (
            {**MODEL, "objective": "v"},
            "--objective is only for a new model, and this training continues storybook: leave it out",
        ),
        (
            {**MODEL, "new": "medium"},
            "--new is only for a new model, and this training continues storybook: leave it out",
        ),
        (
            {**MODEL, "lora": 4, "stage": "codec"},
            "--lora trains a denoiser with a text encoder: leave --lora or --stage out",
        ),
    ],
)
def test_settings_that_would_do_nothing_or_harm(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Train(**{"name": "x", "world": "storybook", **settings})


@pytest.mark.parametrize(
    ("kind", "settings", "sentence"),
    [
        ("sd-tiny", {"stage": "pixel"}, "works on the latents of a codec, not on pixels: leave --stage pixel out"),
        ("bare-pixel", {"stage": "codec"}, "works on pixels and has no codec to train: leave --stage codec out"),
        ("bare-pixel", {"lora": 2}, "--lora needs a text encoder, and .* has none: leave it out"),
    ],
)
def test_what_the_model_to_go_on_from_cannot_learn(
    checkpoint: Callable[[str], Path], tmp_path: Path, kind: str, settings: dict[str, Any], sentence: str
) -> None:
    request = Train(name="x", world="storybook", start=str(checkpoint(kind)), **settings)
    with pytest.raises(ValueError, match=sentence):
        finish(open_or_make(request, tmp_path / "start"))
