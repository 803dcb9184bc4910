"""Read the words of a prompt: what each names, and which are unknown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from regrow.prompts.word_index import index_of, is_chinese
from regrow.worlds.lexicon import Entry, Lexicon, key_of

COLOUR = "colour"
"""The attribute whose words may belong to what stands behind them: a green scarf is no green cat."""
ADJECTIVES = (COLOUR, "pose", "expression", "facing")
"""Attributes whose words can stand between a colour and its thing."""
SINGULAR = ("is", "was")
COPULAS = (*SINGULAR, "are", "were", "是")
VERBS = ("change", "make", "act", "add", "becomes", "keep", "remove", "substitute")
"""Classes of words that say what to do."""
PREPOSITIONS = ("in", "on", "at", "by", "near", "under", "with", "inside", "before", "behind")
"""First words of phrases that no adjective stands before, such as "on the sofa"."""
RELATIVES, OWNERS = ("that", "which"), ("whose", "its", "his", "her")
"""Words between a thing and a colour that is said of it: "a hat that is black", "a cat whose hat is black"."""


@dataclass(frozen=True)
class Item:
    """A word of a prompt, or several that belong together.

    Attributes:
        text: as it was typed, in lower case.
        entry: what it does.
        article: the article before it: definite, indefinite or none.
        taken: the known word that it is taken for, where it is misspelt.
    """

    text: str
    entry: Entry
    article: str = ""
    taken: str = ""

    def has(self, *marks: str) -> bool:
        """Return whether it is in one of these classes of the grammar."""
        return not self.entry.marks.isdisjoint(marks)

    @property
    def attribute(self) -> str:
        """The attribute that it is about, if it is about one."""
        return self.entry.attribute or next(iter(self.entry.values), "")


def read(lexicon: Lexicon, prompt: str) -> list[Item]:
    """Return the items of a prompt in their order: the longest known word at each place, else an unknown one.

    Where a word is known under no spelling, one is taken that differs in a letter, or in two that changed places, if
    all such words mean the same.
    """
    known = index_of(lexicon)
    typed, articles = known.without_articles(key_of(prompt))
    words = known.corrected(typed)
    items: list[Item] = []
    at = 0
    while at < len(words):
        size, entry = known.match(words[at:])
        part = slice(at, at + size)
        taken = joined(words[part]) if typed[part] != words[part] else ""
        items.append(Item(joined(typed[part]), entry or Entry("unknown"), articles[at], taken))
        at += size
    return list(_with_colours(lexicon, _in_runs(items)))


def joined(words: Sequence[str]) -> str:
    """Return words as they are written: Chinese without spaces."""
    text = ""
    for word in words:
        text += word if not text or is_chinese(word) or is_chinese(text[-1]) else f" {word}"
    return text


def _in_runs(items: Sequence[Item]) -> Iterator[Item]:
    """The items, unknown Chinese characters that stand together as one."""

    def is_part(item: Item) -> bool:  # one character that names something near may be half of another word: 飞 in 飞船
        single = item.entry.kind == "near" and len(item.text) == 1
        return is_chinese(item.text) and not item.taken and (item.entry.kind == "unknown" or single)

    for lone, run in groupby(items, is_part):
        part = list(run)
        whole = lone and len(part) > 1 and any(item.entry.kind == "unknown" for item in part)
        yield from [Item("".join(item.text for item in part), Entry("unknown"))] if whole else part


def _with_colours(lexicon: Lexicon, items: Iterator[Item]) -> Iterator[Item]:
    """The items, colours of other things than the animal as what they are: the thing's own, or unknown.

    Such an unknown word has the attribute, so that it is not said that the world does not know it.
    """
    rest = list(items)
    for i, item in enumerate(rest):
        if _is_compared_with(rest, i):
            item = replace(item, entry=Entry("silent"))
        if lexicon.own and item.attribute == COLOUR and item.entry.kind in ("value", "near"):
            noun = _owner_in_chinese(rest, i) or _noun_after(rest, i) or _noun_before(rest[:i])
            if noun is not None and not _takes_colours(noun):
                own = lexicon.own.get(noun.entry.values.get("accessory", ""), frozenset())
                other = Entry("unknown", attribute="" if noun.entry.kind == "unknown" else COLOUR)
                item = replace(item, entry=Entry("silent") if key_of(item.text) in own else other)
        yield item


def _is_compared_with(items: Sequence[Item], at: int) -> bool:
    """Whether this is only what a colour is compared with, as in "as white as snow" and 像雪一样白."""
    if items[at].entry.kind not in ("value", "near", "unknown") or at == 0:
        return False
    if items[at - 1].text == "像":
        after = [item for item in items[at + 1 : at + 4] if item.text not in ("的", "地")]
        return len(after) > 1 and after[0].text in ("一样", "般", "似的") and after[1].attribute == COLOUR
    return at > 1 and items[at - 1].text in ("as", "like") and items[at - 2].attribute == COLOUR


def _noun_after(items: Sequence[Item], at: int) -> Item | None:
    """The thing that an adjective stands before; None where it stands alone."""
    unknown = None
    for item, after in zip(items[at + 1 :], [*items[at + 2 :], None], strict=False):
        kind = item.entry.kind
        joins = item.has("and") and after is not None and after.attribute == COLOUR and not after.article
        is_phrase = item.text.split(" ")[0] in PREPOSITIONS  # "make the cat black on the sofa"
        if item.article or is_phrase or (kind == "mark" and item.text != "的" and not joins):
            break
        if kind == "unknown":
            unknown = unknown or item
        elif item.entry.values.get("accessory") == "none":
            break
        elif kind == "topic" or (kind in ("value", "near") and item.attribute not in ADJECTIVES):
            return item
    return unknown


def _owner_in_chinese(items: Sequence[Item], at: int) -> Item | None:
    """The accessory that the colour at a place is said of, as in 帽子是黑色的猫: a cat whose hat is black."""
    if not 1 < at < len(items) - 1 or items[at - 1].text != "是" or items[at + 1].text != "的":
        return None
    return items[at - 2] if items[at - 2].attribute == "accessory" else None


def _noun_before(before: Sequence[Item]) -> Item | None:
    """The thing of which a colour is said that stands behind it; None where it may be the animal.

    "A hat that is black", "make the car red", "a cat, its car is red": the hat, the car, the car. "The cat with the hat
    is black", "make the cat on the sofa black": the cat.
    """
    if not before:
        return None
    last = before[-1]
    is_relative = len(before) > 1 and last.text in COPULAS and before[-2].text in RELATIVES
    is_linked = last.text in COPULAS or last.has("becomes", "into")
    rest = before[: -2 if is_relative else -1] if is_linked else before
    if not rest or rest[-1].entry.kind not in ("unknown", "topic", "value", "near"):
        return None
    *others, noun = rest
    if noun.attribute in ADJECTIVES:
        return None
    owner = others[-1] if others else None
    if is_relative or (owner and last.text in COPULAS and owner.text in OWNERS):
        return noun
    if owner and owner.attribute == "animal" and noun.attribute == "accessory":
        return noun  # "turn the cat's hat red"
    if last.text not in COPULAS and not _is_object(noun, others):
        return None
    for item in reversed(others):
        is_and = item.has("and") and not item.has("into")  # "with" is both
        if item.attribute == COLOUR or item.has("comma", "then", *VERBS) or (is_and and last.text in SINGULAR):
            break
        if _takes_colours(item):
            return None
    return noun


def _is_object(noun: Item, before: Sequence[Item]) -> bool:
    """Whether a thing may be what a verb before it colours: "make the car red", 把车变成红色."""
    is_chinese_object = is_chinese(noun.text) and bool(before) and before[-1].has("change", "make")
    if noun.entry.kind == "unknown":
        return bool(noun.article) or is_chinese_object
    is_phrase = noun.text.split(" ")[0] in PREPOSITIONS or (bool(before) and before[-1].text in PREPOSITIONS)
    return (noun.article == "definite" or is_chinese_object) and not is_phrase and not _takes_colours(noun)


def _takes_colours(noun: Item) -> bool:
    return noun.entry.kind != "unknown" and noun.attribute in ("animal", COLOUR)
