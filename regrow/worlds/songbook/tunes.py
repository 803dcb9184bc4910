"""Generate tunes: pitches by the shape of a phrase, beats by metre and stress."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
SHAPES = ("arch", "fall", "rise", "wave")
PATTERNS = {
    4: ((1, 1, 1, 1), (1, 1, 2), (0.5, 0.5, 1, 1, 1), (1.5, 0.5, 1, 1), (2, 1, 1), (0.5, 0.5, 0.5, 0.5, 1, 1), (2, 2)),
    3: ((1, 1, 1), (2, 1), (1, 0.5, 0.5, 1), (1.5, 0.5, 1), (1, 2)),
}
"""Beats of a bar, by its metre."""


@dataclass(frozen=True)
class Key:
    """A tonic, as a MIDI number, and a scale above it."""

    tonic: float
    scale: tuple[int, ...] = MAJOR

    def pitch(self, degree: int) -> float:
        """Return the MIDI number of a degree: 0 is the tonic, negative degrees are below it."""
        octave, step = divmod(degree, len(self.scale))
        return self.tonic + 12 * octave + self.scale[step]


def melody(count: int, key: Key, random: Random, shape: str = "", span: int = 5) -> list[float]:
    """Return pitches of a phrase that follows a shape, mostly stepwise, and ends on a note of the tonic's chord.

    Args:
        count: number of notes.
        key: their key.
        random: source of random numbers.
        shape: one of `SHAPES`; random if not given.
        span: approximate number of degrees between its lowest and its highest note.
    """
    shape = shape or random.choice(SHAPES)
    degrees = []
    for i in range(count):
        share = i / max(1, count - 1)
        middle = {
            "arch": span * 4 * share * (1 - share),
            "fall": span * (1 - share),
            "rise": span * share * 0.9,
            "wave": span * (0.5 + 0.5 * (-1) ** int(share * 3.99)) * 0.6,
        }[shape]
        degrees.append(round(middle + random.choice((-1, 0, 0, 0, 1, 2))))
        if i and random.random() < 0.15:
            degrees[-1] = degrees[-2]
    if degrees:
        degrees[-1] = min((-3, 0, 2, 4, 7), key=lambda degree: abs(degree - degrees[-1]))
    return [key.pitch(degree) for degree in degrees]


def rhythm(stressed: Sequence[bool], metre: int, random: Random) -> list[float]:
    """Return beats of syllables, from bar patterns; a stressed one is not shorter than an unstressed one before it.

    Args:
        stressed: whether each syllable is stressed.
        metre: 3 or 4.
        random: source of random numbers.
    """
    beats: list[float] = []
    while len(beats) < len(stressed):
        beats += random.choice(PATTERNS[metre])
    beats = beats[: len(stressed)]
    for i in range(len(beats) - 1):
        if stressed[i + 1] and not stressed[i] and beats[i] > beats[i + 1]:
            beats[i], beats[i + 1] = beats[i + 1], beats[i]
    if beats:
        beats[-1] = max(beats[-1], 2.0 if metre == 4 else 1.5)  # the last note of a line is long
    return beats
