"""The training loop that every stage shares: schedule of the rate, moving average, checkpoints, resuming."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from regrow.operations.checkpoint import (
    Checkpoint,
    optimizer_tensors,
    read_newest_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from regrow.operations.optimizer import MuonAdamW


@dataclass(frozen=True)
class Fit:
    """Settings of a run.

    Attributes:
        steps: optimizer steps in all.
        rate: Muon's peak learning rate.
        plain_rate: AdamW's peak learning rate, for biases, norms, embeddings and outputs.
        warm_up: steps over which the rate rises.
        flat: share of the steps after which the rate falls linearly to 0.
        ema: decay of the moving average of the weights.
        clip: the gradient's norm is cut to this.
        seconds_between_checkpoints: at most this much work is lost when the process is killed.
    """

    steps: int
    rate: float = 3e-3
    plain_rate: float = 1e-3
    warm_up: int = 50
    flat: float = 0.3
    ema: float = 0.998
    clip: float = 1.0
    seconds_between_checkpoints: float = 120.0

    def factor(self, step: int) -> float:
        """The share of the peak rate at a step."""
        rise = min(1.0, (step + 1) / self.warm_up)
        fall = (self.steps - step) / (self.steps * (1 - self.flat))
        return min(rise, fall, 1.0)


@dataclass(frozen=True)
class FitState:
    """After `step` of `steps` steps: the mean loss since the last state (None on resuming) and all seconds trained."""

    step: int
    steps: int
    loss: float | None
    seconds: float
    notes: tuple[str, ...] = ()


def fit(
    module: nn.Module,
    loss_at: Callable[[int], Tensor],
    settings: Fit,
    folder: Path,
    plain: tuple[nn.Parameter, ...] = (),
    every: int = 20,
) -> Iterator[FitState]:
    """Train `module` in place, yielding every so many steps; at the end it holds the averaged weights.

    Kill it at any moment and call it again with the same folder: it goes on from the newest undamaged
    checkpoint. Since `loss_at` may depend on nothing but the step (and the weights), the run that goes on is the
    run that was killed.

    Args:
        module: what is trained.
        loss_at: the loss of a step, as a function of the step's number.
        settings: see `Fit`.
        folder: where its checkpoints live.
        plain: parameters that go to AdamW whatever their shape.
        every: steps between two states.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a checkpoint could not be written; those before it are untouched.
    """
    optimizer = MuonAdamW(module, settings.rate, settings.plain_rate, plain)
    average = {name: p.detach().clone() for name, p in module.named_parameters()}
    found, notes = read_newest_checkpoint(folder)
    step, seconds = 0, 0.0
    if found:
        _check_same(found.facts["settings"], asdict(settings), folder)
        step, seconds = found.facts["step"], found.facts["seconds"]
        module.load_state_dict(_part(found.tensors, "model."))
        average = _part(found.tensors, "ema.")
        restore_optimizer(optimizer, found.tensors)
        notes.append(f"Resuming at step {step} of {settings.steps}.")
    total, counted = 0.0, 0
    saved = time.monotonic()
    started = saved - seconds
    module.train()
    if notes:
        yield FitState(step, settings.steps, None, seconds, tuple(notes))
    while step < settings.steps:
        optimizer.scale(settings.factor(step))
        optimizer.zero_grad()
        loss = loss_at(step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), settings.clip)
        optimizer.step()
        step += 1
        decay = min(settings.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, p in module.named_parameters():
                average[name].lerp_(p, 1 - decay)
        total, counted = total + loss.item(), counted + 1
        seconds = time.monotonic() - started
        if step == settings.steps or time.monotonic() - saved > settings.seconds_between_checkpoints:
            tensors = {
                **{f"model.{name}": t for name, t in module.state_dict().items()},
                **{f"ema.{name}": t for name, t in average.items()},
                **optimizer_tensors(optimizer),
            }
            facts = {"step": step, "seconds": seconds, "settings": asdict(settings)}
            write_checkpoint(folder, Checkpoint(tensors, facts))
            saved = time.monotonic()
        if step % every == 0 or step == settings.steps:
            yield FitState(step, settings.steps, total / counted, seconds)
            total, counted = 0.0, 0
    module.load_state_dict(average, strict=False)
    module.eval()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _check_same(there: dict, here: dict, folder: Path) -> None:
    different = [f"{key} was {there.get(key)} and is {value}" for key, value in here.items() if there.get(key) != value]
    if different:
        raise ValueError(f"{folder} holds a run with other settings ({'; '.join(different)}); choose another name.")
