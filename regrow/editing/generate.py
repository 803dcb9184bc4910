"""Generate: new pictures or sounds from a prompt."""

import time
from collections.abc import Generator, Sequence

from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Counted
from regrow.core.guidance import GuidanceInterval, limit_of
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.progress import Progress, walk
from regrow.core.solvers import make_step
from regrow.editing.melody import condition_on_sound
from regrow.editing.recipe import make_recipe
from regrow.editing.result import Operation, Result
from regrow.editing.song import song_of
from regrow.editing.steps import with_own_settings, without_guidance
from regrow.models.condition import Condition
from regrow.models.memory.codec_room import with_codec_room
from regrow.models.memory.words import with_words
from regrow.models.model import Model
from regrow.models.song import song_prompt
from regrow.prompts.expand_generate import condition_on_tunes, in_full
from regrow.prompts.input_warnings import about_embeddings
from regrow.requests.generate import Generate


def generate(request: Generate, model: Model) -> Generator[Progress, None, Result]:
    """Grow pictures or sounds from noise; with `loop`, the end of a sound leads into its beginning.

    Raises:
        MediaError: the melody cannot be used.
        ValueError: a setting is out of range or of another medium, or the size does not fit the model.
    """
    started, model = time.monotonic(), model.batched(request.normalize == "off")
    medium = model.medium
    medium.check(request, model)
    song = song_of(request, model)
    request, notes = without_guidance(with_own_settings(request, model), model)
    melody = medium.load(request.melody, model, request) if request.melody else None
    extent = medium.extent(request, model, melody)
    model = model.of_length(extent.samples)
    if melody and model.piano_roll is None:
        model, notes = model.covering(melody.content), notes + melody.notes
    elif melody:
        model, played = condition_on_sound(model, melody.content)
        notes += (*melody.notes, f"{len(played)} notes of the melody are played.")
    if request.reference_sound:
        reference = medium.load(request.reference_sound, model, request)
        model, notes = model.sounding_like(reference.content), notes + reference.notes
    full = in_full(request, model)
    conditioned = condition_on_tunes(model, full.things, extent.seconds, extent.shape[-1])
    if conditioned is not model:
        notes += ("The seed draws the tune, too; with --prompt-expansion off the model makes up its own.",)
        model = conditioned
    prompts = [song_prompt(prompt, song) for prompt in full.prompts]
    model, room_notes = with_codec_room(model, request.count, model.codec.extent_of(extent.shape[1:]))
    x, evaluations = yield from grow(request, model, prompts, extent.shape)
    frames = model.decode(x)
    items = medium.render(x, frames, model, extent)
    figures = {"evaluations": evaluations, "seconds": round(time.monotonic() - started, 2)}
    recipes = tuple(make_recipe(request, model, item, i, figures, guess=full.guessed) for i, item in enumerate(items))
    notes += (*full.notes, *room_notes, *about_embeddings(model, request))
    return Result(items, frames, recipes, notes, medium.rate(model))


def grow(
    request: Generate, model: Model, prompts: Sequence[str], shape: Sequence[int], seeds: Sequence[int] = ()
) -> Generator[Progress, None, tuple[Float[Tensor, "b c *cells"], int]]:
    """Latents of this shape from noise, one a prompt, and the evaluations that each took; the request's own seeds."""
    request, seeds = with_own_settings(request, model), seeds or [request.seed + i for i in range(request.count)]
    assert request.steps is not None
    assert request.solver is not None
    model = with_words(model, [[*prompts], *([[request.negative or model.no_words]] if request.guidance != 1 else [])])
    levels = model.grid(request.steps, request.spacing, shape)
    denoise = guided(request, model, model.condition(prompts), levels)
    # pure noise has standard deviation 1 whatever the last level's sigma: what the networks are trained on
    step = make_step(request.solver, request.eta, seeds)
    x = yield from walk("generate", step, denoise, noise(shape, seeds), levels)
    return x, denoise.evaluations


def guided(
    request: Generate, model: Model, condition: Condition, levels: Sequence[Level]
) -> Counted | GuidanceInterval:
    """The network under 1 prompt, or one a sample, guided as the request says."""
    assert request.guidance is not None, "a number by `with_own_settings`"
    plain = Counted(model.denoiser(condition, closed=request.loop))
    if request.guidance == 1:
        return plain
    negative = model.away([request.negative])
    pair = Counted(
        model.denoiser(condition, negative, request.guidance, request.loop),
        model.evaluations(request.guidance, negative),
    )
    # an input of the network costs nothing to have on in all steps
    return pair if negative is None else GuidanceInterval(pair, plain, limit_of(levels, request.guidance_share))


OPERATION = Operation(Generate, generate)
