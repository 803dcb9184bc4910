"""Worlds: procedurally generated, captioned pictures and sounds, whose true attributes are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from regrow.media.audio.piano_roll import Sounding
from regrow.worlds.bandstand import wording as wording_bandstand
from regrow.worlds.bandstand.composition import notes
from regrow.worlds.bandstand.phrase import Phrase
from regrow.worlds.lexicon import Lexicon, read_lexicon
from regrow.worlds.storybook import wording
from regrow.worlds.storybook.scene import Scene

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class World:
    """The interface of a captioned world.

    Attributes:
        default: an example thing (scene or phrase) of the world.
        attributes: attributes that captions describe, with their possible values.
        captions: returns all captions of a thing in a language, the plainest first.
        caption: returns one of these captions, for a thing, a seed and a language.
        random: returns the thing of a seed.
        render: renders a thing as a picture, uint8 `h w 3`, of a size in pixels (a side, or height and width); or as a
            wave, float32 `1 n`, of a duration in seconds.
        vocabulary: the English words and the Chinese characters of its captions.
        words: the file of the words that requests use for its things (`lexicon`).
        composition: returns the notes that are played, for a thing and seconds; None if the world plays none.
    """

    default: Any
    attributes: Mapping[str, tuple[str, ...]]
    captions: Callable[[Any, Any], tuple[str, ...]]
    caption: Callable[[Any, int, Any], str]
    random: Callable[[int], Any]
    render: Callable[[Any, Any], np.ndarray]
    vocabulary: frozenset[str]
    words: Path
    composition: Callable[[Any, float], Sequence[Sounding]] | None = None

    @property
    def lexicon(self) -> Lexicon:
        """The words that requests use for its things."""
        return read_lexicon(self.words)

    def named_attributes(self, thing: Any, text: str, language: Language) -> set[str]:
        """Return the attributes that a caption names: changing one makes the caption wrong."""
        named = set()
        for name, values in self.attributes.items():
            changed = (changed_to(thing, {name: value}) for value in values if value != getattr(thing, name))
            others = [other for other in changed if other is not None]
            if others and not any(text in self.captions(other, language) for other in others):
                named.add(name)
        return named


def changed_to(thing: Any, changes: Mapping[str, str]) -> Any | None:
    """Return the thing with other values of some attributes; None if they do not go together."""
    try:
        return thing.replace(**changes)
    except ValueError:  # a weather that the place does not have
        return None


# imported late, as drawing and playing load assets that an edit may not need


def _draw(scene: Scene, size: int | tuple[int, int]) -> np.ndarray:
    from regrow.worlds.storybook.drawing import draw

    return draw(scene, size).picture


def _play(phrase: Phrase, seconds: float) -> np.ndarray:
    from regrow.worlds.bandstand.playing import play

    return play(phrase, seconds).wave


WORLDS = {
    "storybook": World(
        Scene(),
        wording.ATTRIBUTES,
        wording.captions,
        wording.caption,
        Scene.random,
        _draw,
        frozenset((*wording.VOCABULARY, *wording.CHARACTERS)),
        Path(__file__).parent / "storybook" / "words.toml",
    ),
    "bandstand": World(
        Phrase(),
        wording_bandstand.ATTRIBUTES,
        wording_bandstand.captions,
        wording_bandstand.caption,
        Phrase.random,
        _play,
        frozenset((*wording_bandstand.VOCABULARY, *wording_bandstand.CHARACTERS)),
        Path(__file__).parent / "bandstand" / "words.toml",
        notes,
    ),
}
