"""A rehearsal of a training: what it would do, and how long that would take on this machine, measured."""

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from regrow.core.progress import finish
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
    """Figures for machines and sentences for people, of what is left to do; nothing is kept.

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
        sentences += [*data.notes, f"{data.trained_on} {model.medium}s to train on, {data.held_out} held out"]
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
                    sentences.append(f"encode: {_span(seconds)}, once for these {model.medium}s and this codec")
                latent = partial(_noise, model.latent_shape(*data.extent))
                staged = stage.stage(request, model, data, latent, accelerator)
            else:
                staged = finish(stage.prepare(request, model, data, accelerator))
            facts["stages"][stage.name] = found = _measure(staged, run_of(request.name) / stage.name, accelerator)
            after = f" after the {found['done']} that are done" if found["done"] else ""
            sentences.append(
                f"{stage.name}: {found['trained'] / 1e6:.1f} of {found['parameters'] / 1e6:.1f} million parameters, "
                f"{found['rate']:.1f} samples a second here; {found['steps']} steps of {staged.batch}{after} "
                f"in {_span(found['seconds'])}"
                if found["steps"]
                else f"{stage.name}: done, all {found['done']} steps of it"
            )
            staged.module.requires_grad_(False)
    return facts, sentences


def _noise(shape: tuple[int, ...], chosen: np.ndarray) -> torch.Tensor:
    """Something of a latent's shape: speed does not depend on what it is."""
    return torch.ones(len(chosen), *shape)


def _measure(staged: Staged, folder: Path, accelerator: "Accelerator") -> dict[str, Any]:
    """The speed of a stage, and what is left of it after the newest checkpoint in its folder."""
    settings = replace(staged.settings, rate=0.0, plain_rate=0.0)  # nothing is learned
    weights = TrainedWeights(staged.module, settings, accelerator, staged.plain)
    network = accelerator.prepare_model(staged.module)
    seconds = []
    for step in range(1 + STEPS):  # the first one sets up
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
    """ "1 h 20 min", "3 min", "8 s"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
