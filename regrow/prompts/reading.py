"""Reading: what each word of a prompt names, and which words are not known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from regrow.prompts.word_index import index_of, is_chinese
from regrow.worlds.lexicon import Entry, Lexicon, key_of

COLOUR = "colour"
"""The attribute whose words may belong to what stands behind them: a green scarf is no green cat."""
ADJECTIVES = (COLOUR, "pose", "expression", "facing")
"""Attributes whose words can stand between a colour and its thing."""


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
    """The items, colours of other things than the animal as what they are: the thing's own, or unknown."""
    rest = list(items)
    for i, item in enumerate(rest):
        if lexicon.own and item.attribute == COLOUR and item.entry.kind in ("value", "near"):
            noun = _noun_after(rest, i)
            if noun is not None and not _takes_colours(noun):
                own = lexicon.own.get(noun.entry.values.get("accessory", ""), frozenset())
                item = replace(item, entry=Entry("silent" if key_of(item.text) in own else "unknown"))
        yield item


def _noun_after(items: Sequence[Item], at: int) -> Item | None:
    """The thing that an adjective stands before; None where it stands alone."""
    unknown = None
    for item, after in zip(items[at + 1 :], [*items[at + 2 :], None], strict=False):
        kind = item.entry.kind
        joins = item.has("and") and after is not None and after.attribute == COLOUR and not after.article
        if item.article or (kind == "mark" and item.text != "的" and not joins):
            break
        if kind == "unknown":
            unknown = unknown or item
        elif item.entry.values.get("accessory") == "none":
            break
        elif kind == "topic" or (kind in ("value", "near") and item.attribute not in ADJECTIVES):
            return item
    return unknown


def _takes_colours(noun: Item) -> bool:
    return noun.entry.kind != "unknown" and noun.attribute in ("animal", COLOUR)
