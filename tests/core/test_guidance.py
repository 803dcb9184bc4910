"""Guidance that ends: at which levels it is on, and what it costs."""

import pytest
import torch

from regrow.core.denoiser import Counted, Prediction
from regrow.core.guidance import GuidanceInterval, limit_of
from regrow.core.schedules import Flow
from regrow.core.solvers import ddim, last, solve


def constant(value: float, calls: int) -> Counted:
    return Counted(lambda x_t, level: Prediction(torch.full_like(x_t, value), torch.zeros_like(x_t)), calls)


@pytest.mark.parametrize(("share", "on"), [(0.0, 0), (0.01, 1), (0.5, 4), (0.51, 5), (1.0, 8)])
def test_it_is_on_in_the_noisiest_steps(share: float, on: int) -> None:
    levels = Flow().grid(8)
    limited = GuidanceInterval(constant(1.0, 2), constant(0.0, 1), limit_of(levels, share))
    seen = [float(limited(torch.zeros(1, 1), level).x0) for level in levels[:-1]]
    assert seen == [1.0] * on + [0.0] * (8 - on)
    assert limited.evaluations == 2 * on + (8 - on)


def test_a_walk_ends_where_the_last_denoiser_sees_it() -> None:
    levels = Flow().grid(8)
    for share, seen in ((1.0, 1.0), (0.5, 0.0)):
        limited = GuidanceInterval(constant(1.0, 2), constant(0.0, 1), limit_of(levels, share))
        assert float(last(solve(ddim, limited, torch.randn(1, 3), levels)).mean()) == pytest.approx(seen, abs=1e-6)


def test_shares_that_are_no_binary_fractions_are_not_rounded_up() -> None:
    levels = Flow().grid(100)
    for percent in range(1, 101):
        limit = limit_of(levels, percent / 100)
        assert limit is not None
        assert levels.index(limit) == percent - 1
