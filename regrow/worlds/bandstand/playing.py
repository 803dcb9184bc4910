"""Bandstand: procedurally generated, captioned short phrases, each with its exact counterfactuals.

    phrase = Phrase.random(seed=7)
    played = play(phrase)                                # wave, notes, caption
    other = play(phrase.replace(instrument="violin"))    # the same notes, times and level on another instrument

Two phrases that differ only in the instrument have the same score, note by note, and clips of the same RMS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from regrow.worlds.bandstand.composition import DURATION, Note, notes
from regrow.worlds.bandstand.phrase import (
    INSTRUMENTS,
    INSTRUMENTS_OF,
    KEYS,
    KITS,
    MELODIC,
    PATTERNS,
    REGISTERS,
    REGISTERS_OF,
    SCALES,
    SCALES_OF,
    TEMPOS,
    Phrase,
)
from regrow.worlds.bandstand.sampler import RATE, levelled, mixed
from regrow.worlds.bandstand.wording import CHARACTERS, VOCABULARY, caption, captions
from regrow.worlds.parallel_map import parallel_map

__all__ = [
    "CHARACTERS",
    "DURATION",
    "INSTRUMENTS",
    "INSTRUMENTS_OF",
    "KEYS",
    "KITS",
    "MELODIC",
    "PATTERNS",
    "RATE",
    "REGISTERS",
    "REGISTERS_OF",
    "SCALES",
    "SCALES_OF",
    "TEMPOS",
    "VOCABULARY",
    "Note",
    "Phrase",
    "Played",
    "caption",
    "captions",
    "notes",
    "play",
    "play_many",
]

FADE = 0.03
"""Seconds of fade-out at the end of a clip."""


@dataclass(frozen=True, eq=False)
class Played:
    """A played phrase.

    Attributes:
        wave: float32 `1 n` in [-1, 1], mono, at RATE.
        notes: the score that it was played from.
        caption: the plainest caption.
    """

    wave: np.ndarray
    notes: tuple[Note, ...]
    caption: str


def play(phrase: Phrase, duration: float = DURATION) -> Played:
    """Play a phrase for `duration` seconds, rounded to whole samples.

    The clip is scaled so that the RMS of all its samples, silence included, is the phrase's level.

    Raises:
        ValueError: the duration is not from 1 to 600.
    """
    score = notes(phrase, duration)
    mix = mixed(phrase.instrument, score, round(duration * RATE))
    fade = round(FADE * RATE)
    mix[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Played(levelled(mix, phrase.level)[None], score, captions(phrase)[0])


def play_many(phrases: Iterable[Phrase], duration: float = DURATION, processes: int | None = None) -> Iterator[Played]:
    """Play phrases in order on several processes (all cores when None; 1 plays in this process).

    A script that calls it with more than one process needs the usual `if __name__ == "__main__":`.
    """
    return parallel_map(partial(play, duration=duration), phrases, processes)
