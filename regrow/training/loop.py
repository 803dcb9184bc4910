"""The training loop that every stage shares: rate, moving average, checkpoints, resuming, stopping."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from regrow.core.names import Decline, OptimizerName
from regrow.training.checkpoint import (
    Checkpoint,
    DiskFullError,
    optimizer_tensors,
    read_newest_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from regrow.training.distributed import Share, agree
from regrow.training.lr_schedule import Plan, factor, late, plan_of_steps, plan_of_time
from regrow.training.optimizer import make_optimizer

if TYPE_CHECKING:
    from accelerate import Accelerator


class DivergedError(ValueError):
    """The loss of this step is not finite; the weights that the run is left with must not be used."""

    def __init__(self, step: int, rate: float) -> None:
        super().__init__(
            f"The training diverged at step {step}, where its loss is no finite number any more: lower its rate, "
            f"which was {rate:g}."
        )
        self.step = step


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
class FitState:
    """Where a run stands.

    Attributes:
        step: steps done.
        steps: in all; None while a run by time has not yet planned its end.
        loss: of this step; None in a state that only brings notes.
        seconds: trained so far, over all resumptions.
        share: of the run that is done, 0 to 1.
        validation: loss of the averaged weights on held-out items, where it was just measured.
        notes: sentences for the user.
    """

    step: int
    steps: int | None
    loss: float | None
    seconds: float
    share: float
    validation: float | None = None
    notes: tuple[str, ...] = ()


LossAt = Callable[[nn.Module, Share], Tensor]
"""The mean loss over a share of a step's batch. It depends on nothing but this and the weights."""


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
    """Train the parameters of `module` that require gradients, in place; a state a step.

    Kill it at any moment and call it again with the same folder: it goes on from the newest undamaged checkpoint,
    and, on the same machine with as many threads, to the very same weights.

    Args:
        module: what is trained.
        loss_at: see `LossAt`.
        settings: see `Fit`.
        folder: where its checkpoints live; on several machines, one that they share.
        accelerator: of the devices and processes.
        plain: parameters that go to AdamW whatever their shape.
        look: called at checkpoints while the module holds the averaged weights; returns a loss on held-out items.
        stop: asked after every step; when true, a checkpoint is written and the run ends.

    Returns:
        Whether the run is complete; then the module holds the averaged weights.

    Raises:
        ValueError: the folder holds a run with other settings.
        DivergedError: the loss, a gradient or the averaged weights' loss is not finite; told after a state with that
            loss. No checkpoint is made of it, and those before it are untouched.
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
        loss = run.advance(network, loss_at)
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
    run.take_average()
    module.eval()
    return True


class _Run:
    """What changes while a run goes on."""

    def __init__(
        self,
        module: nn.Module,
        settings: Fit,
        folder: Path,
        accelerator: "Accelerator",
        plain: tuple[nn.Parameter, ...],
    ) -> None:
        module.to(accelerator.device)
        self.module, self.settings, self.folder, self.accelerator = module, settings, folder, accelerator
        self.optimizer = make_optimizer(module, settings.optimizer, settings.rate, settings.plain_rate, plain)
        self.trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self.trained.items()}
        self.step, self.seconds, self.best = 0, 0.0, float("inf")
        self.plan: Plan | None = plan_of_steps(settings.steps, settings.flat) if settings.steps else None

    def state(self, loss: float | None, validation: float | None = None, notes: tuple[str, ...] = ()) -> FitState:
        # a run by time may overrun its plan, when the machine gets busier than it was
        share = self.step / self.plan.ends_at if self.plan else self.seconds / self.settings.seconds
        steps = self.plan.ends_at if self.plan else None
        return FitState(self.step, steps, loss, self.seconds, min(1.0, share), validation, notes)

    def restore(self) -> tuple[str, ...]:
        found, notes = read_newest_checkpoint(self.folder)
        if found:
            _check_same(found.facts["settings"], asdict(self.settings), self.folder)
            self.step, self.seconds, self.best = (found.facts[key] for key in ("step", "seconds", "best"))
            self.plan = Plan(**found.facts["plan"]) if found.facts["plan"] else None
            for kind, tensors in (("model.", self.trained), ("ema.", self.average)):
                for name, tensor in tensors.items():
                    tensor.data.copy_(found.tensors[kind + name])
            restore_optimizer(self.optimizer, found.tensors)
            if self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(found.facts["scaler"])
            notes.append(f"Resuming at step {self.step}{f' of {self.plan.ends_at}' if self.plan else ''}.")
        return tuple(notes)

    def advance(self, network: Any, loss_at: LossAt) -> float | None:
        """One optimizer step; the loss over the whole batch. None, and weights as before, where it is not finite.

        All processes come to the same answer: the loss is their mean, and gradients were averaged before.
        """
        own, parts = self.accelerator.process_index, self.settings.accumulate
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor(self.step, self.plan, self.settings.warm_up, self.settings.decline)
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.accelerator.device)
        for part in range(parts):
            share = Share(
                self.step, late(self.step, self.plan), own * parts + part, self.accelerator.num_processes * parts
            )
            loss = loss_at(network, share) / parts
            # gradients travel between processes once a step, with the last part
            if part < parts - 1:
                with self.accelerator.no_sync(network):
                    self.accelerator.backward(loss)
            else:
                self.accelerator.backward(loss)
            total += loss.detach()
        mean = float(self.accelerator.reduce(total, "mean"))  # pyright: ignore[reportArgumentType]  # a tensor
        scaler = self.accelerator.scaler  # of fp16, whose gradients are too small to be told apart as they are
        if scaler:
            scaler.unscale_(self.optimizer)
        norm = float(torch.nn.utils.clip_grad_norm_(self.trained.values(), self.settings.clip))
        self.step += 1
        too_large = scaler is not None and scaler.get_scale() > 1  # then the scale is to blame, and goes down
        if not (math.isfinite(mean) and (math.isfinite(norm) or too_large)):
            return None
        if scaler:
            scaler.step(self.optimizer)
            scaler.update()
        else:
            self.optimizer.step()
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, p in self.trained.items():
                self.average[name].lerp_(p, 1 - decay)
        return mean

    def make_plan(self) -> bool:
        """Whether a run by time has just planned its end; all processes plan what the first one does."""
        if self.plan:
            return False
        plan = plan_of_time(self.step, self.seconds, self.settings.seconds, self.settings.flat)
        ends = int(agree(self.accelerator, plan.ends_at if plan else 0))
        self.plan = Plan(self.step, ends) if ends else None
        return bool(ends)

    def look(self, look: Callable[[nn.Module], float | None]) -> float | None:
        """Show the averaged weights, on the first process; the weights themselves come back untouched."""
        if not self.accelerator.is_main_process:
            return None
        kept = {name: p.detach().clone() for name, p in self.trained.items()}
        self.take_average()
        self.module.eval()
        with torch.no_grad():
            loss = look(self.module)
        self.module.train()
        for name, p in self.trained.items():
            p.data.copy_(kept[name])
        return loss

    def take_average(self) -> None:
        for name, p in self.trained.items():
            p.data.copy_(self.average[name])

    def save(self, validation: float | None, stop: Callable[[], bool]) -> Generator[str, None, None]:
        """Write a checkpoint; while the disk is full, say so and wait."""
        best = validation is not None and validation < self.best
        if best and validation is not None:
            self.best = validation
        if not self.accelerator.is_main_process:
            return
        tensors = {
            **{f"model.{name}": t for name, t in self.trained.items()},
            **{f"ema.{name}": t for name, t in self.average.items()},
            **optimizer_tensors(self.optimizer),
        }
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
                write_checkpoint(self.folder, Checkpoint(tensors, facts), best)
            except DiskFullError as problem:
                if stop():
                    raise
                if not warned:
                    yield f"Paused: {problem} Training goes on by itself when there is room."
                    warned = True
                time.sleep(1)
            else:
                if warned:
                    yield "There is room again; going on."
                return


def _check_same(there: dict, here: dict, folder: Path) -> None:
    # how often checkpoints are made changes no weights
    different = [
        f"{key} was {there.get(key)} and is {value}"
        for key, value in here.items()
        if key != "minutes" and there.get(key) != value
    ]
    if different:
        raise ValueError(f"{folder} holds a run with other settings ({'; '.join(different)}); choose another name.")
