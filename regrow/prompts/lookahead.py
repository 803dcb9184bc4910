"""Lookahead: what the next words of a prompt are, for the parser of its roles."""

from collections.abc import Sequence

from regrow.prompts.reading import Item

THINGS = ("value", "near", "step", "opposite", "unknown", "topic")
"""Kinds of items that name something, not what to do with it."""


def attribute(items: Sequence[Item]) -> str:
    """Return the attribute of the first thing; empty where there is none, or where it is unknown."""
    return next((item.attribute for item in items if item.entry.kind in THINGS), "")


def article(items: Sequence[Item]) -> str:
    """Return the article of the first thing; empty where it has none."""
    return next((item.article for item in items if item.entry.kind in THINGS), "")


def adjacent(items: Sequence[Item]) -> Item | None:
    """Return the thing that comes first with nothing before it but what makes an owner: "the cat's hat"."""
    for item in items:
        if item.entry.kind in THINGS:
            return None if item.article else item
        if item.text not in ("的", "of") and item.entry.kind != "silent":
            return None
    return None


def follows(items: Sequence[Item], *until: str) -> bool:
    """Return whether a thing comes before the next verb, and before words of these classes."""
    for item in items:
        if item.has(*until, "act", "make", "change", "remove"):
            return False
        if item.entry.kind in THINGS:
            return True
    return False


def has_into(items: Sequence[Item], into: Sequence[str]) -> bool:
    """Return whether a word of "into" comes before the next verb; one of `into`, if that names some."""
    for item in items:
        if item.has("change", "make", "remove", "act", "add", "becomes", "then", "keep"):
            return item.has("becomes")
        if item.has("into") and (not into or item.text in into):
            return True
    return False
