"""Neighbours: the value beside another one, for words such as "slower", "an octave up" and "too sad"."""

from typing import Any

from regrow.worlds.world import World

ORDER = {"tempo": ("slow", "medium", "fast"), "register": ("low", "middle", "high")}
"""Values of the attributes that have a next and a previous one."""


def stepped(name: str, there: str | None, up: bool) -> str | None:
    """Return the next or the previous value of an attribute; None beyond its ends.

    Args:
        name: of an attribute of `ORDER`.
        there: its value; None, where there is none yet, gives the last or the first.
        up: the next, not the previous.
    """
    values = ORDER[name]
    if there is None:
        return values[-1 if up else 0]
    at = values.index(there) + (1 if up else -1) if there in values else -1
    return values[at] if 0 <= at < len(values) else None


def other_than(world: World, before: Any, name: str, value: str) -> str | None:
    """Return what an attribute shall be where a value is not wanted: less of it, none of it, or the other one of two.

    Args:
        world: of the attribute.
        before: the thing that is changed; None of a generation.
        name: of the attribute.
        value: that is not wanted.
    """
    there, values = getattr(before, name, None), world.attributes[name]
    if name in ORDER and there in ORDER[name] and value in (ORDER[name][0], ORDER[name][-1]):
        return stepped(name, there, up=value == ORDER[name][0])
    instead = world.lexicon.gone.get(name)
    if isinstance(instead, str):
        return instead if instead != value else None
    if instead is not None:
        return instead.get(value)
    return next(other for other in values if other != value) if len(values) == 2 else None
