"""Edit-friendly noise, editing without inversion, Uni-Inv and Uni-Edit, null-text words."""

import pytest
import torch

from regrow.core.denoiser import Counted, Denoiser, Prediction
from regrow.core.guidance import classifier_free, mix, region_weighted
from regrow.core.levels import Level
from regrow.core.methods.edit_friendly import PosteriorMean, edit_friendly
from regrow.core.methods.inversion_free import InversionFree
from regrow.core.methods.naive import naive
from regrow.core.methods.null_text import ITERATIONS, null_text
from regrow.core.methods.uni_inv import uni_inv
from regrow.core.noise import noise
from regrow.core.schedules import Flow, VariancePreserving
from regrow.core.solvers import ddim, last, make_step, solve
from regrow.core.trajectory import Trajectory

SCHEDULES = [VariancePreserving.from_betas(torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2), Flow()]
X0 = noise((2, 3), [1, 2], torch.float64)


def words(tune: float) -> Denoiser:
    """A smooth network whose v depends on its words."""

    def denoise(x_t: torch.Tensor, level: Level) -> Prediction:
        v = 0.8 * (tune * x_t).sin() - level.sigma * x_t + 0.3 * (tune - 1)
        norm = level.alpha**2 + level.sigma**2
        return Prediction((level.alpha * x_t - level.sigma * v) / norm, (level.sigma * x_t + level.alpha * v) / norm)

    return denoise


def inverted(walk) -> Trajectory:
    *before, end = walk
    assert all(progress.trajectory is None for progress in before)
    assert [progress.index for progress in before] == list(range(end.steps))
    assert all(torch.equal(end.trajectory.at(progress.level), progress.x) for progress in (*before, end))
    return end.trajectory


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("multistep", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_edit_friendly_returns_through_every_copy(schedule, multistep: bool, steps: int) -> None:
    up = schedule.grid(steps)[::-1]
    found = inverted(edit_friendly(words(1.0), X0, up, [7, 8], multistep))
    for state in solve(found.back(PosteriorMean(multistep)), words(1.0), found.states[-1], up[::-1]):
        torch.testing.assert_close(state.x, found.at(state.level), rtol=0, atol=1e-10)


def test_edit_friendly_copies_are_the_noised_sample_and_independent() -> None:
    x0, up = torch.full((1, 50_000), 0.4).double(), SCHEDULES[0].grid(6)[::-1]
    found = inverted(edit_friendly(words(1.0), x0, up, [7]))
    drawn = [(found.at(level) - level.alpha * x0) / level.sigma for level in up[1:]]
    shared = torch.corrcoef(torch.cat(drawn))
    torch.testing.assert_close(shared, torch.eye(6).double(), rtol=0, atol=0.02)
    assert all(float(eps.std()) == pytest.approx(1, abs=0.02) for eps in drawn)


def test_edit_friendly_copies_depend_on_seed_and_level_alone() -> None:
    up = SCHEDULES[0].grid(12)[::-1]
    whole, part = (inverted(edit_friendly(words(1.0), X0, levels, [7, 8])) for levels in (up, up[:8]))
    assert all(torch.equal(a, b) for a, b in zip(whole.offsets, part.offsets, strict=False))
    alone = inverted(edit_friendly(words(1.0), X0[1:], up, [8]))
    assert torch.equal(alone.states[-1], whole.states[-1][1:])


def test_the_posterior_mean_is_ancestral_ddim_without_its_noise() -> None:
    """The mean of many draws of eta = 1 is the mean."""
    t, s = SCHEDULES[0].level(700), SCHEDULES[0].level(500)
    x = torch.full((1, 200_000), 0.3).double()
    drawn, _ = make_step("ddim", eta=1.0, seeds=[5])(words(1.0), x, t, s)
    mean, _ = PosteriorMean()(words(1.0), x, t, s)
    assert float(drawn.mean()) == pytest.approx(float(mean[0, 0]), abs=4 * float(drawn.std()) / 200_000**0.5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_inversion_free_with_one_and_the_same_network_is_nothing(schedule) -> None:
    step = InversionFree(words(1.0), X0, (3, 4))
    assert torch.equal(last(solve(step, words(1.0), X0, schedule.grid(9))), X0)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_inversion_free_is_flow_edits_euler_step(schedule) -> None:
    """In flow matching's coordinates: Z <- Z + (tau_s - tau_t) (V_target - V_source)."""
    t, s = schedule.level(600), schedule.level(450)
    source, target, change = words(1.0), words(1.4), 0.3 * noise((2, 3), [5, 6], torch.float64)
    asked: list[torch.Tensor] = []

    def spy(x_t: torch.Tensor, level: Level) -> Prediction:
        asked.append(x_t)
        return source(x_t, level)

    x_s, _ = InversionFree(spy, X0, (3, 4))(target, X0 + change, t, s)
    (copy,) = asked
    eps = (copy - t.alpha * X0) / t.sigma
    assert eps.std() == pytest.approx(1, abs=0.5)
    here, there = source(copy, t), target(copy + change, t)
    velocity = (there.eps - there.x0) - (here.eps - here.x0)
    scale_t, scale_s = t.alpha + t.sigma, s.alpha + s.sigma
    wanted = scale_s * (change / scale_t + (s.sigma / scale_s - t.sigma / scale_t) * velocity)
    torch.testing.assert_close(x_s - X0, wanted, rtol=0, atol=1e-12)


def test_inversion_free_serves_several_wishes_from_one_sample() -> None:
    levels = SCHEDULES[0].grid(5)
    two = last(solve(InversionFree(words(1.0), X0[:1], (3, 4)), words(1.4), X0[:1].expand(2, *X0.shape[1:]), levels))
    one = last(solve(InversionFree(words(1.0), X0[:1], (4,)), words(1.4), X0[:1], levels))
    assert torch.equal(two[1:], one)
    assert not torch.equal(two[:1], one)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_uni_inv_comes_nearer_than_naive_at_one_more_evaluation(schedule) -> None:
    up, off = schedule.grid(20)[::-1], {}
    for method in (naive, uni_inv):
        counted = Counted(words(1.0))
        found = inverted(method(counted, X0, up))
        assert counted.evaluations == 20 + (method is uni_inv)
        off[method] = (last(solve(ddim, words(1.0), found.states[-1], up[::-1])) - X0).abs().max()
    assert off[uni_inv] < off[naive] / 2


def halves(first: Denoiser, second: Denoiser) -> Denoiser:
    def pair(x_t: torch.Tensor, level: Level) -> Prediction:
        a, b = first(x_t[: len(x_t) // 2], level), second(x_t[len(x_t) // 2 :], level)
        return Prediction(torch.cat([a.x0, b.x0]), torch.cat([a.eps, b.eps]))

    return pair


def test_region_weights_run_from_where_least_to_where_most_differs() -> None:
    level, x = SCHEDULES[0].level(500), noise((2, 4, 4), [1, 2], torch.float64)
    pair = halves(words(1.4), words(1.0))
    for weight in (1.0, 3.0):
        found, target, source = region_weighted(pair, weight)(x, level), words(1.4)(x, level), words(1.0)(x, level)
        torch.testing.assert_close(found.at(level), x)
        shares = (found.x0 - source.x0) / (target.x0 - source.x0)
        torch.testing.assert_close(shares.std(dim=1), torch.zeros(2, 4, 4).double(), rtol=0, atol=1e-9)
        for sample in shares:
            assert float(sample.min()) == pytest.approx(weight - 1, abs=1e-9)
            assert float(sample.max()) == pytest.approx(2 * weight - 1, abs=1e-9)


def test_without_a_difference_region_weights_are_nothing() -> None:
    level = SCHEDULES[0].level(500)
    same = region_weighted(halves(words(1.0), words(1.0)), 5.0)(X0, level)
    assert torch.equal(same.x0, words(1.0)(X0, level).x0)


def under(tune: torch.Tensor) -> Denoiser:
    """Words as a number that asks for gradients."""

    def denoise(x_t: torch.Tensor, level: Level) -> Prediction:
        v = 0.4 * x_t.sin() - level.sigma * x_t + 0.5 * tune.view(-1, *[1] * (x_t.ndim - 1))
        norm = level.alpha**2 + level.sigma**2
        return Prediction((level.alpha * x_t - level.sigma * v) / norm, (level.sigma * x_t + level.alpha * v) / norm)

    return denoise


def test_null_text_tunes_words_of_half_precision() -> None:
    up = SCHEDULES[0].grid(5)[::-1]
    source = under(torch.full((1, 1), 0.4))
    found = inverted(naive(source, X0[:1].float(), up))
    *_, tuned = null_text(source, under, torch.zeros(1, 1).half(), found, up[-1], guidance=6.0)
    assert all(words.isfinite().all() and words.any() for words in tuned.words.values())


def test_null_text_follows_the_path_where_plain_guidance_leaves_it() -> None:
    up = SCHEDULES[0].grid(15)[::-1]
    source, nothing = under(torch.full((1, 1), 0.4).double()), torch.zeros(1, 1).double()
    found = inverted(naive(source, X0[:1], up))
    counted, asked = Counted(source), []

    def negative(tune: torch.Tensor) -> Denoiser:
        asked.append(tune.requires_grad)
        return under(tune)

    *_, tuned = null_text(counted, negative, nothing, found, up[10], guidance=6.0)
    assert (tuned.index, tuned.steps, tuned.level) == (10, 10, up[0])
    assert set(tuned.words) == set(up[1:11])
    assert counted.evaluations == 10
    assert sum(asked) <= 10 * ITERATIONS
    assert asked.count(False) == 10, "the step itself needs no gradient"

    def guided(x_t: torch.Tensor, level: Level) -> Prediction:
        return mix(source(x_t, level), under(tuned.words[level])(x_t, level), 6.0)

    again = last(solve(ddim, guided, found.at(up[10]), up[10::-1]))
    torch.testing.assert_close(again, tuned.x, rtol=0, atol=1e-12)
    untuned = last(solve(ddim, classifier_free(halves(source, under(nothing)), 6.0), found.at(up[10]), up[10::-1]))
    assert (again - X0[:1]).abs().max() < 0.25 * (untuned - X0[:1]).abs().max()
