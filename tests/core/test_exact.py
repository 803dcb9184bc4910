"""Two-state inversions: their way back is exact for any network, and other words do not blow it up."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regrow.core.denoiser import Counted, Prediction
from regrow.core.flow_coordinates import FlowCoordinates
from regrow.core.levels import Level
from regrow.core.methods.belm import BelmBack, belm
from regrow.core.methods.edict import EdictBack, edict
from regrow.core.methods.reversible import ReversibleBack, reversible
from regrow.core.noise import noise
from regrow.core.schedules import Flow, VariancePreserving
from regrow.core.solvers import ddim, last, solve
from regrow.core.trajectory import Trajectory

BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2
ALPHA = torch.cumprod(1 - BETAS, dim=0).sqrt()
ZERO_SNR = VariancePreserving(((ALPHA - ALPHA[-1]) * ALPHA[0] / (ALPHA[0] - ALPHA[-1])).square())
SCHEDULES = [VariancePreserving.from_betas(BETAS), ZERO_SNR, Flow(), Flow(shift=3.0)]
X0 = noise((2, 3), [1, 2], torch.float64)
METHODS = [(edict, EdictBack), (belm, BelmBack), (reversible, ReversibleBack)]


def words(tune: float):
    """A smooth network whose v depends on its words."""

    def denoise(x_t: torch.Tensor, level: Level) -> Prediction:
        v = 0.8 * (tune * x_t).sin() - level.sigma * x_t + 0.3 * (tune - 2)
        norm = level.alpha**2 + level.sigma**2
        return Prediction((level.alpha * x_t - level.sigma * v) / norm, (level.sigma * x_t + level.alpha * v) / norm)

    return denoise


def inverted(method, x0: torch.Tensor, up: tuple[Level, ...], denoise=None) -> Trajectory:
    seen = list(method(denoise or words(2.0), x0, up))
    assert [(progress.index, progress.level) for progress in seen] == list(enumerate(up))
    found = seen[-1].trajectory
    assert found is not None
    assert all(torch.equal(found.at(progress.level), progress.x) for progress in seen)
    return found


@pytest.mark.parametrize(("method", "back"), METHODS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [2, 5, 20, 50])
def test_the_way_back_is_exact_at_every_level(method, back, schedule, steps: int) -> None:
    up = schedule.grid(steps)[::-1]
    found = inverted(method, X0, up)
    for state in solve(back(found), words(2.0), found.states[-1], up[::-1]):
        torch.testing.assert_close(state.x, found.at(state.level), rtol=0, atol=1e-10)


@pytest.mark.usefixtures("unchecked")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(METHODS), st.sampled_from(SCHEDULES), st.integers(2, 40), st.integers(0, 9), st.data())
def test_no_network_can_break_it(methods, schedule, steps: int, seed: int, data) -> None:
    """A network without any rule: what it says depends on the last bit of what it sees."""
    method, back = methods
    table = noise((7, 2, 2, 3), [seed], torch.float64)[0]

    def wild(x_t: torch.Tensor, level: Level) -> Prediction:
        return Prediction(*table[int(1e6 * (level.sigma + level.alpha**2)) % 7])

    up = schedule.grid(steps)[::-1]
    found = inverted(method, X0, up, wild)
    start = data.draw(st.integers(2, steps))
    returned = last(solve(back(found), wild, found.states[start], up[start::-1]))
    size = max(float(state.abs().max()) for state in (*found.states, *found.partners))
    torch.testing.assert_close(returned, X0, rtol=0, atol=1e-9 * size)


@pytest.mark.parametrize(("method", "back"), METHODS)
def test_float32_returns_too(method, back) -> None:
    up = SCHEDULES[0].grid(50)[::-1]
    found = inverted(method, X0.float(), up)
    returned = last(solve(back(found), words(2.0), found.states[-1], up[::-1]))
    torch.testing.assert_close(returned, X0.float(), rtol=0, atol=1e-4)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(("method", "back"), METHODS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_other_words_do_not_blow_it_up(method, back, schedule) -> None:
    """Many steps, where BDIA's 2^-steps is astronomical: near to what plain steps make of the same two networks."""
    up = schedule.grid(200)[::-1]
    plain = last(solve(ddim, words(1.4), last(solve(ddim, words(1.0), X0, up)), up[::-1]))
    found = inverted(method, X0, up, words(1.0))
    edited = last(solve(back(found), words(1.4), found.states[-1], up[::-1]))
    torch.testing.assert_close(edited, plain, rtol=0, atol=0.15)
    assert (edited - X0).abs().max() > 0.3, "the words should matter"


@pytest.mark.parametrize(("method", "back", "there", "returning"), [
    (edict, EdictBack, 20, 20), (belm, BelmBack, 10, 9), (reversible, ReversibleBack, 20, 20),
])  # fmt: skip
def test_evaluations(method, back, there: int, returning: int) -> None:
    up, counted = SCHEDULES[0].grid(10)[::-1], Counted(words(2.0))
    found = inverted(method, X0, up, counted)
    assert counted.evaluations == there
    last(solve(back(found), counted, found.states[-1], up[::-1]))
    assert counted.evaluations == there + returning


@pytest.mark.parametrize(("method", "back"), METHODS)
def test_the_path_does_not_depend_on_its_reach(method, back) -> None:
    up = SCHEDULES[0].grid(12)[::-1]
    whole, part = inverted(method, X0, up), inverted(method, X0, up[:8])
    assert all(torch.equal(a, b) for a, b in zip(whole.states, part.states, strict=False))
    ends = [last(solve(back(path), words(2.6), path.at(up[7]), up[7::-1])) for path in (whole, part)]
    assert torch.equal(*ends)


@pytest.mark.parametrize(("method", "back"), METHODS)
def test_several_wishes_start_from_one_path(method, back) -> None:
    up = SCHEDULES[2].grid(6)[::-1]
    found = inverted(method, X0[:1], up)
    start = found.states[-1].expand(3, *X0.shape[1:])
    three = last(solve(back(found), words(2.6), start, up[::-1]))
    alone = last(solve(back(found), words(2.6), start[:1], up[::-1]))
    torch.testing.assert_close(three, alone.expand_as(three), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("method", "back"), METHODS)
def test_steps_that_are_no_interval_of_the_path(method, back) -> None:
    up = SCHEDULES[0].grid(5)[::-1]
    found = inverted(method, X0, up)
    for t, s in ((up[5], up[3]), (up[2], up[3]), (up[2], SCHEDULES[0].level(3.5))):
        with pytest.raises(ValueError, match="This path is followed one level at a time"):
            back(found)(words(2.0), X0, t, s)


@pytest.mark.parametrize("c", [0.0, 0.2, 1.0])
def test_moving_by_ones_own_prediction_is_a_ddim_step(c: float) -> None:
    t, s = SCHEDULES[0].level(800), SCHEDULES[0].level(300)
    prediction = words(2.0)(X0, t)
    moved = FlowCoordinates(c).move(X0, t, s, prediction)
    torch.testing.assert_close(moved, prediction.at(s), rtol=0, atol=1e-13)
    torch.testing.assert_close(FlowCoordinates(c).move(moved, s, t, prediction), X0, rtol=0, atol=1e-13)
