"""The cosine schedule of v-diffusion networks with Harmonai's "crash" grid."""

import math
from dataclasses import dataclass

from regrow.core.levels import Level, from_ratio
from regrow.core.names import Spacing
from regrow.core.schedules import check_steps, strictly_cleaner
from regrow.messages.message import say


@dataclass(frozen=True)
class Crash:
    """A cosine schedule in the label t of [0, 1], with a grid that is dense at both ends.

        alpha = cos(pi t / 2), sigma = sin(pi t / 2)
        sigma_k = sin(pi u_k / 2)^2 with u_k = 1 - k / steps

    The cosine is that of Salimans & Ho 2022 (arXiv 2202.00512, section 4); the grid is the one that Harmonai's Dance
    Diffusion is sampled on (`get_crash_schedule`), in diffusers IPNDMScheduler's. At t = 1 there is nothing but noise.
    """

    @property
    def clean(self) -> Level:
        return Level(1.0, 0.0)

    @property
    def noisiest(self) -> Level:
        return Level(0.0, 1.0)

    def level(self, label: float) -> Level:
        """Return the level of a label in [0, 1].

        Raises:
            ValueError: the label is outside.
        """
        if not 0 <= label <= 1:
            raise ValueError(say("label_out_of_unit", label=label))
        return self.noisiest if label == 1 else from_ratio(math.tan(label * math.pi / 2))

    def label(self, level: Level) -> float:
        """Return `2 / pi atan(sigma / alpha)`."""
        return 2 / math.pi * math.atan2(level.sigma, level.alpha)

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from pure noise to clean, for 1 to 1000 steps.

        `trailing` and `leading` are the same on a path without first label. `log_snr` is equidistant in log-SNR between
        the second and the last but one level of that grid.
        """
        check_steps(steps, 1000)
        inner = [_of_angle(math.pi / 2 * (1 - k / steps)) for k in range(1, steps)]
        if spacing == "log_snr" and steps > 3:
            first, last = inner[0].log_snr, inner[-1].log_snr
            points = (first + (last - first) * k / (steps - 2) for k in range(steps - 1))
            inner = [from_ratio(math.exp(-point / 2)) for point in points]
        return strictly_cleaner([self.noisiest, *inner, self.clean])


def _of_angle(angle: float) -> Level:
    """Return the level of `sigma = sin(angle)^2`; 1 - sigma^2 is taken apart so that a small alpha keeps its digits."""
    sigma = math.sin(angle) ** 2
    return Level(math.cos(angle) * math.sqrt(1 + sigma), sigma)
