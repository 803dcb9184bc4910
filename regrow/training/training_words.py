"""Find the words of captions, and those that a model's tokenizer prevents it from learning."""

import math
import re
import warnings
from collections.abc import Callable, Sequence

from jaxtyping import Int
from torch import Tensor

from regrow.messages.message import say
from regrow.models.load_part import quiet
from regrow.models.model import Model
from regrow.models.vocabulary import is_chinese, units

Tokenize = Callable[[Sequence[str]], Int[Tensor, "b tokens"]]


def words_in(captions: Sequence[str], at_most: int = 20_000) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the most frequent words of captions, in any script, and their Chinese characters.

    A word with an apostrophe or a mark in it is included whole, as prompts are looked up, and in the pieces into which
    CLIP's tokenizer cuts it.
    """
    counts: dict[str, int] = {}
    characters: set[str] = set()
    for unit in (unit for text in captions for unit in units(text)):
        if is_chinese(unit[0]):
            characters.update(unit)
            continue
        for word in {unit, *re.findall(r"[^\W\d_]+", unit)}:
            counts[word] = counts.get(word, 0) + 1
    frequent = sorted(counts, key=lambda word: (-counts[word], word))[:at_most]
    return tuple(sorted(frequent)), tuple(sorted(characters))


def lost_words(model: Model, captions: Sequence[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the words of captions that a model cannot learn, as it always cuts them off or has no tokens for them.

    Sentences for the user are returned too. A tokenizer that was made for other words spells these letter by letter,
    so only few of them fit.
    """
    if "tokenizer" not in model.parts or not captions:  # a family with its own tokenizer knows all words
        return frozenset(), ()
    unknown = model.tokenizer.unk_token_id
    # some families concatenate the ids of several tokenizers
    room = min(model.tokenize([""]).shape[1], getattr(model.tokenizer, "model_max_length", math.inf))
    words = _both(captions)
    with quiet():
        read = model.tokenizer(list(captions)).input_ids
        spelt = model.tokenizer(words).input_ids if words else []
    lost = {word for word, tokens in zip(words, spelt, strict=True) if unknown in tokens[1:-1]}
    notes = []
    if cut := [i for i, tokens in enumerate(read) if len(tokens) > room]:
        begun = [model.tokenizer.decode(read[i][1 : room - 1]) for i in cut]
        kept = {*_both(begun), *_both([text for i, text in enumerate(captions) if len(read[i]) <= room])}
        lost |= {word for word in words if word.isalpha() and word not in kept}
        notes.append(
            say("captions_too_long", count=len(cut), whole=len(captions), tokens=room - 2, example=captions[cut[0]])
        )
    if lost:
        some = [word for word in words if word in lost][:20]
        more = say("and_more", count=len(lost) - len(some)) if len(lost) > len(some) else ""
        sentence = f"{', '.join(some)}{more}"
        notes.append(say("words_not_learned", words=sentence))
    return frozenset(lost), tuple(notes)


def _both(captions: Sequence[str]) -> list[str]:
    return [word for found in words_in(captions) for word in found]


def without_warnings(tokenize: Tokenize) -> Tokenize:
    """Return the function without its warnings about prompts that are cut, as `lost_words` reports these once."""

    def quietly(prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tokenize(prompts)

    return quietly
