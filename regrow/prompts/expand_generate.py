"""Expand the prompt of a generation: the seed draws what it leaves open, as the model's world has it.

"A cat on a beach" says nothing of weather, pose or face. A small model that was trained on such captions beside
pictures of many kinds grows something between them; one that gets all of it in its prompt grows one picture:

    p(picture | prompt) = sum over details of p(details | prompt) p(picture | prompt, details)

The world knows the first factor; the network is asked for the second. Of sounds the tune is such a detail, too. (The
same for large models, by a language model: Betker et al. 2023, Improving Image Generation with Better Captions,
section 3.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import torch

from regrow.core.noise import derive_seed
from regrow.media.audio.piano_roll import piano_roll
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
"""The most things that are drawn for one that has nothing of what the negative words name."""


@dataclass(frozen=True)
class Full:
    """What a prompt means, one a result.

    Attributes:
        prompts: as the model gets them.
        things: of the world, that they are captions of; none where the prompt stays as it is.
        notes: messages for the user.
        guessed: words that the model does not know and that were left out, or replaced by the nearest.
    """

    prompts: tuple[str, ...]
    things: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def in_full(request: Generate, model: Model) -> Full:
    """Return the prompt of each result, what it leaves open drawn by the result's own seed.

    All are the prompt itself where the request says so, names a melody (whose details it has), or is empty; and where
    the model does not say which world it knows, or was taught words beyond it. Nothing is drawn that the negative
    prompt names, where that can be.

    Raises:
        ModelError: the classifier, which names the world, is damaged.
    """
    as_it_is = Full((request.prompt,) * request.count, notes=about_words(model, [request.prompt, request.negative]))
    if request.prompt_expansion == "off" or not request.prompt.strip():
        return as_it_is
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return as_it_is
    world, language = WORLDS[describer.world], language_of(request.prompt)
    if is_learned(world, model, request.prompt):
        note = f'The prompts were not expanded: "{request.prompt}" has words of no caption of its world.'
        return replace(as_it_is, notes=(note, *as_it_is.notes))
    if request.melody:
        worded = in_known_words(model, [request.prompt])
        return replace(worded, prompts=worded.prompts * request.count)
    what, unwanted = interpret(world, request.prompt), interpret(world, request.negative)
    things = tuple(_drawn(world, request, what, unwanted, request.seed + i) for i in range(request.count))
    full = tuple(world.captions(thing, language)[-1] for thing in things)
    notes = tuple(f'Expanded prompt: "{words}".' for words in dict.fromkeys(full) if words != request.prompt)
    notes += about_prompt(model, request.prompt, what)
    notes += about_prompt(model, request.negative, replace(unwanted, unfit=()))
    return Full(full, things, notes, what.guessed)


def condition_on_tunes(model: Model, things: Sequence[Any], seconds: float, cells: int) -> Model:
    """The model, told the tune of each thing, as its world makes it by rule; itself where there are none to be told.

    Args:
        model: of sounds.
        things: of a world, one a sound.
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
    """Return prompts in words that the model was trained on, and open what they leave open.

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
        shown = () if caption == prompt else (f'Expanded prompt: "{caption}".',)
        notes += shown + (about_prompt(model, prompt, what) if shown or what.is_guess else ())
        guessed += what.guessed
    return Full(tuple(full), (), notes, guessed)


def _drawn(world: World, request: Generate, what: Interpretation, unwanted: Interpretation, seed: int) -> Any:
    """A thing with what the prompt says, and nothing of what the negative prompt names if one is found."""
    avoided = {name: value for name, value in unwanted.values.items() if what.values.get(name) != value}
    drawn = [thing_from_prompt(world, request.prompt, what, seed)]
    for draw in range(1, DRAWS if avoided else 1):
        if not any(getattr(drawn[-1], name) == value for name, value in avoided.items()):
            return drawn[-1]
        drawn.append(thing_from_prompt(world, request.prompt, what, seed, draw))
    return drawn[-1]


def thing_from_prompt(world: World, prompt: str, what: Interpretation, seed: int, draw: int = 0) -> Any:
    """Return the world's thing of a seed, with what a prompt says changed.

    Where that does not go together, as snow does not with the beach that the seed drew, the next thing is drawn.

    Args:
        world: of the prompt.
        prompt: that may leave something open.
        what: it means.
        seed: of what it leaves open.
        draw: another number, another thing.
    """
    parts = (seed, draw) if draw else (seed,)
    for more in count():
        rest = ("again", more) if more else ()
        thing = meant(world, world.random(derive_seed("details", *parts, *rest)), prompt, what)
        if thing is not None:
            return thing
    raise AssertionError("count() has no end")


def as_read_before(request: Generate, model: Model) -> Generate:
    """Return the request of a recipe from before synonyms were understood, as it was read then: see `expand_edit`."""
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None or has_words_of_captions(WORLDS[describer.world], request.prompt):
        return request
    return replace(request, prompt_expansion="off")
