"""Levels of flow models that lean to the noisy end by how large the latent is, as `use_dynamic_shifting` has them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from regrow.core.levels import Level, Schedule
from regrow.core.names import Spacing
from regrow.core.schedules import Flow
from regrow.models.errors import ModelError
from regrow.models.folder import check_number, read_json
from regrow.models.model import Model

SIDE = 2
"""Of the latents that are one token of these networks."""
KINDS = ("exponential", "linear")
"""Of `time_shift_type`: whether the shift is the exponential of mu, or mu itself."""
FEW, MANY = (10, 8.73809524e-05, 1.89833333), (200, 0.00016927, 0.45666666)
"""Steps, and slope and start of mu over tokens; see `measured_mu`."""
LARGE = 4300
"""Tokens above which mu is that of `MANY` steps."""


def linear_mu(config: Mapping[str, Any], tokens: int) -> float:
    """Return mu, a straight line over the number of tokens (Esser et al. 2024, arXiv 2403.03206, section 5.3.2).

    It goes through `base_shift` at `base_image_seq_len` and `max_shift` at `max_image_seq_len`, and on beyond both, as
    `calculate_shift` of diffusers' FluxPipeline has it.

    Args:
        config: of a FlowMatchEulerDiscreteScheduler, in which these four may be missing.
        tokens: of the latent, as the network takes them.
    """
    first, last = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return low + (high - low) * (tokens - first) / (last - first)


def measured_mu(tokens: int, steps: int) -> float:
    """Return mu by tokens and steps, as the makers of FLUX.2 measured it.

    Between 10 and 200 steps it is interpolated, and beyond both extrapolated. Large latents have that of 200 steps
    (`compute_empirical_mu` of github.com/black-forest-labs/flux2, src/flux2/sampling.py).
    """
    few, many = (slope * tokens + start for _, slope, start in (FEW, MANY))
    return many if tokens > LARGE else few + (many - few) * (steps - FEW[0]) / (MANY[0] - FEW[0])


def grid_by_size(
    schedule: Schedule, config: Mapping[str, Any], mu: float, steps: int, spacing: Spacing
) -> tuple[Level, ...]:
    """Return the levels of a flow, shifted by mu where its scheduler's file has `use_dynamic_shifting`.

    Where it has `shift_terminal`, they are stretched so that this is the sigma of the cleanest level but one.
    """
    assert isinstance(schedule, Flow)
    if config.get("use_dynamic_shifting"):
        schedule = Flow(schedule.labels, math.exp(mu) if config.get("time_shift_type", KINDS[0]) == KINDS[0] else mu)
    levels = schedule.grid(steps, spacing)
    terminal = config.get("shift_terminal")
    if not terminal or steps == 1:  # the only level is noise alone
        return levels
    stretch = (1 - terminal) / levels[-2].alpha
    return (levels[0], *(Level(stretch * a, 1 - stretch * a) for a in (x.alpha for x in levels[1:-1])), levels[-1])


class LevelsBySize(Model):
    """A flow whose levels lean to the noisy end by the size of its latents, where the scheduler's file says so."""

    def mu(self, config: Mapping[str, Any], tokens: int, steps: int) -> float:
        """Return how far the levels are shifted; see `linear_mu`."""
        return linear_mu(config, tokens)

    def grid(self, steps: int, spacing: Spacing = "trailing", shape: Sequence[int] = ()) -> tuple[Level, ...]:
        """Return levels that lean to the noisy end by the size, where the scheduler's file says so."""
        height, width = shape[1:] or self.latent_shape(*self.extent)[1:]
        config = read_json(self.folder / "scheduler" / "scheduler_config.json")
        mu = self.mu(config, height * width // SIDE**2, steps)
        return grid_by_size(self.schedule, config, mu, steps, spacing)


def check_shift(config: Mapping[str, Any], where: Any) -> None:
    """Refuse a scheduler's file that shifts in a way that regrow does not know, or whose levels do not end below 1.

    Raises:
        ModelError: it does.
    """
    kind = config.get("time_shift_type", KINDS[0])
    if kind not in KINDS:
        raise ModelError(f"Unknown time_shift_type {kind!r} in {where}; regrow knows {' and '.join(KINDS)}.")
    for key in ("base_image_seq_len", "max_image_seq_len", "base_shift", "max_shift"):
        check_number(config, key, where)
    if config.get("base_image_seq_len", 256) == config.get("max_image_seq_len", 4096):
        raise ModelError(f"base_image_seq_len and max_image_seq_len in {where} must not be the same.")
    terminal = config.get("shift_terminal") or 0
    if not isinstance(terminal, int | float) or not 0 <= terminal < 1:
        raise ModelError(f"shift_terminal in {where} must be a number in [0, 1); got {terminal!r}.")
