"""Settings of a training, and the learning rate at every step, planned by steps or by time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from regrow.core.names import Decline, OptimizerName
from regrow.messages.message import say
from regrow.requests.train import Train
from regrow.training.distributed import LossAt


@dataclass(frozen=True)
class Fit:
    """Settings of a run.

    Attributes:
        steps: total optimizer steps; 0 if `seconds` is given.
        seconds: total training time, over all resumptions; 0 if `steps` is given.
        optimizer: muon (for kernels and matrices, AdamW for the rest) or adamw.
        rate: peak learning rate of kernels and matrices.
        plain_rate: AdamW's peak learning rate of biases, norms, embeddings and outputs.
        warm_up: steps over which the rates rise.
        flat: share of the run after which the rates fall.
        decline: how they fall to 0: linear or cosine; constant keeps them.
        ema: decay of the moving average of the weights.
        clip: largest norm of the gradient.
        accumulate: number of parts in which a batch is computed, to save memory.
        minutes: between two checkpoints; a kill loses no more than this.
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
            raise ValueError(say("run_needs_steps_or_time"))


@dataclass(frozen=True)
class Plan:
    """The learning rate falls from step `falls_from` on; the last step is `ends_at` - 1."""

    falls_from: int
    ends_at: int


def plan_of_steps(steps: int, flat: float) -> Plan:
    """Return the plan of a run of `steps` steps whose rate is flat for this share of them."""
    return Plan(int(steps * flat), steps)


def plan_of_time(step: int, seconds: float, limit: float, flat: float) -> Plan | None:
    """Return the plan of a run by time, from the speed so far, when its flat part is over; None before.

    Planning this late takes changes of the machine's speed into account, so that the run ends near its time. A resumed
    run keeps its plan.
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
    """Return the settings of a stage that gets this share of the training time."""
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
    """Return minutes between checkpoints: at most `most`, and a whole fraction of those between grids."""
    return grids / math.ceil(grids / most) if grids else most


@dataclass(frozen=True)
class Staged:
    """A stage that is ready for `fit`.

    Attributes:
        module: the module to train.
        loss_at: its loss.
        settings: of the fit.
        plain: parameters for AdamW.
        examine: returns the loss on held-out items; None without such items.
        batch: pictures per step.
        draw: writes a sample grid to a path; None if there is nothing to draw.
    """

    module: nn.Module
    loss_at: LossAt
    settings: Fit
    plain: tuple[nn.Parameter, ...]
    examine: Callable[[nn.Module], float] | None
    batch: int
    draw: Callable[[Path], None] | None = None
