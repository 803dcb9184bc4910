"""Dry run of a training: report what it would do, and measure how long that would take on this machine."""

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from regrow.core.progress import finish
from regrow.messages.message import say
from regrow.requests.train import Train
from regrow.training.checkpoint import read_newest_checkpoint
from regrow.training.denoiser_stage import DenoiserOf, coder_of
from regrow.training.distributed import make_accelerator
from regrow.training.runs import check_name, check_request, resumed, run_of
from regrow.training.settings import Staged
from regrow.training.stages import open_or_make, stages_of
from regrow.training.trained_weights import TrainedWeights
from regrow.training.training_data import to_batch

if TYPE_CHECKING:
    from accelerate import Accelerator

STEPS = 3


def rehearse(request: Train) -> tuple[dict[str, Any], list[str]]:
    """Return figures and sentences about the steps that remain; nothing is saved.

    Raises:
        ValueError, MediaError, ModelError: as the training itself would.
    """
    request = resumed(request)
    check_name(request)
    check_request(request)
    accelerator = make_accelerator(request.precision)
    sentences: list[str] = []
    facts: dict[str, Any] = {"stages": {}}
    with tempfile.TemporaryDirectory() as aside:
        model, data = finish(open_or_make(request, Path(aside) / "start"))
        sentences += [
            *data.notes,
            say("items_trained_on", count=data.trained_on, medium=model.medium, held_out=data.held_out),
        ]
        model.to(accelerator.device)
        for stage in stages_of(request):
            if isinstance(stage, DenoiserOf):
                if model.codec.part is not None:
                    some = to_batch(np.array(data.items[:8])).to(accelerator.device)
                    started = time.monotonic()
                    with accelerator.autocast():
                        coder_of(request, model).encode(some)
                    seconds = (time.monotonic() - started) / len(some) * len(data.items)
                    facts["encode"] = {"seconds": seconds}
                    sentences.append(say("encoding_planned", span=_span(seconds), medium=model.medium))
                latent = partial(_noise, model.latent_shape(*data.extent))
                staged = stage.stage(request, model, data, latent, accelerator)
            else:
                staged = finish(stage.prepare(request, model, data, accelerator))
            facts["stages"][stage.name] = found = _measure(staged, run_of(request.name) / stage.name, accelerator)
            after = say("after_those_done", count=found["done"]) if found["done"] else ""
            sentences.append(
                say(
                    "stage_planned",
                    name=stage.name,
                    trained=found["trained"] / 1e6,
                    whole=found["parameters"] / 1e6,
                    speed=found["rate"],
                    steps=found["steps"],
                    batch=staged.batch,
                    after=after,
                    span=_span(found["seconds"]),
                )
                if found["steps"]
                else say("stage_done", name=stage.name, steps=found["done"])
            )
            staged.module.requires_grad_(False)
    return facts, sentences


def _noise(shape: tuple[int, ...], chosen: np.ndarray) -> torch.Tensor:
    """Return arbitrary values of a latent's shape, as the speed does not depend on them."""
    return torch.ones(len(chosen), *shape)


def _measure(staged: Staged, folder: Path, accelerator: "Accelerator") -> dict[str, Any]:
    """Return the speed of a stage, and its remaining steps after the newest checkpoint in its folder."""
    settings = replace(staged.settings, rate=0.0, plain_rate=0.0)  # nothing is learned
    weights = TrainedWeights(staged.module, settings, accelerator, staged.plain)
    network = accelerator.prepare_model(staged.module)
    seconds = []
    for step in range(1 + STEPS):  # the first one is a warm-up
        started = time.monotonic()
        weights.step(network, staged.loss_at, step, None)
        seconds.append(time.monotonic() - started)
    each = sum(seconds[1:]) / STEPS
    held, _ = read_newest_checkpoint(folder)
    done = held.facts if held else {"step": 0, "seconds": 0.0, "plan": None}
    ends = done["plan"]["ends_at"] if done["plan"] else settings.steps
    steps = ends - done["step"] if ends else max(1, round((settings.seconds - done["seconds"]) / each))
    return {
        "parameters": sum(p.numel() for p in staged.module.parameters()),
        "trained": sum(p.numel() for p in staged.module.parameters() if p.requires_grad),
        "rate": staged.batch / each,
        "done": done["step"],
        "steps": steps,
        "seconds": steps * each,
    }


def _span(seconds: float) -> str:
    """Return a duration as text: "1 h 20 min", "3 min" or "8 s"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return (
        say("span_minutes", minutes=minutes)
        if minutes < 60
        else say("span_hours", hours=minutes // 60, minutes=minutes % 60)
    )
