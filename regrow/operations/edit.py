"""Edit: rewind a picture to noise, and let it grow back under other words."""

import math
import time
from collections.abc import Generator
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from regrow.core.solvers import solve
from regrow.families.model import Model
from regrow.media.distance import psnr, ssim
from regrow.media.framing import unfit
from regrow.operations.cautions import about_picture, about_words
from regrow.operations.invert import open_picture
from regrow.operations.progress import Progress
from regrow.operations.recipe import Recipe, make_recipe
from regrow.operations.regrowth import prepare
from regrow.operations.requests import Edit


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
    start = yield from prepare(request, model, latents, levels)
    x = start.x
    for state in solve(start.step, start.denoise, x, levels):
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
            "evaluations": {"inversion": start.prepared, "regrowth": start.evaluations}
            | ({"gradients": start.gradients} if start.gradients else {}),
            "seconds": seconds,
            "to_source": distances(frame, fitted.pixels),
            "to_codec": distances(frame, codec),
        }
        recipes.append(make_recipe(request, model, result, i, figures))
    return Edited(whole, frames, fitted.pixels, codec, tuple(recipes), start.reused, notes)


def distances(a: Float[Tensor, "3 h w"], b: Float[Tensor, "3 h w"]) -> dict[str, float | None]:
    """PSNR in dB (None where the two are equal) and SSIM of two pictures in [-1, 1]."""
    decibels = float(psnr(a, b))
    return {"psnr": None if math.isinf(decibels) else round(decibels, 2), "ssim": round(float(ssim(a, b)), 4)}
