"""Delta denoising: what it moves the sample by, and when it leaves it alone."""

import pytest
import torch

from regrow.core.denoiser import Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.masks import Hold
from regrow.core.methods.delta_denoising import RATE, DeltaDenoising
from regrow.core.methods.method import Origin
from regrow.core.methods.registry import method
from regrow.core.noise import noise
from regrow.core.schedules import Flow, VariancePreserving
from regrow.core.solvers import last, solve
from regrow.verification.oracles import Gaussian, float64

SCHEDULES = [VariancePreserving.from_betas(torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2), Flow()]
X0 = noise((2, 3), [1, 2], torch.float64)
SOURCE, TARGET = Gaussian(float64(-0.4), float64(0.6)), Gaussian(float64(0.7), float64(0.6))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_one_network_for_both_prompts_leaves_the_sample_as_it_is(schedule) -> None:
    assert torch.equal(last(solve(DeltaDenoising(SOURCE, X0, (3, 4)), SOURCE, X0, schedule.grid(9))), X0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_step_is_the_difference_of_the_noise_predicted_under_one_draw(schedule) -> None:
    t, s, asked = schedule.level(600), schedule.level(450), {}

    def spy(name: str, denoise: Denoiser) -> Denoiser:
        def spied(x_t: torch.Tensor, level: Level) -> Prediction:
            asked[name] = x_t
            return denoise(x_t, level)

        return spied

    moved = X0 + 0.3
    x_s, _ = DeltaDenoising(spy("source", SOURCE), X0, (3, 4))(spy("target", TARGET), moved, t, s)
    eps = (asked["source"] - t.alpha * X0) / t.sigma
    torch.testing.assert_close(asked["target"], t.alpha * moved + t.sigma * eps)
    assert float(eps.std()) == pytest.approx(1, abs=0.5)
    passed = t.sigma / (t.alpha**2 + t.sigma**2) ** 0.5 - s.sigma / (s.alpha**2 + s.sigma**2) ** 0.5
    difference = TARGET(asked["target"], t).eps - SOURCE(asked["source"], t).eps
    torch.testing.assert_close(x_s, moved - RATE * passed * difference, rtol=0, atol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_few_steps_move_the_sample_to_the_targets_mean_as_many_do(schedule) -> None:
    moved = [
        float((last(solve(DeltaDenoising(SOURCE, X0, (3, 4)), TARGET, X0, schedule.grid(steps))) - X0).mean())
        for steps in (10, 160)
    ]
    assert moved == pytest.approx([1.1, 1.1], abs=0.06), "so far the means are apart"
    assert moved[0] == pytest.approx(moved[1], abs=0.07)


def test_several_targets_are_those_of_one_each_and_seeds_differ() -> None:
    def curved(x_t: torch.Tensor, level: Level) -> Prediction:  # of a Gaussian, every noise gives the same change
        return Prediction(x_t.cos(), (x_t - level.alpha * x_t.cos()) / level.sigma)

    levels = SCHEDULES[0].grid(5)
    two = last(solve(DeltaDenoising(SOURCE, X0[:1], (3, 4)), curved, X0[:1].expand(2, *X0.shape[1:]), levels))
    one = last(solve(DeltaDenoising(SOURCE, X0[:1], (4,)), curved, X0[:1], levels))
    assert torch.equal(two[1:], one)
    assert not torch.equal(two[:1], one)


def test_what_a_mask_holds_stays_the_sample_exactly() -> None:
    x0, levels = noise((1, 4, 4), [1], torch.float64), SCHEDULES[0].grid(6)
    mask = torch.zeros(1, 1, 4, 4).double()
    mask[..., 2:] = 1
    chosen = method("delta_denoising")
    origin = Origin(x0, [3], lambda: SOURCE, hold=Hold(mask, levels))
    found = last(solve(chosen.back(origin), TARGET, chosen.start(origin, levels[0]), levels))
    assert torch.equal(found[..., :2], x0[..., :2])
    assert float((found - x0)[..., 2:].abs().min()) > 0.1
