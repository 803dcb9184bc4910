"""Schedules: tables of trained levels, and the straight path of flow matching."""

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor

from regrow.core.levels import Level, from_ratio
from regrow.core.names import Spacing
from regrow.messages.message import say


def check_steps(steps: int, most: int) -> None:
    """Refuse a number of steps outside 1 to `most` by a ValueError."""
    if not 1 <= steps <= most:
        raise ValueError(say("steps_beyond_schedule", most=most, steps=steps))


def strictly_cleaner(levels: list[Level]) -> tuple[Level, ...]:
    """Return the levels of a grid, or raise a ValueError where one is no cleaner than the one before."""
    for noisier, cleaner in itertools.pairwise(levels):
        if not noisier.log_snr < cleaner.log_snr:
            raise ValueError(say("grid_not_falling"))
    return tuple(levels)


@dataclass(frozen=True, eq=False)
class VariancePreserving:
    """A table of levels with `alpha^2 + sigma^2 = 1` (Ho et al. 2020, arXiv 2006.11239, eq. 4).

    Args:
        alphas_cumprod: shape `labels`, float64, the squared alphas, strictly falling, in [0, 1). A last value of
            0 (zero terminal SNR, Lin et al. 2023, arXiv 2305.08891) is allowed.
        clean_alpha_cumprod: squared alpha of the clean end: 1 where the checkpoint says `set_alpha_to_one`,
            else the first value of the table.
        offset: `steps_offset` of the checkpoint, added to the labels of `leading` grids.

    Raises:
        ValueError: the table is not strictly falling within [0, 1), or has fewer than two entries.
    """

    alphas_cumprod: Float64[Tensor, " labels"]
    clean_alpha_cumprod: float = 1.0
    offset: int = 0

    def __post_init__(self) -> None:
        table = self.alphas_cumprod
        falling = len(table) > 1 and bool((table[1:] < table[:-1]).all())
        if not falling or table[0] >= 1 or table[-1] < 0:
            raise ValueError(say("alphas_not_falling"))
        if not table[0] <= self.clean_alpha_cumprod <= 1:
            raise ValueError(
                say("clean_alpha_out_of_range", first=float(table[0]), clean_alpha_cumprod=self.clean_alpha_cumprod)
            )

    @classmethod
    def from_betas(
        cls, betas: Float64[Tensor, " labels"], clean_alpha_cumprod: float | None = 1.0, offset: int = 0
    ) -> "VariancePreserving":
        """The table of `prod(1 - beta)`, in float64. `clean_alpha_cumprod=None` takes the table's first value."""
        table = torch.cumprod(1 - betas.double(), dim=0)
        return cls(table, float(table[0]) if clean_alpha_cumprod is None else clean_alpha_cumprod, offset)

    @cached_property
    def _table(self) -> list[float]:
        return self.alphas_cumprod.tolist()

    @property
    def labels(self) -> int:
        """How many labels the network was trained with (1000 for most checkpoints)."""
        return len(self._table)

    @property
    def clean(self) -> Level:
        return _from_alpha_cumprod(self.clean_alpha_cumprod)

    @property
    def noisiest(self) -> Level:
        return _from_alpha_cumprod(self._table[-1])

    def level(self, label: float) -> Level:
        """Return the level of a label in [0, labels - 1].

        Raises:
            ValueError: the label is outside the table.
        """
        if not 0 <= label <= self.labels - 1:
            raise ValueError(say("label_beyond_table", labels=self.labels - 1, label=label))
        low = min(int(label), self.labels - 2)
        part = label - low
        first, second = _from_alpha_cumprod(self._table[low]), _from_alpha_cumprod(self._table[low + 1])
        if part in (0, 1):  # table values come back exactly, not through exp(log())
            return second if part else first
        if second.alpha == 0:  # log-SNR has no end here: interpolate the SNR's root instead
            return from_ratio(1 / ((1 - part) / first.ratio))
        log_snr = (1 - part) * first.log_snr + part * second.log_snr
        return from_ratio(math.exp(-log_snr / 2))

    def label(self, level: Level) -> float:
        """Return the label in [0, labels - 1] whose log-SNR is the level's; outside the table, the nearest end."""
        target, last = level.log_snr, self.labels - 1
        if target >= _log_snr(self._table[0]):
            return 0.0
        if target <= _log_snr(self._table[last]):
            return float(last)
        high = bisect_right(self._table, -target, key=lambda value: -_log_snr(value))
        low = high - 1
        first, second = _from_alpha_cumprod(self._table[low]), _from_alpha_cumprod(self._table[high])
        if second.alpha == 0:
            return low + 1 - first.ratio / level.ratio
        return low + (first.log_snr - target) / (first.log_snr - second.log_snr)

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from the last label to the clean end, for any number of steps.

        Spacings are those of Lin et al. 2023 (arXiv 2305.08891, table 2) with true, not integer, distances:
        `trailing` counts down from the last label; `leading` counts up from the first label plus `offset`, and
        its last interval is stretched to the last label, which the original never reaches; `log_snr` is
        equidistant in log-SNR between the last label and the first, then steps to the clean end.

        Raises:
            ValueError: steps is below 1 or above the number of labels.
        """
        lowest = int(self._table[0] == self.clean_alpha_cumprod)  # label 0 may itself be the clean end
        check_steps(steps, self.labels - lowest)
        top = self.labels - 1
        if spacing == "trailing":
            labels = [top - self.labels * k / steps for k in range(steps)]
        elif spacing == "leading":
            # near as many steps as labels the offset leaves less room: stand closer, so as not to pass the last
            apart = min(self.labels / steps, (top - self.offset) / max(steps - 1, 1))
            labels = [top, *(max(apart * k + self.offset, lowest) for k in range(steps - 2, -1, -1))]
        else:
            labels = self._log_snr_labels(steps, lowest)
        return strictly_cleaner([*(self.level(label) for label in labels), self.clean])

    def _log_snr_labels(self, steps: int, lowest: int) -> list[float]:
        noisiest_finite = self.labels - (1 if self._table[-1] > 0 else 2)
        first, last = _log_snr(self._table[noisiest_finite]), _log_snr(self._table[lowest])
        points = [first + (last - first) * k / max(steps - 1, 1) for k in range(1, steps)]
        return [self.labels - 1, *(self.label(from_ratio(math.exp(-point / 2))) for point in points)]


@dataclass(frozen=True, eq=False)
class Consistency(VariancePreserving):
    """The same, of a network distilled to jump to x0 from labels evenly apart (LCM, Luo et al. 2023, arXiv 2310.04378).

    Args:
        distilled: how many labels it was distilled on; the last is the noisiest.
    """

    distilled: int = 50

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels; those of `trailing` are labels of the distillation, as far as there are as many.

        Raises:
            ValueError: as for `VariancePreserving.grid`.
        """
        if spacing != "trailing" or not 1 <= steps <= self.distilled:
            return super().grid(steps, spacing)
        apart = self.labels // self.distilled
        labels = [apart * (self.distilled - self.distilled * k // steps) - 1 for k in range(steps)]
        return strictly_cleaner([*(self.level(label) for label in labels), self.clean])


@dataclass(frozen=True)
class Flow:
    """The straight path `alpha = 1 - sigma` of flow matching (Lipman et al. 2022, arXiv 2210.02747, eq. 20).

    Args:
        labels: the label of pure noise; a label is `labels * sigma` (1000 for SD3 and FLUX).
        shift: how far grids lean to the noisy end, `sigma' = shift * sigma / (1 + (shift - 1) * sigma)`
            (Esser et al. 2024, arXiv 2403.03206, eq. 23); 1 = evenly spaced.

    Raises:
        ValueError: no labels, or a shift that is not above 0.
    """

    labels: int = 1000
    shift: float = 1.0

    def __post_init__(self) -> None:
        if self.labels < 1 or not 0 < self.shift < math.inf:
            raise ValueError(say("flow_malformed", labels=self.labels, shift=self.shift))

    @property
    def clean(self) -> Level:
        return Level(1.0, 0.0)

    @property
    def noisiest(self) -> Level:
        return Level(0.0, 1.0)

    def level(self, label: float) -> Level:
        """Return the level of a label in [0, labels]."""
        if not 0 <= label <= self.labels:
            raise ValueError(say("label_beyond_table", labels=self.labels, label=label))
        return Level(1 - label / self.labels, label / self.labels)

    def label(self, level: Level) -> float:
        """Return `labels * sigma / (alpha + sigma)`: the straight path's level of the same signal-to-noise ratio."""
        return self.labels * level.sigma / (level.alpha + level.sigma)

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from pure noise to clean.

        `trailing` and `leading` are the same on a path without first label: even steps of sigma, then shifted.
        `log_snr` is equidistant in log-SNR between the second and the last but one level of that grid.
        """
        check_steps(steps, self.labels)
        even = (1 - k / steps for k in range(1, steps))
        sigmas = [1.0, *(self.shift * s / (1 + (self.shift - 1) * s) for s in even), 0.0]  # both ends exactly
        if spacing == "log_snr" and steps > 3:
            odds = [math.log((1 - s) / s) for s in (sigmas[1], sigmas[-2])]
            inner = [odds[0] + (odds[1] - odds[0]) * k / (steps - 2) for k in range(steps - 1)]
            sigmas = [1.0, *(1 / (1 + math.exp(odd)) for odd in inner), 0.0]
        return strictly_cleaner([Level(1 - s, s) for s in sigmas])


def _from_alpha_cumprod(value: float) -> Level:
    return Level(math.sqrt(value), math.sqrt(1 - value))


def _log_snr(alpha_cumprod: float) -> float:
    return _from_alpha_cumprod(alpha_cumprod).log_snr
