"""Edit: rewind a picture to noise, and let it grow back under other words."""

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.inversion import Trajectory
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.solvers import ddim, make_step, solve
from regrow.families.model import Model
from regrow.media.distance import psnr, ssim
from regrow.media.files import MediaError
from regrow.media.framing import unfit
from regrow.operations.cautions import about_picture, about_words
from regrow.operations.invert import describe, open_picture, path_of, source_denoiser, watched
from regrow.operations.progress import Progress
from regrow.operations.recipe import Recipe, make_recipe
from regrow.operations.requests import Edit
from regrow.operations.trajectories import from_cache, load_trajectory, to_cache


@dataclass(frozen=True)
class Edited:
    """Edited pictures.

    Attributes:
        pictures: of the input's own size, in [-1, 1]; one `3 h w` a wish.
        frames: the same as the model made them, `b 3 y x`.
        original: the input in the model's frame, `3 y x`.
        codec: what the model's codec alone makes of it: the limit of every method.
        recipes: one a wish.
        reused: whether the path came from the cache or a file.
        notes: sentences on what was done to the picture.
    """

    pictures: tuple[Float[Tensor, "3 h w"], ...]
    frames: Float[Tensor, "b 3 y x"]
    original: Float[Tensor, "3 y x"]
    codec: Float[Tensor, "3 y x"]
    recipes: tuple[Recipe, ...]
    reused: bool
    notes: tuple[str, ...]


def edit(request: Edit, model: Model) -> Generator[Progress, None, Edited]:
    """Edit a picture; with target = source, anchored gives the codec's own round trip.

    Raises:
        MediaError: the picture or the trajectory cannot be used.
        ValueError: a setting is out of range.
    """
    started = time.monotonic()
    picture, fitted, notes = open_picture(request.image, model, request.frame, request.size)
    latents = model.encode(fitted.pixels[None])
    levels = model.schedule.grid(request.steps, request.spacing)
    levels = levels[len(levels) - 1 - request.walked :]
    count = len(request.target)
    seeds = [request.seed + i for i in range(count)]
    inverting, reused = 0, False
    if request.method == "img2img":
        x = levels[0].alpha * latents + levels[0].sigma * noise(latents.shape[1:], seeds).to(latents)
        step = make_step("ddim", request.eta, seeds)
    else:
        trajectory, inverting, reused = yield from _trajectory(request, model, latents, levels)
        x = trajectory.at(levels[0]).expand(count, *latents.shape[1:])
        step = trajectory.back(make_step("ddim", request.eta, seeds) if request.eta else ddim)
    guided = request.guidance != 1
    negative = request.source if request.negative is None else request.negative
    denoise = Counted(
        model.denoiser(
            model.condition(request.target), model.condition([negative] * count) if guided else None, request.guidance
        ),
        1 + guided,
    )
    for state in solve(step, denoise, x, levels):
        x = state.x
        yield Progress("regrow", state.index, state.steps, x)
    frames, codec = model.decode(x), model.decode(latents)[0]
    notes += about_words(model, [request.source, *request.target, request.negative or ""])
    notes += about_picture(model, fitted.pixels, codec, request.image.name)
    seconds = round(time.monotonic() - started, 2)
    whole = tuple(unfit(frame, fitted.placement, picture.pixels) for frame in frames)
    recipes = []
    for i, (frame, result) in enumerate(zip(frames, whole, strict=True)):
        figures = {
            "evaluations": {"inversion": inverting, "regrowth": denoise.evaluations},
            "seconds": seconds,
            "to_source": distances(frame, fitted.pixels),
            "to_codec": distances(frame, codec),
        }
        recipes.append(make_recipe(request, model, result, i, figures))
    return Edited(whole, frames, fitted.pixels, codec, tuple(recipes), reused, notes)


def distances(a: Float[Tensor, "3 h w"], b: Float[Tensor, "3 h w"]) -> dict[str, float | None]:
    """PSNR in dB (None where the two are equal) and SSIM of two pictures in [-1, 1]."""
    decibels = float(psnr(a, b))
    return {"psnr": None if math.isinf(decibels) else round(decibels, 2), "ssim": round(float(ssim(a, b)), 4)}


def _trajectory(
    request: Edit, model: Model, latents: Float[Tensor, "1 c h w"], levels: Sequence[Level]
) -> Generator[Progress, None, tuple[Trajectory, int, bool]]:
    """The inverted path up to `levels[0]`, the evaluations it took, and whether it was there already."""
    made_of = describe(request, model)
    if request.trajectory:
        return _from_file(request.trajectory, made_of, levels[0]), 0, True
    if request.cache and (kept := from_cache(made_of, levels[0])):
        return kept, 0, True
    if request.method == "img2img":
        raise ValueError("img2img inverts nothing.")
    denoise = Counted(
        source_denoiser(model, request.source, request.invert_guidance), 1 + (request.invert_guidance != 1)
    )
    walk = path_of(request.method, denoise, latents, levels[::-1], request.label, request.tolerance)
    trajectory = yield from watched(walk, "invert")
    if request.cache:
        to_cache(made_of, trajectory)
    return trajectory, denoise.evaluations, False


def _from_file(path: Path, made_of: dict, start: Level) -> Trajectory:
    trajectory, there = load_trajectory(path)
    different = sorted(key for key, value in made_of.items() if there.get(key) != _as_json(value))
    if different:
        raise MediaError(
            f"{path} was inverted with another {', '.join(different)}; give the same settings, or invert again."
        )
    if start not in trajectory.levels:
        raise MediaError(f"{path} does not reach up to this strength; invert again.")
    return trajectory


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
