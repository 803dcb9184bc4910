"""Noise levels, and what a schedule is that names them and lays grids of them.

A level is the pair (alpha, sigma) of `x_t = alpha * x0 + sigma * eps`.
A schedule knows the levels that a network was trained on, and the number (its label) that the network takes for each.
Between two trained labels a level is interpolated in log-SNR, `log(alpha^2 / sigma^2)`, the variable in which
schedules are smooth (Kingma et al. 2021, Variational Diffusion Models, arXiv 2107.00630, section 3.1).
"""

import math
from dataclasses import dataclass
from typing import Protocol, get_args, runtime_checkable

from regrow.core.names import Spacing
from regrow.messages.message import say

SPACINGS: tuple[Spacing, ...] = get_args(Spacing)


@dataclass(frozen=True)
class Level:
    """One noise level: `x_t = alpha * x0 + sigma * eps`, alpha and sigma in [0, 1], not both 0."""

    alpha: float
    sigma: float

    def __post_init__(self) -> None:
        if not (0 <= self.alpha <= 1 and 0 <= self.sigma <= 1 and self.alpha + self.sigma > 0):
            raise ValueError(say("level_out_of_range", alpha=self.alpha, sigma=self.sigma))

    @property
    def log_snr(self) -> float:
        """`log(alpha^2 / sigma^2)`; +inf at the clean end, -inf at pure noise."""
        if self.sigma == 0:
            return math.inf
        if self.alpha == 0:
            return -math.inf
        return 2 * (math.log(self.alpha) - math.log(self.sigma))

    @property
    def ratio(self) -> float:
        """`sigma / alpha`, the noise level of Karras et al. 2022 (their sigma); inf at pure noise."""
        return self.sigma / self.alpha if self.alpha else math.inf


@runtime_checkable
class Schedule(Protocol):
    """The levels a network was trained on, from `clean` to `noisiest`, and their labels."""

    @property
    def clean(self) -> Level:
        """The level of an undisturbed sample: where sampling ends and inversion starts."""
        ...

    @property
    def noisiest(self) -> Level:
        """The last level: where sampling starts from pure noise and inversion ends."""
        ...

    def level(self, label: float) -> Level:
        """Return the level that the network knows by this label; labels between trained ones are allowed."""
        ...

    def label(self, level: Level) -> float:
        """Return the inverse of `level`. Levels cleaner than the first trained one get the first label."""
        ...

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from `noisiest` to `clean`, both included, strictly cleaner one by one."""
        ...


def from_ratio(ratio: float) -> Level:
    """Return the variance-preserving level with this sigma / alpha."""
    alpha = 1 / math.sqrt(1 + ratio * ratio)
    return Level(alpha, ratio * alpha)
