"""Check editing methods on distributions whose correct result is known."""

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from regrow.core import guidance, solvers
from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods import delta_denoising, inversion_free, null_text
from regrow.core.methods.naive import naive
from regrow.core.noise import noise
from regrow.core.schedules import Flow
from regrow.verification.check import Check, apart, judge, judge_order, rms
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, as_network, float64, level_of, path
from regrow.verification.orders import CLEAN, COUNTS, NOISY, trajectory, two_clouds

_START = torch.linspace(-2, 2, 9).double()[:, None]
_FLOW_EDIT = "Kulikov et al. 2024, arXiv 2412.08629, by predictions, so for any schedule"
_DELTA = "Hertz et al. 2023, arXiv 2304.07090, eq. 3, over falling levels"
_UNI_EDIT = "Jiao et al. 2025, arXiv 2504.13109; official edit_uniedit"


def editing() -> Iterator[Check]:
    yield from _region_weights()
    yield _negative_prompt()
    yield _null_text()
    yield from _inversion_free()
    yield from _delta_denoising()


def _region_weights() -> Iterator[Check]:
    level, x = Level(0.6, 0.8), noise((2, 3, 4), [1, 2], torch.float64)
    target, source = (Gaussian(float64(mean), float64(0.7)) for mean in (1.2, -0.4))

    def pair(x_t: Batch, level: Level) -> Prediction:
        # the target differs from the source increasingly from left to right
        share = torch.linspace(0, 1, 4).double()
        far, near = target(x_t[:2], level), source(x_t[2:], level)
        mixed = [b + share * (a - b) for a, b in ((far.x0, near.x0), (far.eps, near.eps))]
        return Prediction(*(torch.cat([a, b]) for a, b in zip(mixed, (near.x0, near.eps), strict=True)))

    formula = "v = m v_target + (1 - m) v_source + (guidance - 1) (1 + m) (v_target - v_source)"
    error = 0.0
    for weight in (1.0, 4.0):
        found, both = guidance.region_weighted(pair, weight)(x, level), pair(torch.cat([x, x]), level)
        v_target, v_source = (both.eps - both.x0).chunk(2)
        m = torch.linspace(0, 1, 4).double()  # the difference of two normal predictions is the same everywhere
        wanted = m * v_target + (1 - m) * v_source + (weight - 1) * (1 + m) * (v_target - v_source)
        error = max(error, apart(found.eps - found.x0, wanted), apart(found.at(level), x))
    against = "the formula, with a known difference that grows linearly; and alpha x0 + sigma eps = x_t"
    yield judge("uni_edit guidance", formula, _UNI_EDIT, against, error, 1e-12)
    same = guidance.region_weighted(source, 5.0)(x, level)
    against = "the source's own prediction, for a target equal to the source"
    yield judge("uni_edit without an edit", formula, _UNI_EDIT, against, apart(same.x0, source(x, level).x0), 1e-14)


def _negative_prompt() -> Check:
    denoise, up = as_network(two_clouds(), "v"), stable_diffusion().grid(20)[::-1]
    latent = trajectory(naive(denoise, _START, up)).states[-1]
    plain = list(solvers.solve(solvers.ddim, denoise, latent, up[::-1]))
    error = 0.0
    for weight in (2.0, 7.5):
        guided = guidance.classifier_free(denoise, weight)
        states = solvers.solve(solvers.ddim, guided, latent, up[::-1])
        error = max(error, *(apart(a.x, b.x) for a, b in zip(states, plain, strict=True)))
    return judge(
        "negative_prompt way back",
        "with the source prompt as target and negative prompt, guidance does not change the way back",
        "Miyake et al. 2023, arXiv 2305.16807",
        "the unguided way back, at every level, at guidance 2 and 7.5",
        error,
        1e-12,
    )


def _null_text() -> Check:
    """Check null-text inversion with prompts that are the mean of a Gaussian; the negative mean is 0, guidance 7.5."""
    up, weight = stable_diffusion().grid(20)[::-1], 7.5

    def under(words: Tensor) -> Denoiser:
        return Gaussian(words, float64(0.6))

    source, nothing = under(float64(0.5)), torch.zeros(1, 1).double()
    found = trajectory(naive(source, _START[:1], up))
    tuned = list(null_text.null_text(source, under, nothing, found, up[-1], weight))
    followed = max(apart(state.x, found.at(state.level)) for state in tuned)

    def untuned(x_t: Batch, level: Level) -> Prediction:
        return guidance.mix(source(x_t, level), under(nothing)(x_t, level), weight)

    states = solvers.solve(solvers.ddim, untuned, found.states[-1], up[::-1])
    astray = max(apart(state.x, found.at(state.level)) for state in states)
    return judge(
        "null_text way back",
        "negative prompt per level: argmin |x_s - step(x_t, guided away from it)|^2, by 10 gradient steps",
        "Mokady et al. 2022, arXiv 2211.09794",
        "the inverted path, at the worst level; error relative to the way back without tuning",
        followed / astray,
        0.1,
        f"off by {followed:.1e} at guidance {weight}, untuned by {astray:.1e}",
    )


def _inversion_free() -> Iterator[Check]:
    formula = "change_s = alpha_s dx0 + sigma_s deps, from predictions at copy + change_t and at copy"
    clouds = as_network(two_clouds(), "v")
    for name, schedule in (("variance-preserving", stable_diffusion()), ("flow", Flow())):
        step = inversion_free.InversionFree(clouds, _START, tuple(range(9)))
        same = solvers.last(solvers.solve(step, clouds, _START, schedule.grid(10)))
        against = "the sample itself, for a target equal to the source; 10 steps"
        yield judge(f"inversion_free without an edit, {name}", formula, _FLOW_EDIT, against, apart(same, _START), 0.0)
    for flow in (False, True):
        errors = [_equal_widths(count, flow) for count in COUNTS]
        name = f"inversion_free, equal widths, {'flow' if flow else 'variance-preserving'}"
        against = (
            "for normal source and target of one width: shift (alpha_0 - alpha_K std_0 / std_K), whatever the noise"
        )
        yield judge_order(name, formula, _FLOW_EDIT, against, COUNTS, errors, 1)
    yield _unequal_widths(formula)


def _equal_widths(count: int, flow: bool) -> float:
    std, shift, down = 0.6, 1.1, path(NOISY, CLEAN, count, flow)
    source, target = (Gaussian(float64(mean), float64(std)) for mean in (-0.4, -0.4 + shift))
    step = inversion_free.InversionFree(source, _START, tuple(range(9)))
    found = solvers.last(solvers.solve(step, target, _START, down)) - _START
    widths = [math.hypot(level.alpha * std, level.sigma) for level in (down[0], down[-1])]
    return rms(found - shift * (down[-1].alpha - down[0].alpha * widths[1] / widths[0]))


def _unequal_widths(formula: str) -> Check:
    """Check the mean over the noise, which has a closed form as the denoisers are linear.

    With r = sigma / alpha and q = change / alpha + x0 - target's mean,
        dq/dr = r q / (w^2 + r^2) - r (x0 - source's mean) / (v^2 + r^2),    q at the start = x0 - target's mean,
    whose solution is sqrt(w^2 + r^2) times an integral that is an arc tangent.
    """
    draws, x0, v, w, counts = 20_000, 0.9, 1.1, 0.5, [16, 32, 64, 128]
    means = -0.4, 0.6
    source, target = (Gaussian(float64(mean), float64(std)) for mean, std in zip(means, (v, w), strict=True))
    clean, sample = level_of(CLEAN), torch.full((1, draws), x0).double()
    c, (start, end) = math.sqrt(v**2 - w**2), (math.hypot(w, level.ratio) for level in (level_of(NOISY), clean))
    swept = (math.atan(start / c) - math.atan(end / c)) / c
    q = end * ((x0 - means[1]) / start + (x0 - means[0]) * swept)
    wanted, errors = clean.alpha * (q - x0 + means[1]), []
    for count in counts:
        step = inversion_free.InversionFree(source, sample, (5,))
        found = solvers.last(solvers.solve(step, target, sample, path(NOISY, CLEAN, count))) - x0
        errors.append(abs(float(found.mean()) - wanted))
    against = f"for normal source and target: the mean change in closed form, over {draws} draws"
    return judge_order("inversion_free, unequal widths", formula, _FLOW_EDIT, against, counts, errors, 1)


def _delta_denoising() -> Iterator[Check]:
    formula = "x <- x - RATE (n_t - n_s) (eps_target(x noised) - eps_source(x0 noised)), the same noise for both"
    clouds = as_network(two_clouds(), "v")
    for name, schedule in (("variance-preserving", stable_diffusion()), ("flow", Flow())):
        step = delta_denoising.DeltaDenoising(clouds, _START, tuple(range(9)))
        same = solvers.last(solvers.solve(step, clouds, _START, schedule.grid(10)))
        against = "the sample itself, for a target equal to the source; 10 steps"
        yield judge(f"delta_denoising without an edit, {name}", formula, _DELTA, against, apart(same, _START), 0.0)
    for flow in (False, True):
        std, shift, down = 0.6, 1.1, path(NOISY, CLEAN, 12, flow)
        left = 1.0
        for t, s in itertools.pairwise(down):
            rate = delta_denoising.RATE * (
                math.sin(math.atan2(t.sigma, t.alpha)) - math.sin(math.atan2(s.sigma, s.alpha))
            )
            left *= 1 - rate * t.alpha * t.sigma / ((t.alpha * std) ** 2 + t.sigma**2)
        against = (
            "for normal source and target of one width: shift (1 - product of what each step leaves), for any noise"
        )
        name = f"delta_denoising, equal widths, {'flow' if flow else 'variance-preserving'}"
        yield judge(name, formula, _DELTA, against, rms(_delta_change(std, shift, down) - shift * (1 - left)), 1e-10)
    # for width 1, where alpha^2 + sigma^2 = 1, the limit of small steps is an integral of sigma sqrt(1 - sigma^2)
    swept = (level_of(CLEAN).alpha ** 3 - level_of(NOISY).alpha ** 3) / 3
    wanted, errors = 1.1 * (1 - math.exp(-delta_denoising.RATE * swept)), []
    for count in COUNTS:
        errors.append(rms(_delta_change(1.0, 1.1, path(NOISY, CLEAN, count)) - wanted))
    against = "for normal source and target of width 1: shift (1 - exp(-RATE (alpha_K^3 - alpha_0^3) / 3))"
    yield judge_order("delta_denoising, many steps", formula, _DELTA, against, COUNTS, errors, 1)


def _delta_change(std: float, shift: float, down: Sequence[Level]) -> Batch:
    source, target = (Gaussian(float64(mean), float64(std)) for mean in (-0.4, -0.4 + shift))
    step = delta_denoising.DeltaDenoising(source, _START, tuple(range(9)))
    return solvers.last(solvers.solve(step, target, _START, down)) - _START
