"""Check the forward process and the noise levels of schedules."""

from collections.abc import Iterator
from itertools import pairwise

import torch

from regrow.core import levels, noise, schedules
from regrow.core.denoiser import Prediction
from regrow.core.levels import Level, Schedule
from regrow.verification.check import Check, judge

_BETAS = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2  # Stable Diffusion's


def stable_diffusion(clean_alpha_cumprod: float | None = 1.0, offset: int = 0) -> schedules.VariancePreserving:
    """Return the schedule that Stable Diffusion 1 and 2 were trained with."""
    return schedules.VariancePreserving.from_betas(_BETAS, clean_alpha_cumprod, offset)


def zero_terminal_snr() -> schedules.VariancePreserving:
    """Return the same schedule, rescaled to end at pure noise."""
    alpha = torch.cumprod(1 - _BETAS, dim=0).sqrt()
    return schedules.VariancePreserving(((alpha - alpha[-1]) * alpha[0] / (alpha[0] - alpha[-1])).square())


SCHEDULES: dict[str, Schedule] = {
    "Stable Diffusion": stable_diffusion(),
    "Stable Diffusion ending at its first label": stable_diffusion(None, offset=1),
    "zero terminal SNR": zero_terminal_snr(),
    "flow": schedules.Flow(),
    "flow shifted by 3": schedules.Flow(shift=3.0),
}


def forward() -> Iterator[Check]:
    yield _marginal()
    yield _drawn_marginal()
    yield _labels()
    yield _ends()
    yield _spacings()


def _marginal() -> Check:
    """Check the table of products against noising steps that are composed one by one."""
    schedule = stable_diffusion()
    alpha, variance, error = 1.0, 0.0, 0.0
    for label, beta in enumerate(_BETAS.tolist()):
        alpha, variance = (1 - beta) ** 0.5 * alpha, (1 - beta) * variance + beta
        level = schedule.level(label)
        error = max(error, abs(level.alpha - alpha), abs(level.sigma**2 - variance))
    return judge(
        "forward marginal",
        "q(x_t | x0) = N(sqrt(abar_t) x0, 1 - abar_t),  abar_t = prod(1 - beta)",
        "Ho et al. 2020, arXiv 2006.11239, eq. 4",
        "1000 noising steps x -> sqrt(1 - beta) x + sqrt(beta) eps, mean and variance composed",
        error,
        1e-12,
    )


def _drawn_marginal() -> Check:
    count, mean = 100_000, 0.7
    level = stable_diffusion().level(400)
    eps = noise.noise((count,), [1], torch.float64)
    x_t = Prediction(torch.full_like(eps, mean), eps).at(level)
    # in standard errors: sigma / sqrt(n) for the mean, sigma / sqrt(2 n) for the deviation
    off_mean = abs(float(x_t.mean()) - level.alpha * mean) / level.sigma * count**0.5
    off_std = abs(float(x_t.std()) - level.sigma) / level.sigma * (2 * count) ** 0.5
    return judge(
        "forward marginal, drawn",
        "x_t = alpha x0 + sigma eps",
        "Ho et al. 2020, arXiv 2006.11239, eq. 4",
        f"mean and deviation of {count} draws, distance in standard errors",
        max(off_mean, off_std),
        4.0,
    )


def _labels() -> Check:
    error = 0.0
    for schedule in SCHEDULES.values():
        top = schedule.label(schedule.noisiest)
        for k in range(200):
            label = top * k / 199
            error = max(error, abs(schedule.label(schedule.level(label)) - label))
    return judge(
        "labels and levels",
        "label(level(l)) = l, between labels by log-SNR = log(alpha^2 / sigma^2)",
        "Kingma et al. 2021, arXiv 2107.00630, section 3.1",
        f"200 labels, whole and fractional, on each of {len(SCHEDULES)} schedules",
        error,
        1e-6,
    )


def _ends() -> Check:
    missed = 0
    counts = (1, 2, 7, 50, 80, 150, 350, 999)
    for schedule in SCHEDULES.values():
        for spacing in levels.SPACINGS:
            for steps in counts:
                grid = schedule.grid(steps, spacing)
                snr = [level.log_snr for level in grid]
                missed += (grid[0], grid[-1], len(grid)) != (schedule.noisiest, schedule.clean, steps + 1)
                missed += snr != sorted(set(snr))
    return judge(
        "grids reach both ends",
        "levels from the noisiest to the clean one, strictly cleaner, steps + 1 of them",
        "Lin et al. 2023, arXiv 2305.08891, section 3.3",
        f"{len(SCHEDULES)} schedules, {len(levels.SPACINGS)} spacings, {counts} steps; grids that miss",
        float(missed),
        0.0,
    )


def _spacings() -> Check:
    """Check the network's labels on a grid against the definitions of the spacings."""
    schedule, error = stable_diffusion(offset=1), 0.0
    for steps in (10, 50, 80, 350):
        wanted = {
            "trailing": [999 - 1000 * k / steps for k in range(steps)],
            "leading": [999, *(1000 * k / steps + 1 for k in range(steps - 2, -1, -1))],
        }
        for spacing in ("trailing", "leading"):
            given = [schedule.label(level) for level in schedule.grid(steps, spacing)[:-1]]
            error = max(error, *(abs(a - b) for a, b in zip(given, wanted[spacing], strict=True)))
    even = [level.log_snr for level in schedule.grid(40, "log_snr")[:-1]]
    gaps = [b - a for a, b in pairwise(even)]
    error = max(error, max(gaps) - min(gaps))
    return judge(
        "grid spacings",
        "trailing: T-1, T-1 - T/N, ...   leading: offset, offset + T/N, ...   log_snr: even gaps",
        "Lin et al. 2023, arXiv 2305.08891, table 2",
        "labels at 10, 50, 80 and 350 steps; gaps of log-SNR at 40",
        error,
        1e-6,
    )


def labelled_levels(count: int = 7) -> list[Level]:
    """Return levels of both kinds of schedule, including the exact ends."""
    flow, preserving = schedules.Flow(), zero_terminal_snr()
    inner = [k / (count + 1) for k in range(1, count + 1)]
    return [
        *(preserving.level(999 * k) for k in inner),
        *(flow.level(1000 * k) for k in inner),
        flow.clean,
        flow.noisiest,
    ]
