"""Invert: from a picture or a sound to the noise that the model's own path would have grown it from."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from regrow.core import inversion
from regrow.core.denoiser import Counted, Denoiser
from regrow.core.inversion import Trajectory
from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.methods import exact
from regrow.core.methods.edit_friendly import PosteriorMean, edit_friendly
from regrow.core.methods.uni_inv import uni_inv
from regrow.core.names import InversionName, LabelConvention
from regrow.core.progress import Progress
from regrow.core.solvers import Step, ddim, last, solve
from regrow.media.files import file_hash
from regrow.media.medium import medium_of
from regrow.models.model import Model
from regrow.requests.requests import PATHS, Edit, Invert


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


def path_of(
    method: InversionName,
    denoise: Denoiser,
    latents: Tensor,
    levels: Sequence[Level],
    label: LabelConvention,
    tolerance: float,
    seeds: Sequence[int] = (0,),
) -> Iterator[inversion.Progress]:
    """One of the inversion methods by name; `step_back` has its other half.

    Args:
        method: its name.
        denoise: the network under the words that describe the latents.
        latents: shape `b *rest`.
        levels: from clean to noisy.
        label: of naive.
        tolerance: of fixed_point.
        seeds: of the edit_friendly methods, one a sample.

    Raises:
        ValueError: an unknown name, or a label convention that the method does not have.
    """
    if method == "naive":
        return inversion.naive(denoise, latents, levels, label=label)
    if method != "fixed_point" and label != "leaves":
        raise ValueError(f"{method} needs label=leaves; only naive has the choice.")
    if method == "anchored":
        return inversion.anchored(denoise, latents, levels)
    if method == "fixed_point":
        return inversion.fixed_point(denoise, latents, levels, tolerance)
    if method == "edict":
        return exact.edict(denoise, latents, levels)
    if method == "belm":
        return exact.belm(denoise, latents, levels)
    if method == "reversible":
        return exact.reversible(denoise, latents, levels)
    if method in ("edit_friendly", "edit_friendly_2m"):
        return edit_friendly(denoise, latents, levels, seeds, multistep=method == "edit_friendly_2m")
    if method == "uni_inv":
        return uni_inv(denoise, latents, levels)
    raise ValueError(f"Unknown inversion {method!r}; regrow has {', '.join(inversion.INVERSIONS)}.")


def step_back(method: InversionName, trajectory: Trajectory, step: Step = ddim, hold: Hold | None = None) -> Step:
    """A fresh step that walks a method's path back, under the same words or others.

    Args:
        method: that made the path.
        trajectory: the path.
        step: of the methods whose way back is any solver's: those of `core.inversion` and uni_inv.
        hold: where the sample is put back onto the path after every step; None nowhere.
    """
    if method == "edict":
        back = exact.EdictBack(trajectory, hold)
    elif method == "belm":
        back = exact.BelmBack(trajectory)
    elif method == "reversible":
        back = exact.ReversibleBack(trajectory, hold)
    elif method in ("edit_friendly", "edit_friendly_2m"):
        back = trajectory.back(PosteriorMean(multistep=method == "edit_friendly_2m"))
    else:
        back = trajectory.back(step)
    return Held(back, hold, trajectory.at) if hold else back


def describe(request: Invert | Edit, model: Model) -> dict[str, Any]:
    """What an inverted path depends on: two requests that agree in this share the path."""
    names = ("source", "steps", "spacing", "label", "tolerance", "frame", "size")
    method = PATHS[request.method]
    made_of = {
        "model": model.content_hash,
        "input": file_hash(request.image),
        "dtype": str(model.dtype),
        "method": method,
        "guidance": request.invert_guidance if isinstance(request, Edit) else request.guidance,
        **{name: getattr(request, name) for name in names},
    }
    if isinstance(request, Edit) and model.note_conditioning is not None:
        made_of["notes"] = request.notes
    if model.engine:
        made_of["engine"] = model.engine.name
    if method in ("edit_friendly", "edit_friendly_2m"):
        made_of["seed"] = request.seed
    if method == "edit_friendly_2m":  # its first step back is unlike the others, so a path holds from its own end alone
        made_of["walked"] = request.steps_back if isinstance(request, Edit) else request.steps
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
    frame = medium.load(request.image, model, request)
    latents = model.encode(frame.content[None])
    denoise = Counted(source_denoiser(model, request.source, request.guidance), 1 + (request.guidance != 1))
    levels = model.schedule.grid(request.steps, request.spacing)[::-1]
    walk = path_of(request.method, denoise, latents, levels, request.label, request.tolerance, [request.seed])
    trajectory = yield from watched(walk, "invert")
    evaluations, seconds = denoise.evaluations, time.monotonic() - started
    back = last(solve(step_back(request.method, trajectory), denoise, trajectory.states[-1], levels[::-1]))
    accuracy = None
    if request.reference:
        fine = model.schedule.grid(request.reference, request.spacing)[::-1]
        true = yield from watched(inversion.naive(denoise, latents, fine), "reference")
        accuracy = _relative(trajectory.states[-1], true.states[-1])
    return Inverted(
        trajectory, describe(request, model), evaluations, round(seconds, 2),
        float((back - latents).square().mean().sqrt()), accuracy, frame.notes,
    )  # fmt: skip


def source_denoiser(model: Model, source: str, guidance: float) -> Denoiser:
    """The denoiser that inverts: under the source's words, guided against no words where guidance is not 1."""
    negative = None if guidance == 1 else model.condition([""])
    return model.denoiser(model.condition([source]), negative, guidance)


def watched(walk: Iterator[inversion.Progress], part: str) -> Generator[Progress, None, Trajectory]:
    """Yield an inversion's progress under a name, and return its trajectory."""
    trajectory = None
    for progress in walk:
        trajectory = progress.trajectory
        yield Progress(part, progress.index, progress.steps, progress.x)
    assert trajectory, "an inversion's last state carries its trajectory"
    return trajectory


def _relative(a: Float[Tensor, " b *rest"], b: Float[Tensor, " b *rest"]) -> float:
    return float((a - b).square().mean().sqrt() / b.square().mean().sqrt())
