"""Settings of a training, and the learning rate at every step: planned by steps, or once by time and kept."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from regrow.core.names import Decline, OptimizerName
from regrow.requests.train import Train
from regrow.training.distributed import LossAt


@dataclass(frozen=True)
class Fit:
    """Settings of a run.

    Attributes:
        steps: optimizer steps in all, or 0 where `seconds` counts.
        seconds: of training in all, over all its resumptions, or 0 where `steps` counts.
        optimizer: muon (for kernels and matrices, AdamW for the rest) or adamw.
        rate: peak learning rate of kernels and matrices.
        plain_rate: AdamW's peak learning rate of biases, norms, embeddings and outputs.
        warm_up: steps over which the rates rise.
        flat: share of the run after which the rates fall.
        decline: how they fall to 0: linear, cosine, or constant, which does not.
        ema: decay of the moving average of the weights.
        clip: the gradient's norm is cut to this.
        accumulate: parts that a batch is computed in, to save memory.
        minutes: between two checkpoints, which is the most that a kill can cost.
    """

    steps: int = 0
    seconds: float = 0
    optimizer: OptimizerName = "muon"
    rate: float = 3e-3
    plain_rate: float = 1e-3
    warm_up: int = 50
    flat: float = 0.3
    decline: Decline = "linear"
    ema: float = 0.998
    clip: float = 1.0
    accumulate: int = 1
    minutes: float = 2.0

    def __post_init__(self) -> None:
        if (self.steps > 0) == (self.seconds > 0):
            raise ValueError("A run needs a number of steps or a time, and not both.")


@dataclass(frozen=True)
class Plan:
    """The rate falls from step `falls_from` on, and step `ends_at` is not made any more."""

    falls_from: int
    ends_at: int


def plan_of_steps(steps: int, flat: float) -> Plan:
    """Return the plan of a run of `steps` steps whose rate is flat for this share of them."""
    return Plan(int(steps * flat), steps)


def plan_of_time(step: int, seconds: float, limit: float, flat: float) -> Plan | None:
    """Return the plan of a run by time, from the speed so far, when its flat part is over; None before.

    Made late, it is right on a machine whose speed changes, and it ends near its time; made once, a killed run
    keeps it.
    """
    if seconds < flat * limit:
        return None
    return Plan(step, step + max(1, round((limit - seconds) * step / seconds)))


def factor(step: int, plan: Plan | None, warm_up: int, decline: Decline) -> float:
    """Return the share of the peak rate at a step."""
    rise = min(1.0, (step + 1) / max(1, warm_up))
    if plan is None or step < plan.falls_from or decline == "constant":
        return rise
    left = (plan.ends_at - step) / max(1, plan.ends_at - plan.falls_from)
    return min(rise, left if decline == "linear" else (1 - math.cos(math.pi * left)) / 2)


def late(step: int, plan: Plan | None) -> float:
    """Return 0 while the rate is flat, then a share that rises to 1 at the end."""
    if plan is None or step < plan.falls_from:
        return 0.0
    return (step - plan.falls_from) / max(1, plan.ends_at - plan.falls_from)


def settings_of(request: Train, share: float, ema: float | None = None) -> Fit:
    """Return the settings of a stage that gets this share of the time."""
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
    """Return minutes between checkpoints: at most `most`, and a whole part of those between grids, which need one."""
    return grids / math.ceil(grids / most) if grids else most


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
