"""Interpret a prompt or an instruction: the attributes of a world that it sets, and the words not understood."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regrow.prompts.compatible import compatible
from regrow.prompts.neighbours import ORDER, other_than, stepped
from regrow.prompts.reading import Item, read
from regrow.prompts.roles import Roles, roles_of
from regrow.worlds.lexicon import key_of
from regrow.worlds.world import World, changed_to


@dataclass(frozen=True)
class Interpretation:
    """What a prompt sets in a world.

    Attributes:
        values: the wanted values by attribute; all other attributes are open in a generation and kept in an edit.
        is_instruction: whether the prompt is an instruction, not a description.
        taken: misspelt words, each with the known word that is assumed.
        nearest: words for something that the world lacks, each with the nearest value.
        unknown: words that were left out, as the world has nothing similar.
        unfit: words for something of the world that is incompatible with the rest.
        denied: words for something that the prompt assumes present but is not, each with the value present instead.
    """

    values: Mapping[str, str]
    is_instruction: bool = False
    taken: Mapping[str, str] = field(default_factory=dict)
    nearest: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    denied: Mapping[str, str] = field(default_factory=dict)

    @property
    def guessed(self) -> tuple[str, ...]:
        """The words that could not be followed as meant."""
        return (*self.nearest, *self.unknown, *self.unfit)

    @property
    def is_guess(self) -> bool:
        """Whether a part of the prompt could not be followed as meant."""
        return bool(self.guessed)


def interpret(world: World, prompt: str, before: Any = None) -> Interpretation:
    """Return the interpretation of a prompt.

    Args:
        world: of the prompt.
        prompt: a description or an instruction, in English or Chinese.
        before: the thing before an edit; None for a generation.
    """
    items = read(world.lexicon, prompt)
    return _Resolver(world, before, items).interpretation()


class _Resolver:
    def __init__(self, world: World, before: Any, items: list[Item]) -> None:
        self.world, self.before, self.items = world, before, items
        self.roles: Roles = roles_of(world.lexicon, items)
        self.values: dict[str, str] = {}
        self.words: dict[str, str] = {}
        """By attribute, the words that set it."""
        self.nearest: dict[str, str] = {}
        unknown = [item for item in items if item.entry.kind == "unknown"]
        self.unknown = [item.text for item in unknown if not item.attribute]
        self.unfit = [item.text for item in unknown if item.attribute]
        self.denied: dict[str, str] = {}

    def interpretation(self) -> Interpretation:
        new = self._readings(self.roles.new)
        self._set(new)
        self._set_objects()
        self.unfit += [item.text for item in self.roles.added]
        self._leave_out()
        self._topics()
        for item in self.roles.new:
            if item.entry.kind in ("step", "opposite"):
                self._step(item)
        self._soften(new)
        self._fit()
        self._compare()
        if self.items and not (self.values or self.unknown or self.unfit or self.denied or self.nearest):
            kinds = {item.entry.kind for item in self.items}
            if not kinds & {"value", "step"}:  # else it asks for the present state
                self.unknown = [" ".join(item.text for item in self.items)]
        return Interpretation(
            self.values,
            self.roles.instruction,
            {item.text: item.taken for item in self.items if item.taken},
            self.nearest,
            tuple(dict.fromkeys(self.unknown)),
            tuple(dict.fromkeys(self.unfit)),
            self.denied,
        )

    def _readings(self, items: Iterable[Item]) -> list[tuple[Item, Mapping[str, str]]]:
        """Return each item that names values, with the values of the reading that is compatible with the rest."""
        found = []
        topics = {item.attribute for item in self.items if item.entry.kind == "topic"}
        certain: dict[str, str] = {}
        for item in items:
            if item.entry.kind == "value" and not item.entry.other:
                certain |= item.entry.values
        for item in items:
            if item.entry.kind == "value":
                values = item.entry.values
                if item.entry.other and not self._goes(certain | dict(values), topics, item):
                    values = item.entry.other
                found.append((item, values))
            elif item.entry.kind == "near":
                if item.entry.values:
                    found.append((item, item.entry.values))
                else:
                    self.unknown.append(item.text)
        return found

    def _goes(self, values: Mapping[str, str], topics: set[str], item: Item) -> bool:
        if topics & set(item.entry.other) and not topics & set(item.entry.values):
            return False
        thing = self.before if self.before is not None else self.world.default
        if self.before is None and not set(values) & set(self.world.lexicon.nouns[1:2]):
            return False
        return changed_to(thing, dict(values)) is not None

    def _set(self, new: list[tuple[Item, Mapping[str, str]]]) -> None:
        """Set each named attribute; of several values, the first that is not present yet, else the first."""
        for name in self.world.attributes:
            named = [(item, values[name]) for item, values in new if name in values]
            choices = {value: item for item, value in reversed(named)}
            there = getattr(self.before, name, None)
            if (
                len(choices) > 1
                and there in choices
                and self.roles.instruction
                and choices[there].entry.kind == "value"
            ):
                del choices[there]
            for i, (value, item) in enumerate(reversed(choices.items())):
                if i:
                    self.unfit.append(item.text)
                    continue
                self.values[name], self.words[name] = value, item.text
                if item.entry.kind == "near":
                    self.nearest[item.text] = value

    def _set_objects(self) -> None:
        """Treat the object of a verb as new if nothing replaces it: "let the flute play it"."""
        owner = self.world.lexicon.nouns[0] if self.world.lexicon.owns else ""
        for item in self.roles.old:
            values = {} if item.entry.kind != "value" else item.entry.values
            others = {name for name in values if name != owner and self._differs(name, values[name])}
            if self.before is None or (others and not any(name in self.values for name in values)):
                self.values |= {**item.entry.soft, **values}
                self.words |= dict.fromkeys(values, item.text)
                self.roles.old = [one for one in self.roles.old if one is not item]

    def _differs(self, name: str, value: str) -> bool:
        return getattr(self.before, name, value) != value

    def _leave_out(self) -> None:
        """Set values without what shall be removed, if the world has such values."""
        for item in (*self.roles.gone, *self.roles.old):
            gone = item in self.roles.gone
            if item.entry.kind == "near" and item.attribute not in self.values:
                self.unknown.append(item.text)
            instead = self.world.lexicon.gone.get(item.attribute)
            if item.entry.kind == "topic" and gone and isinstance(instead, str):
                self.values.setdefault(item.attribute, instead)
            for name, value in self._there(item).items():
                if item.entry.kind != "value" or self.values.get(name, value) != value:
                    continue
                there = getattr(self.before, name, None)
                other = other_than(self.world, self.before, name, value) if gone else None
                if other is not None:
                    if self.before is None or there == value or name in ORDER:
                        self.values[name], self.words[name] = other, item.text
                elif gone:
                    self.unfit.append(item.text)

    def _there(self, item: Item) -> Mapping[str, str]:
        """Return the values of a word for something present, in the reading that fits what is present."""
        values = item.entry.values
        other = self.world.lexicon.without.get(key_of(item.text), {})
        if other and not set(values) & set(self.values) and self._is(other) and not self._is(values):
            return other
        return values

    def _is(self, values: Mapping[str, str]) -> bool:
        return all(getattr(self.before, name, None) == value for name, value in values.items())

    def _topics(self) -> None:
        """Report an attribute that shall be changed or removed if no word says to which value."""
        says = self.values or self.unknown or any(item.entry.kind in ("step", "opposite") for item in self.items)
        if not says:
            topics = [item for item in (*self.roles.old, *self.roles.gone) if item.entry.kind == "topic"]
            self.unfit += [item.text for item in topics]
        for other, item in zip(self.items, self.items[1:], strict=False):
            if other.has("other") and item.entry.kind == "topic" and item.attribute not in self.values:
                self.unfit.append(item.text)

    def _step(self, item: Item) -> None:
        """Set the next or the previous value, or the other one of two."""
        name, there = item.attribute, getattr(self.before, item.attribute, None)
        if item.entry.kind == "opposite":
            if there is not None and (other := other_than(self.world, self.before, name, there)):
                self.values.setdefault(name, other)
            return
        value = stepped(name, there, item.entry.values[""] == "up")
        if there is None:
            self.values.setdefault(name, value or "")
        elif value is not None:
            self.values[name], self.words[name] = value, item.text
        else:
            self.unfit.append(item.text)

    def _soften(self, new: list[tuple[Item, Mapping[str, str]]]) -> None:
        for item, _ in new:
            for name, value in item.entry.soft.items():
                if name not in self.values:
                    self.values[name], self.words[name] = value, item.text

    def _fit(self) -> None:
        """Leave out incompatible values."""
        texts = [item.text for item in self.items]

        def order(name: str) -> tuple[bool, int]:  # nearest values are left out first, then those named last
            word = self.words.get(name, "")
            return word in self.nearest, texts.index(word) if word in texts else -1

        self.values, dropped = compatible(self.world, self.before, self.values, order)
        self.unfit += [self.words.get(name, name) for name in dropped]

    def _compare(self) -> None:
        """Record what the prompt assumes to be present and is not."""
        if self.before is None:
            return
        for item in (*self.roles.old, *self.roles.gone, *self.roles.kept):
            for name, value in self._there(item).items():
                there = getattr(self.before, name, value)
                is_settled = item in self.roles.gone and name in self.values
                if item.entry.kind == "value" and there != value and not is_settled:
                    self.denied[item.text] = there
