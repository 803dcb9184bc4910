"""Invert a picture or a sound to the noise from which the model would generate it."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.methods.method import Origin, PathSettings
from regrow.core.methods.naive import naive
from regrow.core.methods.registry import method
from regrow.core.progress import Progress
from regrow.core.solvers import last, solve
from regrow.core.trajectory import Progress as InversionProgress
from regrow.core.trajectory import Trajectory
from regrow.editing.songs.score import scored_path
from regrow.media.files import file_hash
from regrow.media.medium import medium_of
from regrow.models.denoising import in_tiles
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert


@dataclass(frozen=True)
class Inverted:
    """An inverted file.

    Attributes:
        trajectory: the path.
        made_of: what it depends on, for `save_trajectory`.
        evaluations: network calls that the inversion took.
        seconds: it took.
        round_trip: RMS in the latent between the start and what walking back gives.
        latent_accuracy: relative RMS between the noise found and that of the reference; None if left out.
        notes: sentences on what was done to the file.
    """

    trajectory: Trajectory
    made_of: dict[str, Any]
    evaluations: int
    seconds: float
    round_trip: float
    latent_accuracy: float | None
    notes: tuple[str, ...]


def describe(request: Invert | Edit, model: Model) -> dict[str, Any]:
    """Return what an inverted path depends on: two requests that agree in this share the path."""
    names = ("source", "steps", "spacing", "label", "tolerance", "frame", "size")
    chosen = method(request.method)
    made_of = {
        "model": model.content_hash,
        "input": file_hash(request.image),
        "dtype": "torch.float8_e4m3fn" if model.parts.placement.float8 else str(model.dtype),
        "method": chosen.path,
        "guidance": request.invert_guidance if isinstance(request, Edit) else request.guidance,
        **{name: getattr(request, name) for name in names},
    }
    if request.frame == "auto":  # only of sounds, whose paths say so since before there was another default
        made_of["frame"] = "crop"
    if isinstance(request, Edit) and model.note_conditioning is not None:
        made_of["notes"] = request.notes
    if model.waves is not None and request.normalize == "on":
        made_of["normalize"] = request.normalize
    if model.reads_scores:  # which are lengthened for a longer tune
        made_of["frames"] = model.size[-1]
    if model.engine:
        made_of["engine"] = model.engine.name
    if request.tiles:
        made_of["tiles"] = True
    if isinstance(request, Edit) and request.frame == "region":  # which the frame is cut out around
        file = request.mask if isinstance(request.mask, Path) else None
        made_of["region"] = [request.region, file_hash(file) if file else None, request.feather]
    if chosen.seed_in_key:
        made_of["seed"] = request.seed
    if chosen.start_in_key:
        made_of["steps_back"] = request.steps_back if isinstance(request, Edit) else request.steps
    return made_of


def invert(request: Invert, model: Model) -> Generator[Progress, None, Inverted]:
    """Invert a file up to the noisiest level, and measure round trip and latent accuracy.

    Raises:
        MediaError: the file cannot be read or fitted.
        ValueError: a setting is out of range, or the file is not of the model's medium.
    """
    started = time.monotonic()
    medium = medium_of(request.image)
    medium.check(request, model)
    chosen = method(request.method)
    if chosen.follows_path:
        model.require_path(chosen.name)
    request, model = scored_path(request, model)
    frame = medium.load(request.image, model, request)
    request = replace(request, **frame.settings)
    model = in_tiles(model.of_length(frame.content.shape[-1]), request.tiles)
    latents = model.encode(frame.content[None])
    denoise = source_denoiser(model, request.source, request.guidance)
    levels = model.grid(request.steps, request.spacing, latents.shape[1:])[::-1]
    assert chosen.invert, "the request holds methods that invert nothing off"
    settings = PathSettings(request.label, request.tolerance, [request.seed])
    trajectory = yield from watched(chosen.invert(denoise, latents, levels, settings), "invert")
    evaluations, seconds = denoise.evaluations, time.monotonic() - started
    step = chosen.back(Origin(latents, [request.seed], lambda: denoise, trajectory))
    back = last(solve(step, denoise, trajectory.states[-1], levels[::-1]))
    accuracy = None
    if request.reference and model.deterministic_path:
        fine = model.grid(request.reference, request.spacing, latents.shape[1:])[::-1]
        true = yield from watched(naive(denoise, latents, fine), "reference")
        accuracy = _relative(trajectory.states[-1], true.states[-1])
    return Inverted(
        trajectory, describe(request, model), evaluations, round(seconds, 2),
        float((back - latents).square().mean().sqrt()), accuracy, frame.notes,
    )  # fmt: skip


def source_denoiser(model: Model, source: str, guidance: float) -> Counted:
    """The denoiser that inverts, counted: under the source prompt, guided away from no words if guidance is not 1."""
    return Counted(model.denoiser(model.condition([source]), guidance=guidance), model.evaluations(guidance, None))


def watched(walk: Iterator[InversionProgress], part: str) -> Generator[Progress, None, Trajectory]:
    """Yield an inversion's progress under a name, and return its trajectory."""
    trajectory = None
    for progress in walk:
        trajectory = progress.trajectory
        yield Progress(part, progress.index, progress.steps, progress.x)
    assert trajectory, "an inversion's last state carries its trajectory"
    return trajectory


def _relative(a: Float[Tensor, " b *rest"], b: Float[Tensor, " b *rest"]) -> float:
    return float((a - b).square().mean().sqrt() / b.square().mean().sqrt())
