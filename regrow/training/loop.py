"""The training loop of every stage: steps, checkpoints, resuming, stopping."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from regrow.messages.message import say
from regrow.training.checkpoint import Checkpoint, DiskFullError, read_newest_checkpoint, write_checkpoint
from regrow.training.distributed import LossAt, agree
from regrow.training.settings import Fit, Plan, plan_of_steps, plan_of_time
from regrow.training.trained_weights import TrainedWeights

if TYPE_CHECKING:
    from accelerate import Accelerator


class DivergedError(ValueError):
    """The loss of this step is not finite; the run's present weights must not be used."""

    def __init__(self, step: int, rate: float) -> None:
        super().__init__(say("training_diverged", step=step, rate=rate))
        self.step = step


@dataclass(frozen=True)
class FitState:
    """The state of a run.

    Attributes:
        step: number of finished steps.
        steps: total number; None until a run by time has planned its end.
        loss: of this step; None in a state that only has notes.
        seconds: of training so far, over all resumptions.
        share: finished share of the run, 0 to 1.
        validation: loss of the averaged weights on held-out items if it was just measured, else None.
        notes: sentences for the user.
    """

    step: int
    steps: int | None
    loss: float | None
    seconds: float
    share: float
    validation: float | None = None
    notes: tuple[str, ...] = ()


def fit(
    module: nn.Module,
    loss_at: LossAt,
    settings: Fit,
    folder: Path,
    accelerator: "Accelerator",
    plain: tuple[nn.Parameter, ...] = (),
    look: Callable[[nn.Module], float | None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[FitState, None, bool]:
    """Train the parameters of `module` that require gradients, in place; yield a state per step.

    If it is killed, the same call with the same folder continues from the newest undamaged checkpoint. On the same
    machine with the same number of threads it ends with identical weights.

    Args:
        module: the module to train.
        loss_at: see `LossAt`.
        settings: see `Fit`.
        folder: of its checkpoints; with several machines, one that they share.
        accelerator: of the devices and processes.
        plain: parameters that AdamW trains whatever their shape.
        look: called at checkpoints while the module holds the averaged weights; returns a loss on held-out items.
        stop: called after every step; if it returns True, a checkpoint is written and the run ends.

    Returns:
        Whether the run is complete; then the module holds the averaged weights.

    Raises:
        ValueError: the folder holds a run with other settings.
        DivergedError: the loss, a gradient or the averaged weights' loss is not finite; raised after a state whose loss
            is NaN. No checkpoint of it is written, and those before it are untouched.
        MediaError: a checkpoint could not be written; those before it are untouched.
    """
    run = _Run(module, settings, folder, accelerator, plain)
    if notes := run.restore():
        yield run.state(None, notes=notes)
    started = saved = time.monotonic()
    before = run.seconds
    network = accelerator.prepare_model(module)
    module.train()
    while not (run.plan and run.step >= run.plan.ends_at):
        loss = run.weights.step(network, loss_at, run.step, run.plan)
        run.step += 1
        run.seconds = before + time.monotonic() - started
        if loss is None:
            yield run.state(math.nan)
            raise DivergedError(run.step, settings.rate)
        stopping = agree(accelerator, stop())
        planned = run.make_plan()
        finished = run.plan is not None and run.step >= run.plan.ends_at
        due = agree(accelerator, time.monotonic() - saved > 60 * settings.minutes)
        validation = None
        if stopping or planned or finished or due:
            validation = run.look(look) if (finished or due) and look else None
            if agree(accelerator, validation is not None and not math.isfinite(validation)):
                yield run.state(math.nan)
                raise DivergedError(run.step, settings.rate)
            for note in run.save(validation, stop):
                yield run.state(None, notes=(note,))
            saved = time.monotonic()
        yield run.state(loss, validation)
        if stopping and not finished:
            return False
    run.weights.take_average()
    module.eval()
    return True


class _Run:
    """The changing state of a run."""

    def __init__(
        self,
        module: nn.Module,
        settings: Fit,
        folder: Path,
        accelerator: "Accelerator",
        plain: tuple[nn.Parameter, ...],
    ) -> None:
        self.settings, self.folder, self.accelerator = settings, folder, accelerator
        self.weights = TrainedWeights(module, settings, accelerator, plain)
        self.step, self.seconds, self.best = 0, 0.0, float("inf")
        self.plan: Plan | None = plan_of_steps(settings.steps, settings.flat) if settings.steps else None

    def state(self, loss: float | None, validation: float | None = None, notes: tuple[str, ...] = ()) -> FitState:
        # a run by time may overrun its plan if the machine becomes busier
        share = self.step / self.plan.ends_at if self.plan else self.seconds / self.settings.seconds
        steps = self.plan.ends_at if self.plan else None
        return FitState(self.step, steps, loss, self.seconds, min(1.0, share), validation, notes)

    def restore(self) -> tuple[str, ...]:
        newest, notes = read_newest_checkpoint(self.folder)
        if newest:
            _check_same(newest.facts["settings"], asdict(self.settings), self.folder)
            self.step, self.seconds, self.best = (newest.facts[key] for key in ("step", "seconds", "best"))
            self.plan = Plan(**newest.facts["plan"]) if newest.facts["plan"] else None
            self.weights.restore(newest.tensors)
            if self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(newest.facts["scaler"])
            notes.append(
                say("resuming_of", step=self.step, steps=self.plan.ends_at)
                if self.plan
                else say("resuming", step=self.step)
            )
        return tuple(notes)

    def make_plan(self) -> bool:
        """Return whether a run by time has just planned its end; all processes adopt the plan of the first one."""
        if self.plan:
            return False
        plan = plan_of_time(self.step, self.seconds, self.settings.seconds, self.settings.flat)
        ends = int(agree(self.accelerator, plan.ends_at if plan else 0))
        self.plan = Plan(self.step, ends) if ends else None
        return bool(ends)

    def look(self, look: Callable[[nn.Module], float | None]) -> float | None:
        """Return the result of `look` for the averaged weights on the first process; None on the others."""
        if not self.accelerator.is_main_process:
            return None
        with self.weights.averaged():
            return look(self.weights.module)

    def save(self, validation: float | None, stop: Callable[[], bool]) -> Generator[str, None, None]:
        """Write a checkpoint; while the disk is full, yield a sentence once and wait."""
        best = validation is not None and validation < self.best
        if best and validation is not None:
            self.best = validation
        if not self.accelerator.is_main_process:
            return
        facts = {
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "plan": asdict(self.plan) if self.plan else None,
            "settings": asdict(self.settings),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
        }
        warned = False
        while True:
            try:
                write_checkpoint(self.folder, Checkpoint(self.weights.tensors(), facts), best)
            except DiskFullError as problem:
                if stop():
                    raise
                if not warned:
                    yield say("training_paused", problem=problem)
                    warned = True
                time.sleep(1)
            else:
                if warned:
                    yield say("room_again")
                return


def _check_same(there: dict, here: dict, folder: Path) -> None:
    # the time between checkpoints does not affect the weights
    different = [
        say("setting_was_and_is", key=key, before=there.get(key), now=value)
        for key, value in here.items()
        if key != "minutes" and there.get(key) != value
    ]
    if different:
        raise ValueError(say("run_with_other_settings", folder=folder, different="; ".join(different)))
