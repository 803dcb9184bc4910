"""Meaning: which things of a world words tell of."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from regrow.worlds.world import World, changed_to

CHANGES = 2
"""The most that words may differ from what is read off: what an edit changes, and what must change with it."""
CARRYING_NOTHING = frozenset(("a", "an", "the", "and", "is", "of", "in", "on", "at", "with", *"一只个张幅在"))
"""Words and characters that say nothing of a thing by themselves."""


def meant(world: World, thing: Any, words: str) -> Any | None:
    """The thing nearest to this one of which the words are a caption, or else part of one; None where none is near."""
    language, wanted, found = language_of(words), carrying(words), None
    for near in _nearby(world, thing):
        texts = world.captions(near, language)
        if words in texts:
            return near
        if found is None and is_part(wanted, texts):
            found = near
    return found


def is_part(wanted: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether one of the texts has all of the words that carry meaning, in their order."""
    # most texts lack one of them, which is seen much sooner than their order
    return bool(wanted) and any(
        all(word in low for word in wanted) and _in_order(wanted, carrying(low))
        for low in (text.lower() for text in texts)
    )


def carrying(words: str) -> list[str]:
    """The words, in Chinese the characters, that say something of a thing."""
    parts = re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]", words.lower())
    return [part for part in parts if part not in CARRYING_NOTHING]


def terms(words: str) -> list[str]:
    """The words that say something of a thing; of Chinese, which has no spaces, what stands between commas."""
    parts = re.findall(r"[a-z0-9-]+|[\u3400-\u9fff]+", words.lower())
    return [part for part in parts if part not in CARRYING_NOTHING]


def has(words: str, term: str) -> bool:
    """Whether words have one of the `terms`."""
    return term in words if language_of(term) == "zh" else term in carrying(words)


def _in_order(wanted: Sequence[str], words: Sequence[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in wanted)


def _nearby(world: World, thing: Any) -> Iterator[Any]:
    """Things in the order of how many attributes differ."""
    yield thing
    others = other_values(world, thing)
    for count in range(1, CHANGES + 1):
        for changes in combinations(others, count):
            changed = dict(changes)
            if len(changed) == count and (found := changed_to(thing, changed)) is not None:
                yield found


def language_of(words: str) -> str:
    """Of a sentence: zh where it has a Chinese character, else en."""
    return "zh" if re.search(r"[\u3400-\u9fff]", words) else "en"


def other_values(world: World, thing: Any) -> list[tuple[str, str]]:
    """Every attribute with every value that the thing has not."""
    return [(name, v) for name, values in world.attributes.items() for v in values if v != getattr(thing, name)]
