"""Match prompts with the captions of a world: the thing that a prompt means, and the world's words for it."""

import re
from itertools import combinations
from typing import Any

from regrow.models.model import Model
from regrow.models.vocabulary import read_words, units
from regrow.prompts.interpretation import Interpretation, interpret
from regrow.prompts.reading import read
from regrow.worlds.world import Language, World, changed_to

CHANGES = 2
"""Most attributes that a caption may determine without naming them."""


SMALLEST = {"a", "an", "the", "and", "is", "of", "in", "on", "at", "with", *"一只个张幅在"}
"""Words that describe nothing by themselves."""


def language_of(words: str) -> Language:
    """Return "zh" if a sentence has a Chinese character, else "en"."""
    return "zh" if re.search(r"[\u3400-\u9fff]", words) else "en"


def meant(world: World, before: Any, prompt: str, found: Interpretation) -> Any | None:
    """Return a thing with the values that a prompt sets; None if they are incompatible with it.

    If the prompt is a caption of the world, word for word, it also determines attributes that it does not name: a full
    caption that mentions no hat means that there is none.
    """
    thing = changed_to(before, dict(found.values))
    if thing is None or found.is_instruction or found.is_guess or found.taken:
        return thing
    language = language_of(prompt)
    free = [
        (name, value)
        for name, values in world.attributes.items()
        for value in values
        if name not in found.values and value != getattr(thing, name)
    ]
    for count in range(CHANGES + 1):
        for changes in combinations(free, count):
            other = changed_to(thing, dict(changes)) if len(dict(changes)) == count else None
            if other is not None and prompt in world.captions(other, language):
                return other
    return thing


def is_learned(world: World, model: Model, prompt: str) -> bool:
    """Return whether a prompt has words that the model was taught beyond those of its world's captions."""
    if any(embedding.word in prompt.lower() for embedding in model.embeddings):
        return True
    known = read_words(model.folder)
    if known is None:
        return False
    taught = known.words | known.characters
    strange = [
        item.text for item in read(world.lexicon, prompt) if item.entry.kind in ("unknown", "near") or item.taken
    ]
    parts = {part for text in strange for unit in units(text) for part in (unit, *unit)}
    return bool(parts & (taught - world.vocabulary) - {""})


def in_own_words(world: World, model: Model, prompt: str) -> tuple[str, Interpretation]:
    """Return a prompt in the world's words, and its interpretation.

    Of the captions of a fitting thing, the one is taken whose named attributes differ least from the prompt's. The
    prompt itself is returned if it names nothing of the world, or if the model already knows its words.
    """
    found, language = interpret(world, prompt), language_of(prompt)
    known = read_words(model.folder)
    own = world.vocabulary if known is None else known.words | known.characters
    parts = {part for unit in units(prompt) for part in (unit if language_of(unit) == "zh" else (unit,))}
    if not found.values or parts <= own or is_learned(world, model, prompt):
        return prompt, found
    thing = next(filter(None, (changed_to(world.random(seed), dict(found.values)) for seed in range(1000))))

    def distance(text: str) -> tuple[int, int]:
        return len(world.named_attributes(thing, text, language) ^ set(found.values)), len(text)

    return min(world.captions(thing, language), key=distance), found


def has_words_of_captions(world: World, prompt: str) -> bool:
    """Return whether all words of a prompt occur in captions, apart from those in `SMALLEST`."""
    words = set(re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]", prompt.lower()))
    return bool(words) and words <= world.vocabulary | SMALLEST
