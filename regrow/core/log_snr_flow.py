"""The straight path of flow matching with grids that are even in log-SNR, as Stable Audio's flows are sampled."""

import math
from dataclasses import dataclass

from regrow.core.levels import Level
from regrow.core.names import Spacing
from regrow.core.schedules import Flow, check_steps, strictly_cleaner
from regrow.messages.message import say


@dataclass(frozen=True)
class LogSnrFlow(Flow):
    """A `Flow` whose grids are equidistant in `log(alpha / sigma)`, between two values that the two ends replace.

        sigma_k = 1 / (1 + exp(high - (1 - k / steps) (high - low))),    sigma_0 = 1, sigma_steps = 0

    stable-audio-tools' `sample_rf` (low = -6, high = 2), and diffusers' `logsnr_sigma_schedule` of Stable Audio 3 (low
    = -6.2). The shift of `Flow` is applied to these sigmas.

    Args:
        low: at the noisy end.
        high: at the clean end.

    Raises:
        ValueError: as for `Flow`, or low is not below high.
    """

    low: float = -6.2
    high: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(say("log_snr_out_of_order", low=self.low, high=self.high))

    def grid(self, steps: int, spacing: Spacing = "trailing") -> tuple[Level, ...]:
        """Return `steps + 1` levels from pure noise to clean; all spacings are the same."""
        check_steps(steps, 1000)
        odds = (self.high - (1 - k / steps) * (self.high - self.low) for k in range(1, steps))
        even = (1 / (1 + math.exp(odd)) for odd in odds)
        sigmas = [1.0, *(self.shift * s / (1 + (self.shift - 1) * s) for s in even), 0.0]
        return strictly_cleaner([Level(1 - s, s) for s in sigmas])
