"""Find the attribute of a picture that words name, and captions of the picture with other values of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from regrow.messages.message import say
from regrow.models.model import Model
from regrow.prompts.captioned import meant
from regrow.prompts.interpretation import interpret
from regrow.prompts.reading import read
from regrow.worlds.world import World, changed_to

MOST_OTHERS = 4
"""Most other values of the attribute that captions are made for."""


@dataclass(frozen=True)
class Named:
    """The attribute that words name, and captions with and without its value.

    Attributes:
        source: the fullest caption of the thing.
        others: the fullest captions of the thing with other values of the attribute.
        attribute: the changed attribute.
    """

    source: str
    others: tuple[str, ...]
    attribute: str


def named(world: World, model: Model, there: Any, words: str, source: str) -> Named:
    """Return captions of a thing, and of the same thing with the named part replaced or removed.

    Args:
        world: of the thing.
        model: its name is used in error sentences.
        there: the thing as the classifier recognised it.
        words: name a part of it: "the dog", "hat", "the background".
        source: the source prompt, which overrides the classifier; may be empty.

    Raises:
        ValueError: the words name nothing of this world, or something that is not present or cannot be replaced.
    """
    thing = meant(world, there, source, interpret(world, source)) or there if source else there
    what = interpret(world, words)
    topics = [item.attribute for item in read(world.lexicon, words) if item.entry.kind == "topic"]
    attributes = [name for name in world.attributes if name in what.values] or topics
    if not attributes:
        raise ValueError(say("named_thing_unknown", name=model.name, words=words))
    nouns = [name for name in world.lexicon.nouns if name in attributes]
    attribute = (nouns or attributes)[0]
    value, present = what.values.get(attribute), getattr(thing, attribute)
    if value not in (None, present) and present == "none":
        raise ValueError(say("named_thing_absent", name=model.name, words=words))
    if value not in (None, present):
        raise ValueError(say("another_thing_present", name=model.name, words=words, present=present))
    others = _others(world, thing, attribute)
    if not others:
        raise ValueError(say("nothing_in_its_place", words=words))
    captions = [world.captions(one, "en")[-1] for one in (thing, *others)]
    return Named(captions[0], tuple(captions[1:]), attribute)


def _others(world: World, thing: Any, attribute: str) -> Sequence[Any]:
    """Return the thing with other values of an attribute; one or two more attributes change if a value needs it."""
    found = []
    for value in world.attributes[attribute]:
        if value == getattr(thing, attribute):
            continue
        more = ((name, other) for name, values in world.attributes.items() for other in values if name != attribute)
        changes = [{}, *({name: other} for name, other in more)]
        pairs = [one | two for one, two in product(changes[1:], repeat=2) if one.keys() != two.keys()]
        other = next(filter(None, (changed_to(thing, {attribute: value, **each}) for each in (*changes, *pairs))), None)
        if other is not None:
            found.append(other)
    gone = [one for one in found if getattr(one, attribute) == "none"]
    return (gone or found)[:MOST_OTHERS]
