"""The level of a sound: what it is measured by, and what brings it to a model's."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from regrow.media.audio.level import SILENT, as_in, level_for, power

RATE, KNOWN = 8000, (-28.0, -22.0)
NOISE = 0.1 * torch.randn(1, 3 * RATE, generator=torch.Generator().manual_seed(0))


def decibels(wave: Tensor) -> float:
    return 10 * math.log10(power(wave, RATE))


@given(st.floats(-70, 30))
def test_it_follows_the_scale(change: float) -> None:
    assert decibels(NOISE * 10 ** (change / 20)) == pytest.approx(decibels(NOISE) + change, abs=1e-3)


def test_of_what_goes_on_it_is_the_rms() -> None:
    assert decibels(NOISE) == pytest.approx(20 * math.log10(float(NOISE.square().mean().sqrt())), abs=0.1)


@pytest.mark.parametrize("floor", [0.0, 1e-4])
def test_pauses_clicks_and_an_offset_change_little(floor: float) -> None:
    pause = floor * torch.randn(1, 50 * RATE, generator=torch.Generator().manual_seed(1))
    assert decibels(torch.cat([pause, NOISE, pause], -1)) == pytest.approx(decibels(NOISE), abs=1.5)
    assert decibels(NOISE + 0.4) == pytest.approx(decibels(NOISE), abs=0.1)
    for quiet in (NOISE, 0.01 * NOISE):
        clicked = quiet.clone()
        clicked[0, 5000] = 1
        assert decibels(clicked) == pytest.approx(decibels(quiet), abs=3)


@given(st.floats(-95, 20))
def test_a_level_is_brought_to_the_middle_of_the_range_or_left_there(there: float) -> None:
    wave = NOISE * 10 ** ((there - decibels(NOISE)) / 20)
    level = level_for(wave, RATE, KNOWN)
    if KNOWN[0] + 0.01 < there < KNOWN[1] - 0.01:
        assert level == 1
    elif not KNOWN[0] - 0.01 < there < KNOWN[1] + 0.01:
        assert decibels(wave / level) == pytest.approx(-25, abs=0.01)


@pytest.mark.parametrize("samples", [1, 10, 3000])
def test_silence_has_no_level(samples: int) -> None:
    assert level_for(torch.zeros(2, samples), RATE, KNOWN) == 1
    assert level_for(torch.full((2, samples), 0.5), RATE, KNOWN) == 1
    assert level_for(0.5 * SILENT**0.5 * torch.ones(1, samples).cumsum(-1).remainder(2), RATE, KNOWN) == 1


def test_each_channel_is_as_loud_and_as_turned_as_in_the_file() -> None:
    file = torch.cat([NOISE, -0.5 * NOISE, torch.zeros_like(NOISE), NOISE.flip(-1)])
    found = as_in(2 * NOISE, NOISE, file)
    torch.testing.assert_close(found[:3], 2 * file[:3])
    torch.testing.assert_close(found[3:], 2 * NOISE)
