"""Find the values of a prompt that are compatible in a world."""

from collections.abc import Callable, Mapping
from typing import Any

from regrow.worlds.world import World, changed_to

DRAWS = 60
"""Number of random things of a world; every compatible set of values fits at least one of them."""


def compatible(
    world: World, before: Any, values: Mapping[str, str], order: Callable[[str], tuple[bool, int]]
) -> tuple[dict[str, str], list[str]]:
    """Return the compatible values, and the attributes whose values were left out.

    Before a value is left out, an attribute of `lexicon.yields` may take another value: if a violin replaces a drum
    kit, a beat becomes a melody.

    Args:
        world: of the values.
        before: the thing that they change; None for a generation.
        values: by attribute.
        order: sort key of an attribute; of values that do not fit, that with the greatest key is left out first.
    """
    values, dropped = dict(values), []
    while not _go_together(world, before, values):
        if (yielded := _with_yielded(world, before, values)) is not None:
            return yielded, dropped

        def first(name: str) -> tuple[bool, bool, bool, int]:
            near, place = order(name)
            return near, name in world.lexicon.yields, name not in world.lexicon.nouns, place

        names = sorted(values, key=first, reverse=True)
        rests = [name for name in names if _go_together(world, before, {k: v for k, v in values.items() if k != name})]
        dropped.append((rests or names)[0])
        del values[dropped[-1]]
    return values, dropped


def _with_yielded(world: World, before: Any, values: Mapping[str, str]) -> dict[str, str] | None:
    if not set(values) & set(world.lexicon.nouns):  # adjectives alone replace no other attribute
        return None
    for name in set(world.lexicon.yields) - set(values):
        for value in world.attributes[name]:
            more = {**values, name: value}
            if _go_together(world, before, more):
                return more
    return None


def _go_together(world: World, before: Any, values: Mapping[str, str]) -> bool:
    """Return whether a thing can have these values without a change of any noun that they do not set."""
    if before is None:
        return any(changed_to(world.random(seed), dict(values)) is not None for seed in range(DRAWS))
    after = changed_to(before, dict(values))
    others = [name for name in world.lexicon.nouns if name not in values]
    return after is not None and all(getattr(after, name) == getattr(before, name) for name in others)
