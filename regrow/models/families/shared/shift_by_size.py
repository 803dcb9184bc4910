"""Noise levels of flow models, shifted to the noisy end by the size of the latent (`use_dynamic_shifting`)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from regrow.core.levels import Level, Schedule
from regrow.core.names import Spacing
from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import check_number, read_json
from regrow.models.model import Model

SIDE = 2
"""Side of the square of latents that makes one token."""
KINDS = ("exponential", "linear")
"""Values of `time_shift_type`: the shift is exp(mu), or mu itself."""
FEW, MANY = (10, 8.73809524e-05, 1.89833333), (200, 0.00016927, 0.45666666)
"""Steps, and slope and intercept of mu as a line over tokens; see `measured_mu`."""
LARGE = 4300
"""Tokens above which mu is that of `MANY` steps."""


def linear_mu(config: Mapping[str, Any], tokens: int) -> float:
    """Return mu, linear in the number of tokens (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).

    The line goes through `base_shift` at `base_image_seq_len` and `max_shift` at `max_image_seq_len`, and continues
    beyond both, as in `calculate_shift` of diffusers' FluxPipeline.

    Args:
        config: config of a FlowMatchEulerDiscreteScheduler; these four keys may be missing.
        tokens: number of the latent's tokens.
    """
    first, last = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return low + (high - low) * (tokens - first) / (last - first)


def measured_mu(tokens: int, steps: int) -> float:
    """Return mu by tokens and steps, as the makers of FLUX.2 measured it.

    It is linear in the steps, through the values for 10 and 200 steps. Large latents always use that for 200 steps
    (`compute_empirical_mu` of github.com/black-forest-labs/flux2, src/flux2/sampling.py).
    """
    few, many = (slope * tokens + start for _, slope, start in (FEW, MANY))
    return many if tokens > LARGE else few + (many - few) * (steps - FEW[0]) / (MANY[0] - FEW[0])


def grid_by_size(
    schedule: Schedule, config: Mapping[str, Any], mu: float, steps: int, spacing: Spacing
) -> tuple[Level, ...]:
    """Return the levels of a flow, shifted by mu if the scheduler config has `use_dynamic_shifting`.

    If it has `shift_terminal`, they are stretched so that this is the sigma of the last level before the clean one.
    """
    assert isinstance(schedule, Flow)
    if config.get("use_dynamic_shifting"):
        schedule = Flow(schedule.labels, math.exp(mu) if config.get("time_shift_type", KINDS[0]) == KINDS[0] else mu)
    levels = schedule.grid(steps, spacing)
    terminal = config.get("shift_terminal")
    if not terminal or steps == 1:  # there is no level between noise and clean
        return levels
    stretch = (1 - terminal) / levels[-2].alpha
    return (levels[0], *(Level(stretch * a, 1 - stretch * a) for a in (x.alpha for x in levels[1:-1])), levels[-1])


class LevelsBySize(Model):
    """A flow whose levels are shifted to the noisy end by the size of its latents, if the scheduler config says so."""

    def mu(self, config: Mapping[str, Any], tokens: int, steps: int) -> float:
        """Return how far the levels are shifted; see `linear_mu`."""
        return linear_mu(config, tokens)

    def grid(self, steps: int, spacing: Spacing = "trailing", shape: Sequence[int] = ()) -> tuple[Level, ...]:
        """Return levels, shifted to the noisy end by the latent's size if the scheduler config says so."""
        height, width = shape[1:] or self.latent_shape(*self.extent)[1:]
        config = read_json(self.folder / "scheduler" / "scheduler_config.json")
        mu = self.mu(config, height * width // SIDE**2, steps)
        return grid_by_size(self.schedule, config, mu, steps, spacing)


def check_shift(config: Mapping[str, Any], where: Any) -> None:
    """Check that regrow knows the scheduler config's way to shift levels, and that `shift_terminal` is in [0, 1).

    Raises:
        ModelError: it does not, or a value is wrong.
    """
    kind = config.get("time_shift_type", KINDS[0])
    if kind not in KINDS:
        raise ModelError(say("time_shift_unknown", kind=kind, where=where, known=" and ".join(KINDS)))
    for key in ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift"):
        check_number(config, key, where)
    if config.get("base_image_seq_len", 256) == config.get("max_image_seq_len", 4096):
        raise ModelError(say("shift_lengths_equal", where=where))
    terminal = config.get("shift_terminal") or 0
    if not isinstance(terminal, int | float) or not 0 <= terminal < 1:
        raise ModelError(say("shift_terminal_out_of_range", where=where, given=terminal))
