"""Expand the prompt of a generation: the seed draws what the prompt omits, from the model's world.

"A cat on a beach" does not state weather, pose or face. A small model that was trained on such captions with pictures
of many kinds generates a mixture of them; with all details in its prompt it generates one picture:

    p(picture | prompt) = sum over details of p(details | prompt) p(picture | prompt, details)

The world gives the first factor, the network the second. For sounds, the tune is such a detail, too. (Large models do
this with a language model: Betker et al. 2023, Improving Image Generation with Better Captions, section 3.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import torch

from regrow.core.noise import derive_seed
from regrow.media.audio.piano_roll import piano_roll
from regrow.messages.message import say
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.prompts.captioned import has_words_of_captions, in_own_words, is_learned, language_of, meant
from regrow.prompts.input_warnings import about_prompt, about_words
from regrow.prompts.interpretation import Interpretation, interpret
from regrow.requests.generate import Generate
from regrow.worlds.bandstand.composition import SHORTEST
from regrow.worlds.world import WORLDS, World

DRAWS = 50
"""Most random things that are tried to find one without anything that the negative prompt names."""


@dataclass(frozen=True)
class Full:
    """The expanded prompts of a generation, one per result.

    Attributes:
        prompts: as the model gets them.
        things: of the world, which the prompts describe; empty if the prompt is unchanged.
        notes: messages for the user.
        guessed: unknown words that were left out or replaced by the nearest known ones.
    """

    prompts: tuple[str, ...]
    things: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def in_full(request: Generate, model: Model) -> Full:
    """Return the prompt of each result, with omitted details drawn by the result's seed.

    The prompt is unchanged if it is empty or expansion is off, if the model has no classifier, or if the prompt has
    words that the model was taught beyond its world's. With a melody, which has the details itself, only unknown words
    are replaced. If possible, nothing is drawn that the negative prompt names.

    Raises:
        ModelError: the classifier, which names the world, is damaged.
    """
    as_it_is = Full((request.prompt,) * request.count, notes=about_words(model, [request.prompt, request.negative]))
    if not request.prompt.strip():
        if not model.takes_words or request.lyrics or request.melody:
            return as_it_is
        return replace(as_it_is, notes=(say("generated_without_prompt", name=model.name), *as_it_is.notes))
    if request.prompt_expansion == "off":
        return as_it_is
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return as_it_is
    world, language = WORLDS[describer.world], language_of(request.prompt)
    if is_learned(world, model, request.prompt):
        note = say("prompts_not_expanded", prompt=request.prompt)
        return replace(as_it_is, notes=(note, *as_it_is.notes))
    if request.melody:
        worded = in_known_words(model, [request.prompt])
        return replace(worded, prompts=worded.prompts * request.count)
    what, unwanted = interpret(world, request.prompt), interpret(world, request.negative)
    things = tuple(_drawn(world, request, what, unwanted, request.seed + i) for i in range(request.count))
    full = tuple(world.captions(thing, language)[-1] for thing in things)
    notes = tuple(say("expanded_words", words=words) for words in dict.fromkeys(full) if words != request.prompt)
    notes += about_prompt(model, request.prompt, what)
    notes += about_prompt(model, request.negative, replace(unwanted, unfit=()))
    return Full(full, things, notes, what.guessed)


def condition_on_tunes(model: Model, things: Sequence[Any], seconds: float, cells: int) -> Model:
    """Return the model conditioned on the tune of each thing, or the model itself if there is no tune.

    Args:
        model: a sound model.
        things: of a world, one per sound.
        seconds: of the sounds.
        cells: of their latents.
    """
    if not things or model.piano_roll is None:
        return model
    describer = read_describer(model.folder, model.latent_channels)
    composition = WORLDS[describer.world].composition if describer else None
    if composition is None:
        return model
    tunes = [composition(thing, max(seconds, SHORTEST)) for thing in things]
    mel = settings_of(model)
    return model.condition_on_notes(
        torch.stack([piano_roll(tune, cells, model.factor, model.piano_roll, mel) for tune in tunes])
    )


def in_known_words(model: Model, prompts: Sequence[str]) -> Full:
    """Return prompts in words that the model was trained on, without adding omitted details.

    Raises:
        ModelError: the classifier, which names the world, is damaged.
    """
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return Full(tuple(prompts), notes=about_words(model, prompts))
    full, notes, guessed = [], (), ()
    for prompt in prompts:
        caption, what = in_own_words(WORLDS[describer.world], model, prompt)
        full.append(caption)
        shown = () if caption == prompt else (say("expanded_words", words=caption),)
        notes += shown + (about_prompt(model, prompt, what) if shown or what.is_guess else ())
        guessed += what.guessed
    return Full(tuple(full), (), notes, guessed)


def _drawn(world: World, request: Generate, what: Interpretation, unwanted: Interpretation, seed: int) -> Any:
    """Return a thing that fits the prompt, if possible without anything that the negative prompt names."""
    avoided = {name: value for name, value in unwanted.values.items() if what.values.get(name) != value}
    drawn = [thing_from_prompt(world, request.prompt, what, seed)]
    for draw in range(1, DRAWS if avoided else 1):
        if not any(getattr(drawn[-1], name) == value for name, value in avoided.items()):
            return drawn[-1]
        drawn.append(thing_from_prompt(world, request.prompt, what, seed, draw))
    return drawn[-1]


def thing_from_prompt(world: World, prompt: str, what: Interpretation, seed: int, draw: int = 0) -> Any:
    """Return a random thing of the world, changed to fit a prompt.

    If the thing cannot be changed so, as a beach cannot get snow, the next one is drawn.

    Args:
        world: of the prompt.
        prompt: may omit details.
        what: the prompt's interpretation.
        seed: of the omitted details.
        draw: each number gives another thing of the same seed.
    """
    parts = (seed, draw) if draw else (seed,)
    for more in count():
        rest = ("again", more) if more else ()
        thing = meant(world, world.random(derive_seed("details", *parts, *rest)), prompt, what)
        if thing is not None:
            return thing
    raise AssertionError(say("count_has_no_end"))


def as_read_before(request: Generate, model: Model) -> Generate:
    """Return the request of a recipe from before synonyms, as it was interpreted then; see `expand_edit`."""
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None or has_words_of_captions(WORLDS[describer.world], request.prompt):
        return request
    return replace(request, prompt_expansion="off")
