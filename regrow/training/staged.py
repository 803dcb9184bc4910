"""What a stage of a training run hands to the loop, whatever it trains."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from regrow.requests.train import Train
from regrow.training.loop import Fit, LossAt


@dataclass(frozen=True)
class Staged:
    """What `fit` needs of a stage, and more.

    Attributes:
        module: what is trained.
        loss_at: its loss.
        settings: of the fit.
        plain: parameters for AdamW.
        examine: the loss on what is held out; None without any.
        batch: pictures a step.
        draw: writes a sample grid under a name; None where there is nothing to draw.
    """

    module: nn.Module
    loss_at: LossAt
    settings: Fit
    plain: tuple[nn.Parameter, ...]
    examine: Callable[[nn.Module], float] | None
    batch: int
    draw: Callable[[Path], None] | None = None


def settings_of(request: Train, share: float, ema: float | None = None) -> Fit:
    """The fit of a stage that gets this share of the time."""
    optimizer = request.optimizer or ("adamw" if request.lora else "muon")
    rate = request.rate
    if rate is None:
        rate = 1e-4 if request.lora else (3e-3 if optimizer == "muon" else 1e-3) / (3 if request.start else 1)
    return Fit(
        steps=request.steps,
        seconds=request.seconds * share,
        optimizer=optimizer,
        rate=rate,
        plain_rate=rate / 3 if optimizer == "muon" else rate,
        warm_up=request.warm_up,
        flat=request.flat,
        decline=request.decline,
        ema=request.ema if ema is None else min(ema, request.ema),
        clip=request.clip,
        accumulate=request.accumulate,
        minutes=_checkpoint_minutes(request.between_checkpoints, request.between_grids),
    )


def _checkpoint_minutes(most: float, grids: float) -> float:
    """Minutes between checkpoints, which grids come with: the most that the time between two grids is a multiple of."""
    return grids / math.ceil(grids / most) if grids else most
