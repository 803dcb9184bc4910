"""Edit: rewind a picture to noise, and let it grow back under other words."""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jaxtyping import Float
from torch import Tensor

from regrow.core.masks import Hold
from regrow.core.progress import Progress
from regrow.core.solvers import solve
from regrow.editing.codec_cache import seen
from regrow.editing.edit_plan import EditCache, EditItem, items_of, prepare
from regrow.editing.invert import open_picture
from regrow.editing.recipe import Recipe, make_recipe
from regrow.editing.region import Region, region_of
from regrow.editing.steps import with_steps
from regrow.editing.strength import settle
from regrow.media.image.distance import psnr, ssim
from regrow.media.image.framing import Placement, apply, unfit
from regrow.media.image.masking import frame_edge, paste, softened
from regrow.models.model import Model
from regrow.prompts.describe import with_source
from regrow.prompts.expand_edit import with_details
from regrow.prompts.input_warnings import about_picture, about_words
from regrow.requests.edit import Edit


@dataclass(frozen=True)
class Edited:
    """Edited pictures.

    Attributes:
        pictures: of the input's own size, in [-1, 1]; one `3 h w` a wish.
        frames: the same in the model's frame, `b 3 y x`.
        original: the input in the model's frame, `3 y x`.
        codec: what the model's codec alone makes of it: the limit of every method.
        recipes: one a wish.
        reused: whether the path came from the cache or a file.
        notes: sentences on what was done to the picture.
        region: where it was allowed to change; None where everywhere.
        words: the full sentences that the model was told instead, by the request's words; empty if it was told those.
    """

    pictures: tuple[Float[Tensor, "3 h w"], ...]
    frames: Float[Tensor, "b 3 y x"]
    original: Float[Tensor, "3 y x"]
    codec: Float[Tensor, "3 y x"]
    recipes: tuple[Recipe, ...]
    reused: bool
    notes: tuple[str, ...]
    region: Region | None = None
    words: Mapping[str, str] = field(default_factory=dict)


def edit(
    request: Edit, model: Model, items: Sequence[EditItem] = (), edit_cache: EditCache | None = None
) -> Generator[Progress, None, Edited]:
    """Edit a picture; with target = source, direct_inversion gives the codec's own round trip.

    Args:
        request: what is asked for.
        model: the checkpoint.
        items: the pictures of the batch, if they are not one a wish: of any of its targets, of several guidances.
        edit_cache: what was found out about this picture before.

    Raises:
        MediaError: the picture or the trajectory cannot be used.
        ValueError: a setting is out of range.
    """
    started = time.monotonic()
    if request.span is not None:
        raise ValueError("span is for sounds: say where a picture may change by region or mask.")
    picture, fitted, notes = open_picture(request.image, model, request.frame, request.size)
    request, steps = with_steps(request, model)
    known = seen(model, fitted.pixels, request.cache)
    latents, codec = known.latents, known.codec
    request, source_notes = with_source(request, model, fitted.pixels, latents)
    full, words, filled = with_details(request, model, latents)
    full, why, searched = yield from settle(full, model, latents)
    request = replace(request, strength=full.strength)
    levels = model.schedule.grid(steps, request.spacing)
    levels = levels[len(levels) - 1 - request.steps_back :]
    edit_cache = edit_cache or EditCache()
    items = tuple(replace(one, target=words.get(one.target, one.target)) for one in items or items_of(request))
    targets = [one.target for one in items]
    region = yield from region_of(full, model, fitted, latents, targets, edit_cache.shapes)
    hold = Hold(region.latents, levels) if region else None
    start = yield from prepare(full, model, latents, levels, hold, items, edit_cache)
    x = start.x
    for state in solve(start.step, start.denoise, x, levels):
        x = state.x
        yield Progress("regrow", state.index, state.steps, x)
    frames = model.decode(x)
    whole = unfit(frames, fitted.placement, picture.pixels)
    weight = _weight(region, fitted.placement, request.feather)
    if weight is not None:
        whole = paste(whole, picture.pixels, weight)
    if region:  # what the model made outside it is of no interest
        frames, notes = apply(whole, fitted.placement), notes + region.notes
    notes += (*source_notes, *filled) + ((why,) if why else ())
    notes += about_words(model, [request.source, *request.target, request.negative or ""])
    notes += about_picture(model, fitted.pixels, codec, request.image.name)
    seconds = round(time.monotonic() - started, 2)
    recipes = []
    for i, (frame, result) in enumerate(zip(frames, whole, strict=True)):
        figures = {
            "evaluations": {"inversion": start.prepared, "regrowth": start.evaluations}
            | ({"gradients": start.gradients} if start.gradients else {})
            | ({"mask": region.evaluations} if region and region.evaluations else {})
            | ({"strength": searched} if searched else {}),
            "seconds": seconds,
            "to_source": distances(frame, fitted.pixels),
            "to_codec": distances(frame, codec),
        }
        recipe = make_recipe(request, model, result, i, figures)
        recipes.append(recipe | ({"mask": region.facts(i)} if region else {}))
    return Edited(tuple(whole), frames, fitted.pixels, codec, tuple(recipes), start.reused, notes, region, words)


def _weight(region: Region | None, placement: Placement, feather: float) -> Float[Tensor, "m 1 h w"] | None:
    """By how much the result is pasted into the picture; None where it is the picture."""
    reach = round(feather * min(placement.original))
    edge = frame_edge(placement, reach) if placement.source.size != placement.original else None
    if region is None:
        return None if edge is None else edge[None]
    weight = softened(region.pixels, reach)
    return weight if edge is None else weight * edge


def distances(a: Float[Tensor, "3 h w"], b: Float[Tensor, "3 h w"]) -> dict[str, float | None]:
    """PSNR in dB (None where the two are equal) and SSIM of two pictures in [-1, 1]."""
    decibels = float(psnr(a, b))
    return {"psnr": None if math.isinf(decibels) else round(decibels, 2), "ssim": round(float(ssim(a, b)), 4)}
