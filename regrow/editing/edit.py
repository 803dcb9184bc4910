"""Edit a picture or a sound: invert it to noise, and regenerate it under another prompt."""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from regrow.core.masks import Hold
from regrow.core.progress import Progress, walk
from regrow.editing.codec_cache import through_codec
from regrow.editing.edit_plan import EditCache, EditItem, EditPlan, items_of, prepare
from regrow.editing.edit_words import prompts_of
from regrow.editing.melody import as_requested
from regrow.editing.recipe import make_recipe
from regrow.editing.region import region_of
from regrow.editing.result import Operation, Result
from regrow.editing.songs.accompany import band_in, moved, put_below, voice_alone
from regrow.editing.songs.ending import cut_to_scores
from regrow.editing.songs.loudness import at_sung_level
from regrow.editing.songs.lyrics import as_songs
from regrow.editing.songs.score import scored_edit
from regrow.editing.source_picture import shown_known, shown_source
from regrow.editing.steps import with_own_method, with_steps, without_guidance
from regrow.editing.strength import settle
from regrow.media.audio.fitting import SoundFrame, lengthened
from regrow.media.audio.voice import HOP
from regrow.media.frame import Distance
from regrow.media.medium import medium_of
from regrow.messages.message import say
from regrow.models.denoising import in_tiles
from regrow.models.memory.codec_room import with_codec_room
from regrow.models.memory.words import with_words
from regrow.models.model import Model
from regrow.prompts.describe import with_source
from regrow.prompts.expand_edit import with_expanded_prompts
from regrow.prompts.input_warnings import about_codec, about_embeddings, has_words
from regrow.requests.edit import Edit


class EditedLatents(NamedTuple):
    """Edited latents, and their plan, which counts the evaluations."""

    x: Float[Tensor, "b c *cells"]
    plan: EditPlan


def edit(
    request: Edit, model: Model, items: Sequence[EditItem] = (), edit_cache: EditCache | None = None
) -> Generator[Progress, None, Result]:
    """Edit a picture or a sound of any size; with target = source, direct_inversion returns the codec's reconstruction.

    Args:
        request: the file, the targets and the settings.
        model: the checkpoint.
        items: the results of the batch, if they are not one per target, such as several guidances of a target.
        edit_cache: inverted paths and masks of earlier edits of this file.

    Raises:
        MediaError: the file, its mask or the trajectory cannot be used.
        ValueError: a setting is out of range, or the file is not of the model's medium.
    """
    started, model = time.monotonic(), model.batched(request.normalize == "off")
    medium = medium_of(request.image)
    medium.check(request, model)
    request, model, score_notes = scored_edit(request, model)
    frame, band = medium.load(request.image, model, request), None
    if isinstance(frame, SoundFrame) and model.reads_scores:
        frame, band = at_sung_level(request.image, frame, band_in(request.image), model)
        frame = lengthened(frame, model.size[-1])  # another tune may be longer
    file = frame
    frame, below = yield from voice_alone(file, band)
    request = replace(request, **frame.settings)
    request, method_notes = with_own_method(request, model)
    request, _ = with_steps(request, model)
    request, own_notes = without_guidance(request, model)
    model = in_tiles(model.of_length(frame.content.shape[-1]), request.tiles)
    model, room_notes = with_codec_room(model, len(items or request.target), frame.content.shape[1:])
    latents, codec = through_codec(model, frame.content, request.cache)
    model, kept_notes = as_requested(request, model, frame.content)
    request, source_notes = with_source(request, model, frame.content, latents)
    # but for a reconstruction, whose target is the source, be it empty
    if (
        model.takes_words
        and not request.to_lyrics
        and not all(has_words(target) or target == request.source for target in request.target)
    ):
        raise ValueError(say("target_is_empty"))
    expanded = as_songs(with_expanded_prompts(request, model, latents), request, model)
    prompts = expanded.prompts
    items = tuple(replace(one, target=prompts.get(one.target, one.target)) for one in items or items_of(request))
    items = items if model.own.is_guided else tuple(replace(one, guidance=1.0) for one in items)
    targets = [one.target for one in items]
    model = shown_source(request, model, frame.content[None], latents)
    model = with_words(model, prompts_of(expanded.request, targets, model.no_words))
    full, why, searched = yield from settle(expanded.request, model, latents)
    request = replace(request, strength=full.strength)
    edit_cache = edit_cache or EditCache()
    region = yield from region_of(full, model, frame, latents, targets, edit_cache.shapes)
    mask = region.latents if region else None
    shown = shown_known(full, model, frame.content[None], latents, region)
    x, plan = yield from edit_latents(full, shown, latents, mask, items, edit_cache)
    restored = medium.restore(frame, model.decode(x), model, request, region)
    other = moved(band, request.target[0], frame.content.shape[-1] * HOP)
    results = yield from put_below(restored.items, file, frame, below, other)
    if model.reads_scores and restored.rate:
        results = cut_to_scores(results, targets, restored.rate)
    notes = (
        *score_notes,
        *frame.notes,
        *room_notes,
        *method_notes,
        *own_notes,
        *_about_no_change(request, model),
        *(region.notes if region else ()),
        *source_notes,
        *expanded.notes,
    ) + ((why,) if why else ())
    notes += about_codec(model, frame.content, codec, request.image.name) + about_embeddings(model, request)
    figures: dict[str, Any] = {
        "evaluations": {"inversion": plan.prepared, "regrowth": plan.evaluations}
        | ({"gradients": plan.gradients} if plan.gradients else {})
        | ({"mask": region.evaluations} if region and region.evaluations else {})
        | ({"strength": searched} if searched else {}),
        "seconds": round(time.monotonic() - started, 2),
    }
    if band:
        figures |= (other or band).facts
    if kept_notes is not None:
        figures["notes"] = len(kept_notes)
    recipes = []
    for i, (shown, item) in enumerate(zip(restored.frames, results, strict=True)):
        distances: dict[str, Distance] = {
            "to_source": medium.distance(shown, frame.content, model),
            "to_codec": medium.distance(shown, codec, model),
        }
        recipe = make_recipe(request, model, item, i, figures | distances, guess=expanded.guessed)
        recipes.append(recipe | (region.facts(i) if region else {}))
    return Result(
        results,
        restored.frames,
        tuple(recipes),
        notes,
        restored.rate,
        frame=frame,
        codec=codec,
        reused=plan.reused,
        region=region,
        prompts=prompts,
    )


def edit_latents(
    request: Edit,
    model: Model,
    latents: Float[Tensor, "1 c *cells"],
    mask: Float[Tensor, "m 1 *cells"] | None = None,
    items: Sequence[EditItem] = (),
    edit_cache: EditCache | None = None,
) -> Generator[Progress, None, EditedLatents]:
    """Invert latents and regenerate them as a request says; every edit ends here.

    Args:
        request: with steps and a strength that are numbers, and a source in words.
        model: the checkpoint.
        latents: of one file.
        mask: 1 where cells may change, 0 where they must stay; None changes all.
        items: the results of the batch; one per target if not given.
        edit_cache: inverted paths and masks of earlier edits of these latents.

    Raises:
        MediaError: the trajectory cannot be used.
        ValueError: a setting does not fit the method or the model.
    """
    request, steps = with_steps(request, model)
    levels = model.grid(steps, request.spacing, latents.shape[1:])
    levels = levels[len(levels) - 1 - request.steps_back :]
    hold = None if mask is None else Hold(mask, levels)
    plan = yield from prepare(request, model, latents, levels, hold, items, edit_cache)
    x = yield from walk("regrow", plan.step, plan.denoise, plan.x, levels)
    return EditedLatents(x, plan)


def _about_no_change(request: Edit, model: Model) -> tuple[str, ...]:
    """Return a sentence where the words ask for nothing, as they are empty or those of the source."""
    if not model.takes_words or model.reads_scores or request.to_lyrics:
        return ()
    if not all(map(has_words, request.target)):
        return (say("nothing_said"),)
    if request.source in request.target and not request.emphasis and not request.negative:
        return (say("target_is_source"),)
    return ()


OPERATION = Operation(Edit, edit)
