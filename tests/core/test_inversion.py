import pytest
import torch

from regrow.core.denoiser import Counted, Prediction
from regrow.core.levels import Level
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.methods.fixed_point import fixed_point
from regrow.core.methods.naive import naive
from regrow.core.noise import noise
from regrow.core.schedules import Flow, VariancePreserving
from regrow.core.solvers import last, make_step, solve
from regrow.core.trajectory import Progress, Trajectory

SCHEDULE = VariancePreserving.from_betas(torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2)
X0 = noise((2, 3), [1, 2], torch.float64)


def bent(x_t: torch.Tensor, level: Level) -> Prediction:
    """A smooth denoiser that is wrong in the way networks are: its x0 and eps fit x_t, and it bends."""
    eps = level.sigma * x_t + 0.3 * level.alpha * (3 * x_t).sin()
    return Prediction((x_t - level.sigma * eps) / level.alpha, eps)


def as_v(x_t: torch.Tensor, level: Level) -> Prediction:
    """The same through its v, so that both ends of the path are determined."""
    v = 0.8 * (2 * x_t).sin() - level.sigma * x_t
    norm = level.alpha**2 + level.sigma**2
    return Prediction((level.alpha * x_t - level.sigma * v) / norm, (level.sigma * x_t + level.alpha * v) / norm)


def ends(walk) -> tuple[list[Progress], Trajectory]:
    seen = list(walk)
    assert all(progress.trajectory is None for progress in seen[:-1])
    return seen, seen[-1].trajectory


@pytest.mark.parametrize("method", [naive, direct_inversion, fixed_point])
def test_trajectories_are_indexed_by_level(method) -> None:
    up = SCHEDULE.grid(7)[::-1]
    seen, found = ends(method(as_v, X0, up))
    assert [progress.index for progress in seen] == list(range(8))
    assert tuple(progress.level for progress in seen) == up == found.levels
    assert torch.equal(found.at(up[0]), X0)
    for progress in seen:
        assert torch.equal(found.at(progress.level), progress.x)
    assert found.levels_down_from(up[3]) == (up[3], up[2], up[1], up[0])
    for stranger in (found.at, found.levels_down_from):
        with pytest.raises(KeyError, match="no state at"):
            stranger(SCHEDULE.level(3.5))


@pytest.mark.parametrize("steps", [5, 10, 20, 50])
@pytest.mark.parametrize("schedule", [SCHEDULE, Flow()])
def test_anchored_returns_through_every_level(steps: int, schedule) -> None:
    up = schedule.grid(steps)[::-1]
    _, found = ends(direct_inversion(as_v, X0, up))
    for state in solve(found.back(), as_v, found.states[-1], up[::-1]):
        torch.testing.assert_close(state.x, found.at(state.level), rtol=0, atol=1e-10)


def test_anchored_returns_from_the_middle_and_in_float32() -> None:
    up = SCHEDULE.grid(20)[::-1]
    _, found = ends(direct_inversion(as_v, X0.float(), up))
    back = last(solve(found.back(), as_v, found.at(up[12]), found.levels_down_from(up[12])))
    torch.testing.assert_close(back, X0.float(), rtol=0, atol=1e-5)


def test_an_anchored_path_has_no_offset_for_other_steps() -> None:
    up = SCHEDULE.grid(5)[::-1]
    _, found = ends(direct_inversion(as_v, X0, up))
    for t, s in ((up[5], up[3]), (up[2], up[3]), (up[4], up[5]), (up[2], SCHEDULE.level(3.5))):
        with pytest.raises(ValueError, match="This path is followed one level at a time"):
            found.back()(as_v, X0, t, s)


def test_without_offsets_the_way_back_is_the_step_itself() -> None:
    step = make_step("heun")
    _, found = ends(naive(as_v, X0, SCHEDULE.grid(3)[::-1]))
    assert found.back(step) is step


@pytest.mark.parametrize("steps", [10, 50])
def test_fixed_point_returns_to_its_tolerance_and_says_so(steps: int) -> None:
    up = SCHEDULE.grid(steps)[::-1]
    _, found = ends(fixed_point(as_v, X0, up, tolerance=1e-9, max_iterations=100))
    assert all(report.converged and report.residual <= 1e-9 for report in found.convergence)
    assert tuple(report.level for report in found.convergence) == up[1:]
    back = last(solve(found.back(), as_v, found.states[-1], up[::-1]))
    torch.testing.assert_close(back, X0, rtol=0, atol=1e-7)


@pytest.mark.parametrize("wild", [lambda x: (40 * x).sin() * 30, lambda x: x * float("nan")])
def test_fixed_point_reports_what_does_not_contract(wild) -> None:
    def denoise(x_t: torch.Tensor, level: Level) -> Prediction:
        return Prediction(wild(x_t), wild(x_t + 1))

    _, found = ends(fixed_point(denoise, X0, SCHEDULE.grid(5)[::-1], max_iterations=8))
    stuck = [report for report in found.convergence if not report.converged]
    assert stuck
    assert all(report.iterations == 8 and not report.residual <= 1e-5 for report in stuck)


@pytest.mark.parametrize(
    ("invert", "evaluations"),
    [(naive, 10), (direct_inversion, 11), (lambda *a: naive(*a, label="arrives"), 10)],
)
def test_evaluations(invert, evaluations: int) -> None:
    counted = Counted(as_v)
    ends(invert(counted, X0, SCHEDULE.grid(10)[::-1]))
    assert counted.evaluations == evaluations


def test_evaluations_of_fixed_point_are_its_iterations_and_one() -> None:
    counted = Counted(as_v)
    _, found = ends(fixed_point(counted, X0, SCHEDULE.grid(10)[::-1]))
    assert counted.evaluations == 1 + sum(report.iterations for report in found.convergence)


@pytest.mark.usefixtures("unchecked")
def test_both_label_conventions_agree_in_the_limit() -> None:
    apart = []
    for steps in (50, 100, 200, 400):
        up = SCHEDULE.grid(steps, "log_snr")[-2:0:-1]
        latents = [ends(naive(bent, X0, up, label=label))[1].states[-1] for label in ("leaves", "arrives")]
        apart.append(float((latents[0] - latents[1]).abs().max()))
    assert 0.4 < apart[-1] / apart[-2] < 0.6
    assert apart[-1] < apart[-2] < apart[-3] < apart[-4]


def test_arrives_tells_the_network_the_level_it_goes_to() -> None:
    told: list[Level] = []

    def spy(x_t: torch.Tensor, level: Level) -> Prediction:
        told.append(level)
        return as_v(x_t, level)

    up = SCHEDULE.grid(4)[::-1]
    ends(naive(spy, X0, up, label="arrives"))
    assert tuple(told) == up[1:]
    told.clear()
    ends(naive(spy, X0, up))
    assert tuple(told) == up[:-1]
