"""Interpret a prompt while it is typed, for a page that shows the result; no network is evaluated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.probes.attributes import read_describer
from regrow.models.vocabulary import read_words, units, unknown_words
from regrow.prompts.captioned import is_learned, language_of, meant
from regrow.prompts.input_warnings import about_prompt, about_words
from regrow.prompts.instructions import described
from regrow.prompts.interpretation import Interpretation, interpret
from regrow.prompts.places_of_words import places_of
from regrow.prompts.reading import read
from regrow.worlds.world import WORLDS, Language, World

State = Literal["known", "corrected", "guess", "unknown"]
Kind = Literal["instruction", "description"]


@dataclass(frozen=True)
class Part:
    """A word of a text, or several that belong together.

    Attributes:
        text: as typed.
        start: its first index in the text.
        end: one past its last index.
        state: "known"; "corrected" if it is misspelt; "guess" if the nearest known word is taken, or if it is
            incompatible with the rest; "unknown" if it is left out.
        nearest: the word taken instead; None if it is taken unchanged or left out.
    """

    text: str
    start: int
    end: int
    state: State
    nearest: str | None = None


@dataclass(frozen=True)
class Typed:
    """The interpretation of a text.

    Attributes:
        parts: its words in order, without articles.
        interpretation: the text as the model understands it; None if it is unchanged, or nothing is understood.
        kind: whether it is an instruction or a description.
        guess: whether a part of it cannot be followed as meant.
        notes: sentences for the user.
    """

    parts: tuple[Part, ...]
    interpretation: str | None
    kind: Kind
    guess: bool
    notes: tuple[str, ...]


def world_of(model: Model) -> World | None:
    """Return the world that a model states to know; None if it states none.

    Raises:
        ModelError: its describer is damaged.
    """
    describer = read_describer(model.folder, model.latent_channels)
    return WORLDS[describer.world] if describer else None


def typed(model: Model, text: str, source: str = "", edits: bool = True) -> Typed:
    """Return a model's interpretation of a text, line by line.

    Args:
        model: that gets the text.
        text: in English or Chinese; for an edit, one target prompt per line.
        source: the source prompt of an edit.
        edits: whether it is for an edit.

    Raises:
        ModelError: the model's describer is damaged.
    """
    world, found, start = world_of(model), [], 0
    for line in text.split("\n"):
        if line.strip():
            one = _line(model, world, line, source if edits else "")
            parts = tuple(replace(part, start=part.start + start, end=part.end + start) for part in one.parts)
            found.append(replace(one, parts=parts))
        start += len(line) + 1
    interpretations = [one.interpretation for one in found]
    return Typed(
        tuple(part for one in found for part in one.parts),
        "\n".join(filter(None, interpretations)) if all(interpretations) and interpretations else None,
        found[0].kind if found else "description",
        any(one.guess for one in found),
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def _line(model: Model, world: World | None, text: str, source: str) -> Typed:
    if not model.takes_words:
        return Typed((), None, "description", False, (say("model_takes_no_words", name=model.name),))
    if world is None or is_learned(world, model, text):
        return _plain(model, text, source)
    said = interpret(world, source)
    origin = meant(world, world.default, source, said) or world.default
    what = interpret(world, text, origin)
    # what the source omits is unknown: no classifier has looked at the file yet
    what = replace(what, denied={word: there for word, there in what.denied.items() if there in said.values.values()})
    notes = about_prompt(model, text, what)
    kind: Kind = "instruction" if what.is_instruction else "description"
    thing = meant(world, origin, text, what) or origin
    names = (set(said.values) if what.is_instruction else set()) | set(what.values)
    interpretation = in_words(world, thing, names, language_of(text)) if names else None
    return Typed(_parts(world, text, what), interpretation, kind, what.is_guess, notes)


def _parts(world: World, text: str, what: Interpretation) -> tuple[Part, ...]:
    items, parts = read(world.lexicon, text), []
    for item, place in zip(items, places_of(text, [item.text for item in items]), strict=True):
        if place is None:
            continue
        state: State = "known"
        nearest = None
        if item.text in what.unknown:
            state = "unknown"
        elif item.text in what.nearest:
            state, nearest = "guess", what.nearest[item.text]
        elif item.text in what.unfit:
            state = "guess"
        elif item.taken:
            state, nearest = "corrected", item.taken
        parts.append(Part(text[slice(*place)], *place, state, nearest))
    return tuple(parts)


def _plain(model: Model, text: str, source: str) -> Typed:
    """Interpret for a model without a world: words stay unchanged; instructions become descriptions by the source."""
    unknown = set(unknown_words(read_words(model.folder), text))
    words = list(units(text))
    parts = tuple(
        Part(text[slice(*place)], *place, "unknown" if word in unknown else "known")
        for word, place in zip(words, places_of(text, words), strict=True)
        if place
    )
    notes = about_words(model, [text])
    if not notes:
        notes = (say("words_taken_as_they_are", name=model.name),)
    if model.only_by_instruction or (model.edits_by_instruction and not source.strip()):
        return Typed(parts, None, "instruction", bool(unknown), notes)
    try:
        description = described(text, source)
    except ValueError as problem:
        return Typed(parts, None, "instruction", True, (str(problem), *notes))
    kind: Kind = "description" if description == text else "instruction"
    return Typed(parts, description if description != text else None, kind, bool(unknown), notes)


def in_words(world: World, thing: Any, names: Iterable[str], language: Language) -> str:
    """Return a caption that names exactly these attributes of a thing; their values, joined, if there is none.

    Args:
        world: of the thing.
        thing: the thing to describe.
        names: of the attributes.
        language: of the caption.
    """
    wanted = set(names)
    for caption in world.captions(thing, language):
        if world.named_attributes(thing, caption, language) == wanted:
            return caption
    values = [
        value_in_words(world, name, getattr(thing, name), language) for name in world.attributes if name in wanted
    ]
    return ("，" if language == "zh" else ", ").join(values)


def value_in_words(world: World, name: str, value: str, language: Language) -> str:
    """Return a word for a value of an attribute; in English the value's own name if that is listed as a word."""
    words: Sequence[str] = world.lexicon.listed.get(name, {}).get(value, ())
    own = [word for word in words if language_of(word) == language and word.isprintable() and word[0].isalnum()]
    if language == "en" and (value in own or not own):
        return value
    return own[0] if own else value
