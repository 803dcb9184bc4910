"""Generate: new pictures from words."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.guidance import GuidanceInterval, limit_of
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.progress import Progress
from regrow.core.solvers import make_step, solve
from regrow.editing.recipe import Recipe, make_recipe
from regrow.models.model import Condition, Model
from regrow.prompts.expand_generate import in_full
from regrow.prompts.input_warnings import about_words
from regrow.requests.generate import Generate


@dataclass(frozen=True)
class Generated:
    """Pictures `b 3 h w` in [-1, 1], the recipe of each, and sentences for the user."""

    pictures: Float[Tensor, "b 3 h w"]
    recipes: tuple[Recipe, ...]
    notes: tuple[str, ...] = ()


def generate(request: Generate, model: Model) -> Generator[Progress, None, Generated]:
    """Grow pictures from noise.

    Raises:
        ValueError: a setting is out of range, or the size does not fit the model.
    """
    started = time.monotonic()
    if model.medium != "picture":
        raise ValueError(f"{model.name} makes {model.medium}s, not pictures.")
    if request.duration is not None or request.loop or request.melody:
        raise ValueError(f"{model.name} makes pictures; duration, loop and melody are for sounds (--model bandstand).")
    height, width = request.size or model.size
    if height % model.multiple or width % model.multiple:
        raise ValueError(f"size must be multiples of {model.multiple} for this model; got {height} x {width}.")
    full = in_full(request, model)
    x, evaluations = yield from grow(request, model, full.prompts, model.latent_shape(height, width))
    pictures = model.decode(x)
    figures = {"evaluations": evaluations, "seconds": round(time.monotonic() - started, 2)}
    recipes = [make_recipe(request, model, picture, i, figures) for i, picture in enumerate(pictures)]
    return Generated(pictures, tuple(recipes), full.notes + about_words(model, [request.prompt, request.negative]))


def grow(
    request: Generate, model: Model, prompts: Sequence[str], shape: tuple[int, int, int]
) -> Generator[Progress, None, tuple[Float[Tensor, "b c h w"], int]]:
    """Latents of this shape `c h w` from noise, one a prompt, and the evaluations that each took."""
    seeds = [request.seed + i for i in range(request.count)]
    levels = model.schedule.grid(request.steps, request.spacing)
    denoise = guided(request, model, model.condition(prompts), levels)
    # pure noise has standard deviation 1 whatever the last level's sigma: what the networks are trained on
    x = noise(shape, seeds)
    for state in solve(make_step(request.solver, request.eta, seeds), denoise, x, levels):
        x = state.x
        yield Progress("generate", state.index, state.steps, x)
    return x, denoise.evaluations


def guided(
    request: Generate, model: Model, condition: Condition, levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """The network under 1 prompt, or one a sample, guided as the request says."""
    plain = Counted(model.denoiser(condition, closed=request.loop))
    if request.guidance == 1:
        return plain
    pair = model.denoiser(condition, model.condition([request.negative]), request.guidance, request.loop)
    return GuidanceInterval(Counted(pair, 2), plain, limit_of(levels, request.guidance_share))
