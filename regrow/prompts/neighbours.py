"""Find the value next to another one, for words such as "slower", "an octave up" and "too sad"."""

from typing import Any

from regrow.worlds.world import World

ORDER = {"tempo": ("slow", "medium", "fast"), "register": ("low", "middle", "high")}
"""Values of the attributes that have a next and a previous one."""


def stepped(name: str, there: str | None, up: bool) -> str | None:
    """Return the next or the previous value of an attribute; None beyond its ends.

    Args:
        name: of an attribute of `ORDER`.
        there: its present value; if None, the last (`up`) or the first value is returned.
        up: True for the next value, False for the previous one.
    """
    values = ORDER[name]
    if there is None:
        return values[-1 if up else 0]
    at = values.index(there) + (1 if up else -1) if there in values else -1
    return values[at] if 0 <= at < len(values) else None


def other_than(world: World, before: Any, name: str, value: str) -> str | None:
    """Return the value that replaces an unwanted one: one step away, none, or the other one of two; None without any.

    Args:
        world: of the attribute.
        before: the thing that is changed; None for a generation.
        name: of the attribute.
        value: the unwanted value.
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
