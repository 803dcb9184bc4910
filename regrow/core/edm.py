"""The noise schedule of EDM (Karras et al. 2022, arXiv 2206.00364)."""

import math
from dataclasses import dataclass

from regrow.core.levels import Level, from_ratio
from regrow.core.names import Spacing
from regrow.core.schedules import check_steps, strictly_cleaner
from regrow.messages.message import say


@dataclass(frozen=True)
class Edm:
    """The levels of Karras et al. 2022 (arXiv 2206.00364, table 1, with a sigma_data of 1), as a network sees them.

    Their `x = x0 + s n` reaches the network scaled by `1 / sqrt(1 + s^2)`, so `alpha = 1 / sqrt(1 + s^2)` and
    `sigma = s alpha`, and what their preconditioning makes of its output is v. Grids are equidistant in log s (Stable
    Audio Open, Evans et al. 2024, arXiv 2407.14358; diffusers' CosineDPMSolverMultistepScheduler) and end clean.

    Args:
        least: the smallest s of a grid above 0.
        most: the largest.

    Raises:
        ValueError: they are not above 0, or not in order.
    """

    least: float = 0.3
    most: float = 500.0

    def __post_init__(self) -> None:
        if not 0 < self.least < self.most < math.inf:
            raise ValueError(say("edm_sigmas_out_of_order", least=self.least, most=self.most))

    @property
    def clean(self) -> Level:
        return Level(1.0, 0.0)

    @property
    def noisiest(self) -> Level:
        return from_ratio(self.most)

    def level(self, label: float) -> Level:
        """Return the level of a label `2 / pi atan(s)`, in [0, 1)."""
        if not 0 <= label < 1:
            raise ValueError(say("label_not_below_one", label=label))
        return from_ratio(math.tan(label * math.pi / 2))

    def label(self, level: Level) -> float:
        """Return `2 / pi atan(sigma / alpha)`."""
        return 2 / math.pi * math.atan2(level.sigma, level.alpha)

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from the noisiest to clean; all spacings are the same, equidistant in log-SNR."""
        check_steps(steps, 1000)
        span = math.log(self.least / self.most) / max(steps - 1, 1)
        ratios = [self.most * math.exp(span * k) for k in range(steps)]
        return strictly_cleaner([self.noisiest, *map(from_ratio, ratios[1:]), self.clean])
