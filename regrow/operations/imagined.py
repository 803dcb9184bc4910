"""Imagined: what a prompt leaves open, drawn by the seed as the model's world has it, and told in full.

"A cat on a beach" says nothing of weather, pose or face. A small model that was shown such words beside pictures of
many kinds grows something between them; one that draws what is left open first, and is told all of it, grows one:

    p(picture | words) = sum over details of p(details | words) p(picture | words, details)

The first factor the world knows; the network is asked for the second. (The same for large models, by a language model:
Betker et al. 2023, Improving Image Generation with Better Captions, section 3.)
"""

from typing import Any

from regrow.core.noise import derive_seed
from regrow.families.describer import read_describer
from regrow.families.model import Model
from regrow.operations.describe import WORLDS, Told
from regrow.operations.meaning import carrying, changed_to, language_of, meant, other_values
from regrow.operations.requests import Generate


def in_full(request: Generate, model: Model) -> tuple[list[str], tuple[str, ...]]:
    """The prompt of each result, its details drawn by the result's own seed; and sentences that say so.

    All are the prompt itself where the request says so, names a melody (whose details it has), or has no words; where
    the model does not say which world it knows; and where the words tell of nothing in that.

    Raises:
        ModelError: the describer, which names the world, is damaged.
    """
    seeds = [request.seed + i for i in range(request.count)]
    as_it_is = [request.prompt] * request.count
    if request.details == "leave" or request.melody or not carrying(request.prompt):
        return as_it_is, ()
    describer = read_describer(model.folder, model.latent_channels)
    if describer is None:
        return as_it_is, ()
    told, language = WORLDS[describer.world], language_of(request.prompt)
    full = []
    for seed in seeds:
        thing = imagined(told, request.prompt, seed)
        if thing is None:
            why = f'Told as they are, not in full: "{request.prompt}" is not put as {model.name} has learned to put '
            return as_it_is, (f"{why}things; `regrow models show {model.name}` says what it was shown.",)
        full.append(told.captions(thing, language)[-1])
    changed = [words for words in dict.fromkeys(full) if words != request.prompt]
    return full, tuple(f'Told in full: "{words}".' for words in changed)


def imagined(told: Told, words: str, seed: int) -> Any | None:
    """A thing that words tell of: the world's thing of this seed, with what the words say changed.

    Returns:
        None where there is no such thing.
    """
    thing, language, wanted = told.random(derive_seed("details", seed)), language_of(words), carrying(words)

    def said(one: Any) -> int:
        """The most of the words that one of its captions has."""
        return max(sum(word in set(carrying(text)) for word in wanted) for text in told.captions(one, language))

    while True:
        others = [changed_to(thing, {name: value}) for name, value in other_values(told, thing)]
        nearest = max((other for other in others if other is not None), key=said)
        if said(nearest) <= said(thing):
            return meant(told, thing, words)
        thing = nearest
