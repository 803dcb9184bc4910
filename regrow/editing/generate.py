"""Generate: new pictures or sounds from a prompt."""

import time
from collections.abc import Generator

from regrow.core.progress import Progress
from regrow.editing.grow import grow
from regrow.editing.melody import condition_on_sound
from regrow.editing.recipe import make_recipe
from regrow.editing.result import Operation, Result
from regrow.editing.songs.accompany import accompanied
from regrow.editing.songs.lyrics import song_of
from regrow.editing.songs.score import scored
from regrow.editing.steps import with_own_settings, without_guidance
from regrow.messages.message import say
from regrow.models.memory.codec_room import with_codec_room
from regrow.models.model import Model
from regrow.models.song import song_prompt
from regrow.prompts.expand_generate import condition_on_tunes, in_full
from regrow.prompts.input_warnings import about_embeddings
from regrow.requests.generate import Generate
from regrow.worlds.songbook.score import read_score


def generate(request: Generate, model: Model) -> Generator[Progress, None, Result]:
    """Generate pictures or sounds from noise; with `loop`, the end of a sound leads into its beginning.

    Raises:
        MediaError: the melody cannot be used.
        ValueError: a setting is out of range or of another medium, or the size does not fit the model.
    """
    started, model = time.monotonic(), model.batched(request.normalize == "off")
    medium = model.medium
    medium.check(request, model)
    request, model, score_notes = scored(request, model)
    song = song_of(request, model)
    request, notes = without_guidance(with_own_settings(request, model), model)
    notes = (*score_notes, *notes)
    melody = medium.load(request.melody, model, request) if request.melody else None
    extent = medium.extent(request, model, melody)
    model = model.of_length(extent.samples)
    if melody and model.piano_roll is None:
        model, notes = model.covering(melody.content), notes + melody.notes
    elif melody:
        model, played = condition_on_sound(model, melody.content)
        notes += (*melody.notes, say("melody_notes_played", count=len(played)))
    if request.reference_sound:
        reference = medium.load(request.reference_sound, model, request)
        model, notes = model.sounding_like(reference.content), notes + reference.notes
    full = in_full(request, model)
    conditioned = condition_on_tunes(model, full.things, extent.seconds, extent.shape[-1])
    if conditioned is not model:
        notes += (say("tune_drawn_by_seed"),)
        model = conditioned
    prompts = [song_prompt(prompt, song) for prompt in full.prompts]
    model, room_notes = with_codec_room(model, request.count, model.codec.extent_of(extent.shape[1:]))
    x, evaluations = yield from grow(request, model, prompts, extent.shape)
    frames = model.decode(x)
    items, bands = medium.render(x, frames, model, extent), ()
    if request.accompany:
        items, bands, band_notes = yield from accompanied(
            items, request.accompany, read_score(request.prompt), request.seed
        )
        notes += band_notes
    figures = {"evaluations": evaluations, "seconds": round(time.monotonic() - started, 2)}
    below = [band.facts for band in bands] or [{}] * len(items)
    recipes = tuple(
        make_recipe(request, model, item, i, figures | below[i], guess=full.guessed) for i, item in enumerate(items)
    )
    notes += (*full.notes, *room_notes, *about_embeddings(model, request))
    return Result(items, frames, recipes, notes, medium.rate(model))


OPERATION = Operation(Generate, generate)
