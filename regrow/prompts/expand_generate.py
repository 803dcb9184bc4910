"""Expand the prompt of a generation: the seed draws what it leaves open, as the model's world has it.

"A cat on a beach" says nothing of weather, pose or face. A small model that was shown such words beside pictures of
many kinds grows something between them; one that draws what is left open first, and is told all of it, grows one:

    p(picture | words) = sum over details of p(details | words) p(picture | words, details)

The first factor the world knows; the network is asked for the second. Of sounds the tune is such a detail, too. (The
same for large models, by a language model: Betker et al. 2023, Improving Image Generation with Better Captions,
section 3.)
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from regrow.core.noise import derive_seed
from regrow.media.audio.piano_roll import piano_roll
from regrow.models.codecs.mel import settings_of
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.prompts.caption_matching import carrying, has, language_of, meant, other_values, terms
from regrow.requests.generate import Generate
from regrow.worlds.bandstand.composition import SHORTEST
from regrow.worlds.world import WORLDS, World, changed_to

DRAWS = 50
"""The most things that are drawn for one that has nothing of what the negative words name."""


class Full(NamedTuple):
    """What a prompt means, one a result.

    Attributes:
        prompts: in full.
        things: of the world, that they tell of; none where the prompt is told as it is.
        notes: sentences that say so.
    """

    prompts: tuple[str, ...]
    things: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()


def in_full(request: Generate, model: Model) -> Full:
    """The prompt of each result, its details drawn by the result's own seed.

    All are the prompt itself where the request says so, names a melody (whose details it has), or has no words; where
    the model does not say which world it knows; and where the words tell of nothing in that. Nothing is drawn that the
    negative words name, where that can be.

    Raises:
        ModelError: the describer, which names the world, is damaged.
    """
    seeds = [request.seed + i for i in range(request.count)]
    as_it_is = (request.prompt,) * request.count
    if request.prompt_expansion == "off" or request.melody or not carrying(request.prompt):
        return Full(as_it_is)
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return Full(as_it_is)
    world, language = WORLDS[describer.world], language_of(request.prompt)
    full, things = [], []
    for seed in seeds:
        thing = _wanted(world, request, seed)
        if thing is None:
            prompt, name = request.prompt, model.name
            why = f'The prompts were not expanded: "{prompt}" is not worded like what {name} was trained on; '
            note = f"{why}`regrow models show {name}` says what it was shown."
            return Full(as_it_is, notes=(note,))
        things.append(thing)
        full.append(world.captions(thing, language)[-1])
    changed = [words for words in dict.fromkeys(full) if words != request.prompt]
    return Full(tuple(full), tuple(things), tuple(f'Expanded prompt: "{words}".' for words in changed))


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


def _wanted(world: World, request: Generate, seed: int) -> Any | None:
    """A thing that the prompt tells of, one whose full words have none of the negative's if it is found."""
    unwanted = [term for term in terms(request.negative) if not has(request.prompt, term)]
    thing = thing_from_prompt(world, request.prompt, seed)
    for draw in range(1, DRAWS if unwanted else 1):
        if thing is None or not any(has(world.captions(thing, language_of(term))[-1], term) for term in unwanted):
            break
        thing = thing_from_prompt(world, request.prompt, seed, draw)
    return thing


def thing_from_prompt(world: World, words: str, seed: int, draw: int = 0) -> Any | None:
    """A thing that words tell of: the world's thing of this seed, with what the words say changed.

    Args:
        world: of the world.
        words: that may leave something open.
        seed: of what they leave open.
        draw: another number, another thing.

    Returns:
        None where there is no such thing.
    """
    parts = (seed, draw) if draw else (seed,)
    thing, language, wanted = world.random(derive_seed("details", *parts)), language_of(words), carrying(words)

    def said(one: Any) -> int:
        """The most of the words that one of its captions has."""
        return max(sum(word in set(carrying(text)) for word in wanted) for text in world.captions(one, language))

    while True:
        others = [changed_to(thing, {name: value}) for name, value in other_values(world, thing)]
        nearest = max((other for other in others if other is not None), key=said)
        if said(nearest) <= said(thing):
            return meant(world, thing, words)
        thing = nearest
