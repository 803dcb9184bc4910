import pytest
import torch

from regrow.core.denoiser import Counted, Prediction
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.progress import Progress, finish, walk
from regrow.core.schedules import Flow, VariancePreserving
from regrow.core.solvers import SOLVERS, PingPong, StochasticDDIM, ddim, last, make_step, solve

SCHEDULE = VariancePreserving.from_betas(torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2)
POINT = noise((3,), [99], torch.float64)
DETERMINISTIC = [name for name in SOLVERS if name != "ping_pong"]


def to_a_point(x_t: torch.Tensor, level: Level) -> Prediction:
    """The denoiser of data that are one point; what the ends leave open is zeros."""
    eps = (x_t - level.alpha * POINT) / level.sigma if level.sigma else torch.zeros_like(x_t)
    return Prediction(POINT.expand_as(x_t), eps)


@pytest.mark.parametrize("name", DETERMINISTIC)
@pytest.mark.parametrize("flow", [False, True])
def test_one_step_with_a_constant_x0_is_exact(name, flow: bool) -> None:
    eps = noise((3,), [1, 2], torch.float64)
    t, s = (Flow().level(800), Flow().level(300)) if flow else (SCHEDULE.level(800), SCHEDULE.level(300))
    for first, second in ((t, s), (s, t)):
        x_s, prediction = make_step(name)(to_a_point, first.alpha * POINT + first.sigma * eps, first, second)
        torch.testing.assert_close(x_s, second.alpha * POINT + second.sigma * eps)
        torch.testing.assert_close(prediction.eps, eps)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("schedule", [SCHEDULE, Flow()])
@pytest.mark.parametrize("steps", [1, 2, 3, 20])
def test_from_noise_to_the_point(name, schedule, steps: int) -> None:
    x, levels = noise((3,), [1, 2], torch.float64), schedule.grid(steps)
    states = list(solve(make_step(name, seeds=[1, 2]), to_a_point, x, levels))
    assert [state.index for state in states] == list(range(steps + 1))
    assert tuple(state.level for state in states) == levels
    assert states[0].prediction is None
    assert torch.equal(states[0].x, x)
    torch.testing.assert_close(states[-1].x, POINT.expand_as(x))


def test_a_walk_reports_the_state_and_the_clean_sample_predicted_by_each_step() -> None:
    x, levels, seen = noise((3,), [1, 2], torch.float64), SCHEDULE.grid(4), list[Progress]()
    end = finish(walk("generate", ddim, to_a_point, x, levels), seen.append)
    assert [(one.part, one.index, one.steps) for one in seen] == [("generate", index, 4) for index in range(5)]
    assert seen[0].x is x
    assert seen[-1].x is end
    assert seen[0].x0 is None, "nothing was predicted yet"
    assert all(one.x0 is not None and torch.equal(one.x0, POINT.expand_as(x)) for one in seen[1:])


def test_ping_pong_noises_x0_anew_in_every_step_by_the_seed_alone() -> None:
    flow, x = Flow(), noise((3,), [1, 2], torch.float64)
    t, s, end = flow.level(800), flow.level(300), flow.grid(2)[-1]
    both, prediction = PingPong((1, 2))(to_a_point, x, t, s)
    fresh = (both - s.alpha * prediction.x0) / s.sigma
    assert abs(float(torch.corrcoef(torch.stack([fresh.flatten(), x.flatten()]))[0, 1])) < 0.999
    alone, _ = PingPong((2,))(to_a_point, x[1:], t, s)
    torch.testing.assert_close(both[1:], alone)  # whatever is beside it
    other, _ = PingPong((1, 2))(to_a_point, x, t, flow.level(200))
    assert not torch.equal((other - flow.level(200).alpha * POINT) / flow.level(200).sigma, fresh)
    many, _ = PingPong(tuple(range(4000)))(to_a_point, x[:1].expand(4000, 3), t, s)
    spread = (many - s.alpha * POINT) / s.sigma
    assert abs(float(spread.mean())) < 0.05
    assert abs(float(spread.std()) - 1) < 0.05
    torch.testing.assert_close(PingPong((1, 2))(to_a_point, x, t, end)[0], POINT.expand(2, 3))  # nothing is drawn
    with pytest.raises(
        ValueError, match="The solver ping_pong draws noise in every step: give it a seed for each sample"
    ):
        make_step("ping_pong")


@pytest.mark.parametrize(("name", "evaluations"), [("ddim", 10), ("heun", 19), ("dpmpp_2m", 10)])
def test_evaluations(name, evaluations: int) -> None:
    counted = Counted(to_a_point)
    last(solve(make_step(name), counted, noise((3,), [1], torch.float64), SCHEDULE.grid(10)))
    assert counted.evaluations == evaluations


def test_dpmpp_2m_on_a_path_of_its_own_differs_from_ddim_after_the_first_step() -> None:
    def bent(x_t: torch.Tensor, level: Level) -> Prediction:
        return Prediction(x_t.sin(), (x_t - level.alpha * x_t.sin()) / level.sigma)

    x, levels = noise((3,), [1], torch.float64), [SCHEDULE.level(label) for label in (900, 600, 300)]
    multistep = [state.x for state in solve(make_step("dpmpp_2m"), bent, x, levels)]
    plain = [state.x for state in solve(ddim, bent, x, levels)]
    torch.testing.assert_close(multistep[1], plain[1])
    assert (multistep[2] - plain[2]).abs().max() > 1e-3


@pytest.mark.parametrize("labels", [(999, 979), (500, 300), (20, 0)])
def test_eta_1_has_the_variance_of_ddpms_posterior(labels: tuple[int, int]) -> None:
    t, s = (SCHEDULE.level(label) for label in labels)
    x = torch.zeros(1, 200_000).double()
    x_s, _ = make_step("ddim", eta=1.0, seeds=[5])(lambda x_t, level: Prediction(x_t, x_t), x, t, s)
    beta = 1 - t.alpha**2 / s.alpha**2
    variance = s.sigma**2 / t.sigma**2 * beta  # Ho et al. 2020, arXiv 2006.11239, eq. 7
    assert float(x_s.var()) == pytest.approx(variance, rel=0.02)


def test_eta_keeps_the_variance_of_the_level() -> None:
    """Whatever eta, a sample of the marginal at t becomes one of the marginal at s (eq. 12 was made for this)."""
    t, s = SCHEDULE.level(600), SCHEDULE.level(400)
    for eta in (0.0, 0.3, 1.0):
        eps = noise((100_000,), [3], torch.float64)
        denoise = lambda x_t, level: Prediction(torch.zeros_like(x_t), x_t / level.sigma)  # noqa: E731
        x_s, _ = make_step("ddim", eta, seeds=[4])(denoise, t.sigma * eps, t, s)
        assert float(x_s.std()) == pytest.approx(s.sigma, rel=0.01)


def test_fresh_noise_does_not_depend_on_the_batch_and_eta_0_is_ddim() -> None:
    x, levels = noise((3,), [1, 2], torch.float64), SCHEDULE.grid(5)
    both = last(solve(make_step("ddim", 0.7, seeds=[11, 12]), to_bent, x, levels))
    alone = last(solve(make_step("ddim", 0.7, seeds=[12]), to_bent, x[1:], levels))
    assert torch.equal(both[1:], alone)
    off = last(solve(StochasticDDIM(0.0, (11, 12)), to_bent, x, levels))
    torch.testing.assert_close(off, last(solve(ddim, to_bent, x, levels)))
    assert not torch.allclose(both, off)


def to_bent(x_t: torch.Tensor, level: Level) -> Prediction:
    return Prediction(x_t.sin(), x_t.cos())


@pytest.mark.usefixtures("unchecked")
def test_impossible_steps() -> None:
    with pytest.raises(ValueError, match="There is no solver 'euler'"):
        make_step("euler")  # pyright: ignore[reportArgumentType]
    for name, eta in (("ddim", 1.1), ("ddim", -0.1), ("heun", 0.5)):
        with pytest.raises(ValueError, match="eta must be in"):
            make_step(name, eta)  # pyright: ignore[reportArgumentType]


def test_gradients_are_off_inside_and_untouched_outside() -> None:
    x = torch.ones(1, 3).double().requires_grad_()
    for state in solve(ddim, to_a_point, x, SCHEDULE.grid(2)):
        assert torch.is_grad_enabled()
        assert state.x.requires_grad == (state.index == 0)
