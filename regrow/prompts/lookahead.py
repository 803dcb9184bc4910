"""Look at the words around a place of a prompt, for the parser of roles."""

from collections.abc import Collection, Sequence

from regrow.prompts.reading import COLOUR, Item

THINGS = ("value", "near", "step", "opposite", "unknown", "topic")
"""Kinds of items that name something, as opposed to what to do with it."""
PAST, BESIDE = ("was", "were"), ("with", "beside", "next to", "near")
"""Words before what there was, and before a second thing."""


def attribute(items: Sequence[Item]) -> str:
    """Return the attribute of the first thing; "" if there is no thing or its attribute is unknown."""
    return next((item.attribute for item in items if item.entry.kind in THINGS), "")


def article(items: Sequence[Item]) -> str:
    """Return the article of the first thing; "" if it has none."""
    return next((item.article for item in items if item.entry.kind in THINGS), "")


def adjacent(items: Sequence[Item]) -> Item | None:
    """Return the next thing if only possessive words and no article precede it, as in "the cat's hat"; else None."""
    for item in items:
        if item.entry.kind in THINGS:
            return None if item.article else item
        if item.text not in ("的", "of") and item.entry.kind != "silent":
            return None
    return None


def follows(items: Sequence[Item], *until: str) -> bool:
    """Return whether a thing comes before the next verb and before any word of the classes `until`."""
    for item in items:
        if item.has(*until, "act", "make", "change", "remove"):
            return False
        if item.entry.kind in THINGS:
            return True
    return False


def has_into(items: Sequence[Item], into: Sequence[str]) -> bool:
    """Return whether a word of class "into" comes before the next verb, or that verb is of class "becomes".

    If `into` is not empty, only the words in it count.
    """
    for item in items:
        if item.has("change", "make", "remove", "act", "add", "becomes", "then", "keep"):
            return item.has("becomes")
        if item.has("into") and (not into or item.text in into):
            return True
    return False


def is_any(items: Sequence[Item], at: int) -> bool:
    """Return whether an attribute with "any" stands before a place: "any colour"."""
    return at > 1 and items[at - 1].entry.kind == "topic" and items[at - 2].text in ("any", "every")


def is_past(items: Sequence[Item], at: int) -> bool:
    """Return whether a thing is what there was: "was" stands before it, and another of its attribute follows."""
    name = items[at].attribute
    is_named_again = any(item.attribute == name for item in items[at + 1 :] if item.entry.kind in THINGS)
    return at > 0 and items[at - 1].text in PAST and name != "" and is_named_again


def is_beside(items: Sequence[Item], at: int, names: Collection[str]) -> bool:
    """Return whether "with" or "beside" stands before a thing of one of these attributes, or before its colour."""
    if attribute(items[at + (items[at].attribute == COLOUR) :]) not in names:
        return False
    while at > 0 and items[at - 1].entry.kind in THINGS:
        at -= 1
    return at > 0 and items[at - 1].text in BESIDE


def is_first(items: Sequence[Item], at: int) -> bool:
    """Return whether no thing stands between a place and the last "without", or the beginning."""
    for item in reversed(items[:at]):
        if item.entry.kind in THINGS:
            return False
        if item.has("without"):
            return True
    return True
