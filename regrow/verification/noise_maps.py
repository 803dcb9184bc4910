"""Check edit-friendly inversion: its round trip, the statistics of its noise maps, and its posterior mean."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch

from regrow.core import solvers
from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods import edit_friendly
from regrow.core.noise import noise
from regrow.core.schedules import Flow
from regrow.verification.check import Check, apart, judge
from regrow.verification.forward import stable_diffusion, zero_terminal_snr
from regrow.verification.oracles import Gaussian, as_network, float64, level_of, path
from regrow.verification.orders import trajectory, two_clouds

_START = torch.linspace(-2, 2, 9).double()[:, None]
_EDIT_FRIENDLY = "Huberman-Spiegelglas et al. 2023, arXiv 2304.06140"


def noise_maps() -> Iterator[Check]:
    denoise = as_network(two_clouds(), "v")
    for multistep in (False, True):
        error = 0.0
        for schedule in (stable_diffusion(), zero_terminal_snr(), Flow()):
            for steps in (5, 20, 50):
                up = schedule.grid(steps)[::-1]
                walk = edit_friendly.edit_friendly(denoise, _START, up, range(9), multistep)
                found = trajectory(walk)
                back = found.back(edit_friendly.PosteriorMean(multistep))
                states = solvers.solve(back, denoise, found.states[-1], up[::-1])
                error = max(error, *(apart(state.x, found.at(state.level)) for state in states))
        yield judge(
            f"edit_friendly{'_2m' if multistep else ''} round trip",
            "x_k = mean(x_(k+1)) + offset_k, x_k noised independently of each other",
            _EDIT_FRIENDLY,
            "the noisy copies, at every level; 5, 20 and 50 steps from end to end on three schedules",
            error,
            1e-10,
        )
    yield _noise_statistics()
    yield _multistep_mean()


def _noise_statistics() -> Check:
    """Check variance and correlation of neighbouring noise maps for data N(mean, std^2), over coordinates.

    With the mean's slope S in x_(k+1), offset_k = (a_k - S_k a_(k+1)) (x0 - mean) + s_k eps_k - S_k s_(k+1) eps_(k+1).
    """
    count, mean, std, levels = 40_000, 0.3, 0.8, path(3.0, -3.0, 6)
    x0 = mean + std * noise((count,), [1], torch.float64)
    walk = edit_friendly.edit_friendly(Gaussian(float64(mean), float64(std)), x0, (Level(1, 0), *levels), [2])
    offsets = trajectory(walk).offsets[1:]  # between two noisy copies
    parts, drawn_by_sampling, error = [], [], 0.0
    for s, t in pairwise(levels):
        shrink = t.alpha * std**2 / (t.alpha**2 * std**2 + t.sigma**2)
        slope = s.alpha * shrink + s.sigma * s.ratio / t.ratio * (1 - t.alpha * shrink) / t.sigma
        parts.append(((s.alpha - slope * t.alpha) * std, s.sigma, slope * t.sigma))
        drawn_by_sampling.append(solvers.posterior_std(t, s) ** 2)
    variances = [signal**2 + own**2 + other**2 for signal, own, other in parts]
    for offset, variance in zip(offsets, variances, strict=True):
        error = max(error, abs(float(offset.var()) / variance - 1) * (count / 2) ** 0.5)
    neighbours = []
    for k, (a, b) in enumerate(pairwise(offsets)):
        covariance = parts[k][0] * parts[k + 1][0] - parts[k][2] * parts[k + 1][1]
        neighbours.append(covariance / (variances[k] * variances[k + 1]) ** 0.5)
        found = float(torch.corrcoef(torch.cat([a, b]))[0, 1])
        error = max(error, abs(found - neighbours[-1]) / (1 - neighbours[-1] ** 2) * count**0.5)
    ratios = [variance / usual for variance, usual in zip(variances, drawn_by_sampling, strict=True)]
    return judge(
        "edit_friendly noise maps",
        "z_k = (x_k - mean(x_(k+1))) / std_k: variance and correlation of neighbours",
        _EDIT_FRIENDLY,
        f"their closed forms for normal data, {count} coordinates, worst of all levels in standard errors",
        error,
        4.5,
        f"variances {min(ratios):.1f} to {max(ratios):.1f} where sampling draws 1; neighbours correlated by "
        f"{min(neighbours):.2f} to {max(neighbours):.2f} where sampling draws 0",
    )


def _multistep_mean() -> Check:
    """Check the mean of SDE-DPM-Solver++(2M) against its formula in lambda = log(alpha / sigma)."""
    error, x = 0.0, noise((3,), [1, 2], torch.float64)
    denoise = as_network(two_clouds(), "v")
    for flow in (False, True):
        before, t, s = (level_of(log_snr, flow) for log_snr in (-3.0, -1.5, 0.5))
        step = edit_friendly.PosteriorMean(multistep=True)
        x_t, earlier = step(_each(denoise), x, before, t)
        mean, now = step(_each(denoise), x_t, t, s)
        h, h0 = (s.log_snr - t.log_snr) / 2, (t.log_snr - before.log_snr) / 2
        slope = (now.x0 - earlier.x0) * h / h0
        wanted = s.sigma / t.sigma * math.exp(-h) * x_t - s.alpha * math.expm1(-2 * h) * (now.x0 + slope / 2)
        error = max(error, apart(mean, wanted))
    return judge(
        "edit_friendly_2m mean",
        "x_s = (sigma_s / sigma_t) exp(-h) x_t + alpha_s (1 - exp(-2h)) (D0 + D1 / 2),  D1 = (D0 - D0_previous) / r",
        "SDE-DPM-Solver++(2M), Lu et al. 2022, arXiv 2211.01095; LEDITS++, arXiv 2311.16711",
        "the formula in log-SNR, on both kinds of levels",
        error,
        1e-12,
    )


def _each(denoise: Denoiser) -> Denoiser:
    """Apply a denoiser of single numbers to each number of a batch."""

    def all_of_them(x_t: Batch, level: Level) -> Prediction:
        found = denoise(x_t.reshape(-1, 1), level)
        return Prediction(found.x0.view_as(x_t), found.eps.view_as(x_t))

    return all_of_them
