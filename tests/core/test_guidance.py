"""Guidance that ends: at which levels it is on, and what it costs; guidance that projects its update."""

from collections.abc import Iterator

import pytest
import torch
from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction, predict
from regrow.core.guidance import AdaptiveProjected, GuidanceInterval, limit_of
from regrow.core.levels import Level
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


X = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0))
LEVELS = Flow(shift=3.0).grid(6)[:-1]


def drawn(seed: int) -> Iterator[Batch]:
    """Velocities of a doubled batch, of which each call of a network takes the next."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randn(6, 4, 50, generator=generator)


def network(velocities: Iterator[Batch]) -> Denoiser:
    return lambda x_t, level: predict(next(velocities), x_t, level, "flow")


def velocity(prediction: Prediction) -> Batch:
    return prediction.eps - prediction.x0


@pytest.mark.parametrize("guidance", [7.0, torch.tensor([1.0, 3.0, 9.0]).reshape(3, 1, 1)])
@pytest.mark.parametrize(("momentum", "eta", "threshold"), [(-0.75, 0.0, 2.5), (-0.5, 0.3, 0.5), (0.0, 1.0, 1e9)])
def test_projected_guidance_is_diffusers_own_along_a_walk(
    guidance: float | Batch, momentum: float, eta: float, threshold: float
) -> None:
    guided = AdaptiveProjected(network(drawn(1)), guidance, momentum, eta, threshold)
    theirs, buffer = drawn(1), MomentumBuffer(momentum)
    for level in LEVELS:
        positive, negative = next(theirs).chunk(2)
        wanted = normalized_guidance(
            positive,
            negative,
            guidance - 1,
            buffer,
            eta,
            threshold,
            True,
            (2,),  # pyright: ignore[reportArgumentType]
        )
        found = guided(X, level)
        torch.testing.assert_close(velocity(found), wanted, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.at(level), X, atol=1e-5, rtol=1e-5)


def test_a_walk_that_begins_again_has_no_momentum_of_the_one_before() -> None:
    constant = torch.randn(6, 4, 50, generator=torch.Generator().manual_seed(2))

    def walk(guided: AdaptiveProjected, levels: tuple[Level, ...]) -> list[Batch]:
        return [velocity(guided(X, level)) for level in levels]

    def new() -> AdaptiveProjected:
        return AdaptiveProjected(lambda x_t, level: predict(constant, x_t, level, "flow"), 7.0, -0.75, 0.0, 2.5)

    once = walk(new(), LEVELS)
    assert not torch.allclose(once[0], once[1], atol=1e-3)
    for found, wanted in zip(walk(new(), LEVELS + LEVELS), once + once, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    # a rising walk, as inversion takes it, has none at all
    for found in walk(new(), LEVELS[::-1]):
        torch.testing.assert_close(found, once[0], atol=1e-5, rtol=1e-5)
    # a level that is evaluated twice, as Heun's steps do, counts once
    twice = tuple(level for level in LEVELS for _ in range(2))
    for i, found in enumerate(walk(new(), twice)):
        torch.testing.assert_close(found, once[i // 2], atol=1e-5, rtol=1e-5)


def test_projected_guidance_does_nothing_where_there_is_nothing_to_do() -> None:
    constant = torch.randn(6, 4, 50, generator=torch.Generator().manual_seed(3))
    same = torch.cat([constant[:3], constant[:3]])
    for velocities, guidance in ((constant, 1.0), (same, 9.0)):
        guided = AdaptiveProjected(lambda x_t, level, v=velocities: predict(v, x_t, level, "flow"), guidance, -0.75)
        for level in LEVELS:
            torch.testing.assert_close(velocity(guided(X, level)), constant[:3], atol=1e-5, rtol=1e-5)
