"""The arc between two noises: its ends, its length, and that noise stays noise on it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.core.interpolation import between, lerp, slerp
from regrow.core.levels import Level
from regrow.core.trajectory import Trajectory

SHARES = torch.linspace(0, 1, 5)


def draw(seed: int, spread: float = 1.0) -> torch.Tensor:
    return spread * torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 2**30), st.floats(0.1, 10))
def test_the_ends_are_the_ends_bit_for_bit(seed: int, spread: float) -> None:
    a, b = draw(seed), draw(seed + 1, spread)
    for points in (slerp(a, b, SHARES), lerp(a, b, SHARES)):
        assert torch.equal(points[:1], a)
        assert torch.equal(points[-1:], b)


@given(st.floats(0.01, math.pi - 0.01))
def test_equal_shares_are_equal_angles_on_the_circle(angle: float) -> None:
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[math.cos(angle), math.sin(angle)]])
    points = slerp(a, b, SHARES)
    expected = torch.stack([torch.cos(SHARES * angle), torch.sin(SHARES * angle)], 1)
    assert (points - expected).abs().max() < 1e-3


def test_noise_stays_noise_on_the_arc_and_does_not_on_the_line() -> None:
    a, b = draw(1), draw(2)
    assert slerp(a, b, SHARES).std(dim=(1, 2, 3)).tolist() == pytest.approx([1] * 5, abs=0.05)
    assert float(lerp(a, b, SHARES)[2].std()) == pytest.approx(0.5**0.5, abs=0.05)


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0])
def test_without_an_arc_it_is_the_line(factor: float) -> None:
    a = draw(1)
    assert torch.equal(slerp(a, factor * a, SHARES), lerp(a, factor * a, SHARES)) or factor == 0
    assert slerp(a, factor * a, SHARES).isfinite().all()


def test_paths_between_two_paths_need_the_same_levels() -> None:
    low, high, other = Level(1.0, 0.0), Level(0.6, 0.8), Level(0.8, 0.6)
    a, b = (Trajectory((low, high), (draw(i), draw(i + 2)), (draw(i + 4),)) for i in (1, 2))
    found = between(a, b, SHARES)
    assert torch.equal(found.at(high)[:1], a.at(high))
    assert torch.equal(found.offsets[0][-1:], b.offsets[0])
    with pytest.raises(ValueError, match="The two paths have different noise levels"):
        between(a, Trajectory((low, other), b.states, b.offsets), SHARES)
