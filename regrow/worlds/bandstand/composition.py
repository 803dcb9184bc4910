"""Generate the notes of a phrase from its tune's seed: the same on every instrument.

Chords change every two beats; the first and the last one are the tonic. Melodies move by small steps, to a note
of the chord on strong beats, and end on the tonic. Steps count degrees of the scale from 0, the tonic, to 7, its
octave.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from regrow.messages.message import say
from regrow.worlds.bandstand.phrase import REGISTERS, SCALES, TEMPOS, Phrase

DURATION = 6.0
"""Default duration of a clip in seconds."""
SHORTEST, LONGEST = 1.0, 600.0
"""Shortest and longest duration of a clip in seconds."""
ENDING = 0.2
"""Seconds at the end of a clip without held notes, in which the last note dies away."""

PROGRESSIONS = ((0, 5, 3, 4), (0, 3, 4, 0), (0, 4, 5, 3), (0, 3, 1, 4), (0, 5, 1, 4), (0, 4, 3, 4))
"""The step of the root of each chord; a chord lasts two beats."""
MELODY_BARS = (
    (1, 1, 1, 1),
    (1, 1, 2),
    (2, 1, 1),
    (0.5, 0.5, 1, 1, 1),
    (1, 0.5, 0.5, 2),
    (1.5, 0.5, 1, 1),
    (1, 1, 0.5, 0.5, 1),
    (1.5, 0.5, 1.5, 0.5),
)
"""Lengths of the notes of a bar, in beats."""
ARPEGGIOS = ((0, 1, 2, 1), (0, 2, 1, 2), (2, 1, 0, 1))
"""Orders of a chord's notes, 0 the lowest; each lasts an eighth."""
CHORD_RHYTHMS = ((2,), (1, 1), (1.5, 0.5), (1, 0.5, 0.5))
"""Lengths of the chords within two beats, in beats."""
BASS_LINES = (
    ((0.5, 0), (0.5, 0), (0.5, 2), (0.5, 4)),
    ((1, 0), (0.5, 2), (0.5, 4)),
    ((0.75, 0), (0.25, 0), (0.5, 4), (0.5, 2)),
    ((0.5, 0), (0.5, 4), (0.5, 2), (0.5, 0)),
    ((1, 0), (1, 2)),
)
"""Notes of two beats: length in beats, and steps above the root; all have the third, which tells major from minor."""
KICK, SNARE, HAT, OPEN_HAT, CRASH = 36, 38, 42, 46, 49
TOMS = (50, 47, 45)
SOUNDS = {KICK: 1.0, SNARE: 1.0, HAT: 0.25, OPEN_HAT: 0.5, CRASH: 3.0, 50: 1.0, 47: 1.0, 45: 1.0}
"""Beats that each drum (a key of General MIDI's percussion map) sounds."""
GROOVES = (
    {KICK: "x.......x.x.....", SNARE: "....x.......x...", HAT: "x.x.x.x.x.x.x.x."},
    {KICK: "x...x...x...x...", SNARE: "....x.......x...", OPEN_HAT: "..x...x...x...x."},
    {KICK: "x.........x.....", SNARE: "........x.......", HAT: "x.x.x.x.x.x.x.x."},
    {KICK: "x..x..x...x.....", SNARE: "....x.......x..x", HAT: "x.x.x.x.x.x.x.x."},
    {KICK: "x.x...x.x.x...x.", SNARE: "....x.......x...", HAT: "x...x...x...x..."},
    {KICK: "x.......x.......", 45: "..x.....x.....x.", 50: "......x.......x.", HAT: "x...x...x...x..."},
)
"""Where each drum is struck, in sixteenths of a bar."""


@dataclass(frozen=True)
class Note:
    """A note of a score.

    Attributes:
        onset: seconds from the beginning of the clip.
        duration: seconds it is held.
        pitch: MIDI key, 60 is middle C; in a beat, the drum in General MIDI's percussion map.
        velocity: how hard it is struck, 1 to 127.
    """

    onset: float
    duration: float
    pitch: int
    velocity: int


def notes(phrase: Phrase, duration: float = DURATION) -> tuple[Note, ...]:
    """Return the notes of a phrase, in the order of onsets; they do not depend on instrument and level.

    Args:
        duration: duration of the clip in seconds, from 1 to 600. No note is held in its last 0.2 s.

    Raises:
        ValueError: the duration is not allowed.
    """
    if isinstance(duration, bool) or not isinstance(duration, (int, float)) or not SHORTEST <= duration <= LONGEST:
        raise ValueError(say("duration_no_seconds", duration=duration, shortest=SHORTEST, longest=LONGEST))
    beat = 60 / TEMPOS[phrase.tempo]
    bars = math.ceil(duration / (4 * beat) - 1e-9)
    random = Random(f"tune {phrase.tune}")
    end = duration - ENDING
    made = [
        replace(note, onset=note.onset * beat, duration=min(note.duration * beat, end - note.onset * beat))
        for note in _in_beats(phrase, bars, random)
        if note.onset * beat < end - 0.05
    ]
    return tuple(sorted(made, key=lambda note: (note.onset, note.pitch)))


def _in_beats(phrase: Phrase, bars: int, random: Random) -> Iterator[Note]:
    """Yield the notes with onsets and durations in beats."""
    if phrase.pattern == "beat":
        yield from _beat(bars, random)
        return
    progression = random.choice(PROGRESSIONS)
    roots = [progression[i % 4] for i in range(2 * bars - 1)] + [0]
    tonic, scale = REGISTERS[phrase.register] + phrase.key, SCALES[phrase.scale]
    play = {"melody": _melody, "arpeggio": _arpeggio, "chords": _chords, "bass line": _bass_line}[phrase.pattern]
    for onset, length, step in play(roots, random):
        strength = 100 if onset % 2 == 0 else 90 if onset % 1 == 0 else 78
        pitch = tonic + 12 * (step // 7) + scale[step % 7]
        yield Note(onset, 0.95 * length, pitch, strength + random.randint(-4, 4))


Steps = Iterator[tuple[float, float, int]]
"""Onset and length in beats, and the step of the scale."""


def _chord(root: int) -> tuple[int, ...]:
    """Return the triad on a root, folded into the octave above the tonic, lowest step first."""
    return tuple(sorted(step - 7 if step > 7 else step for step in (root, root + 2, root + 4)))


def _melody(roots: list[int], random: Random) -> Steps:
    bars = len(roots) // 2
    rhythms = random.sample(MELODY_BARS, 3)
    step = random.choice((0, 2, 4, 7))
    for bar in range(bars - 1):
        onset = 4.0 * bar
        for length in rhythms[(0, 1, 0, 2)[bar % 4]]:
            if onset % 2 == 0:
                goal = step + random.choice((-2, -1, 1, 2))
                step = min(_chord(roots[int(onset // 2)]), key=lambda found: abs(found - goal))
            else:
                step += random.choice((-2, -1, -1, 1, 1, 2))
                step = 14 - step if step > 7 else abs(step)
            yield onset, length, step
            onset += length
    last = random.choice(_chord(roots[-2]))
    tonic = 0 if last < 4 else 7
    onset = 4.0 * (bars - 1)
    yield onset, 1, last
    yield onset + 1, 1, tonic - 1  # the leading note differs in all three scales
    yield onset + 2, 2, tonic


def _arpeggio(roots: list[int], random: Random) -> Steps:
    order = random.choice(ARPEGGIOS)
    for i, root in enumerate(roots):
        for j, place in enumerate(order):
            yield 2.0 * i + 0.5 * j, 0.5, _chord(root)[place]


def _chords(roots: list[int], random: Random) -> Steps:
    rhythm = random.choice(CHORD_RHYTHMS)
    for i, root in enumerate(roots):
        onset = 2.0 * i
        for length in (2,) if i == len(roots) - 1 else rhythm:
            for step in _chord(root):
                yield onset, length, step
            onset += length


def _bass_line(roots: list[int], random: Random) -> Steps:
    line = random.choice(BASS_LINES)
    for i, root in enumerate(roots):
        onset = 2.0 * i
        for length, above in line:
            step = root + above
            yield onset, length, step - 7 if step > 7 else step
            onset += length


def _beat(bars: int, random: Random) -> Iterator[Note]:
    """Yield a groove in every bar; half of the tunes start with a crash, half end with a fill."""
    groove = random.choice(GROOVES)
    crash, fill = random.random() < 0.5, random.random() < 0.5
    if crash:
        yield Note(0.0, SOUNDS[CRASH], CRASH, 96)
    for bar in range(bars):
        played = 8 if fill and bar == bars - 1 else 16
        for drum, hits in groove.items():
            for i, hit in enumerate(hits[:played]):
                if hit == "x":
                    strength = 104 if i % 8 == 0 else 92 if i % 4 == 0 else 80
                    yield Note(4 * bar + i / 4, SOUNDS[drum], drum, strength + random.randint(-4, 4))
    if fill:
        for i in range(8):
            drum = (SNARE, SNARE, *TOMS, TOMS[-1])[min(i * 6 // 8, 5)]
            yield Note(4 * bars - 2 + i / 4, SOUNDS[drum], drum, 88 + 2 * i)
