"""Keys of tunes, and a chord for each bar of a song."""

from collections.abc import Sequence

import numpy as np

from regrow.messages.message import say
from regrow.requests.song_options import KEY
from regrow.worlds.songbook.score import Note, Score

MAJOR, MINOR = "major", "minor"
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_PROFILES = {
    MAJOR: (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    MINOR: (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well each of 12 notes fits a key of C (Krumhansl and Kessler 1982, Psychological Review 89.4, figure 2)."""
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_CHORDS = {
    MAJOR: ((0, MAJOR), (5, MAJOR), (7, MAJOR), (9, MINOR)),
    MINOR: ((0, MINOR), (5, MINOR), (7, MAJOR), (8, MAJOR)),
}
"""I, IV, V and vi; in minor i, iv, V and VI: semitones of the root above the tonic. Of equal fits, the first wins."""
_TRIADS = {MAJOR: (0, 4, 7), MINOR: (0, 3, 7)}
_FIRST_BEAT = 1.5
"""Weight of the first beat of a bar, relative to the others, in the choice of its chord."""
_CLOSES = 1.0
"""Beats by which the tonic's chord is favoured in the last bar; half of that in the first one."""
_ROOTS = 48
"""MIDI number of the C from which roots of chords are counted."""


def key_of(pitches: Sequence[float | None], beats: Sequence[float] | None = None) -> tuple[int, str]:
    """Return the key that notes fit best, by the correlations of Krumhansl and Schmuckler.

    Krumhansl 1990, Cognitive Foundations of Musical Pitch, chapter 4: the lengths of the 12 notes are correlated with
    the profiles of 24 keys. The last note weighs twice, as tunes end on their tonic.

    Args:
        pitches: MIDI numbers; None for a rest, which is ignored.
        beats: of each; all equal if not given.

    Returns:
        The tonic, 0 is C and 11 is B, and "major" or "minor".
    """
    lengths = np.zeros(12)
    last = None
    for pitch, span in zip(pitches, beats or [1.0] * len(pitches), strict=True):
        if pitch is not None:
            lengths[round(pitch) % 12] += span
            last = (round(pitch) % 12, span)
    if last is not None:
        lengths[last[0]] += last[1]
    keys = [(tonic, mode) for mode in (MAJOR, MINOR) for tonic in range(12)]
    if np.ptp(lengths) == 0:
        return keys[0]
    fits = [np.corrcoef(lengths, np.roll(_PROFILES[mode], tonic))[0, 1] for tonic, mode in keys]
    return keys[int(np.argmax(np.round(fits, 9)))]


def read_key(text: str) -> tuple[int, str]:
    """Return the tonic, 0 is C, and the mode of a key such as "A minor" or "Bb major".

    Raises:
        ValueError: the text is not a key.
    """
    match = KEY.fullmatch(text.strip())
    if match is None:
        raise ValueError(say("tune_key_malformed", text=text[:40]))
    bent = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[match[2].lower()]
    return (_STEPS[match[1].upper()] + bent) % 12, match[3].lower()


def semitones_to(key: str, own_key: tuple[int, str]) -> int:
    """Return the semitones, from -5 to 6, by which to transpose notes into a key.

    Args:
        key: such as "A minor".
        own_key: of the notes, as `key_of` and `read_key` return it.

    Raises:
        ValueError: `key` is not a key, or the notes are in the other mode.
    """
    tonic, mode = read_key(key)
    own, own_mode = own_key
    if mode != own_mode:
        raise ValueError(
            say("tune_of_other_mode", own_tonic=NAMES[own], own_mode=own_mode, tonic=NAMES[tonic], mode=mode)
        )
    return (tonic - own + 5) % 12 - 5


def chords_of(score: Score, metre: float = 4.0) -> list[tuple[int, str, float, float]]:
    """Return a chord for each bar: the one of I, IV, V and vi in the song's key that fits the bar's notes best.

    Args:
        score: its first bar begins with its first note or rest.
        metre: beats per bar.

    Returns:
        For each bar: the root's MIDI number, 48 to 59; "major" or "minor"; the beat where the bar begins; its beats.
    """
    pitches, beats = [note.pitch for note in score.notes], [note.beats for note in score.notes]
    total = sum(beats)
    tonic, mode = key_of(pitches, beats)
    count = int(np.ceil(total / metre - 1e-6))
    chords: list[tuple[int, str, float, float]] = []
    for bar in range(count):
        weights = _weights(score.notes, bar * metre, metre)
        fits = []
        for step, quality in _CHORDS[mode]:
            tones = [(tonic + step + tone) % 12 for tone in _TRIADS[quality]]
            expected = _CLOSES * ((bar == count - 1) + (bar == 0) / 2) * (step == 0)
            fits.append(float(weights[tones].sum()) + expected)
        step, quality = _CHORDS[mode][int(np.argmax(np.round(fits, 6)))]
        root = _ROOTS + (tonic + step) % 12
        if not weights.any() and chords:
            root, quality = chords[-1][:2]
        chords.append((root, quality, bar * metre, min(metre, total - bar * metre)))
    return chords


def _weights(notes: Sequence[Note], start: float, metre: float) -> np.ndarray:
    """Return how long each of the 12 notes lasts in a bar; the bar's first beat counts `_FIRST_BEAT` times."""
    weights, at = np.zeros(12), 0.0
    for note in notes:
        begin, end = at, at + note.beats
        at = end
        if note.pitch is not None:
            whole = max(0.0, min(end, start + metre) - max(begin, start))
            first = max(0.0, min(end, start + 1) - max(begin, start))
            weights[round(note.pitch) % 12] += whole + (_FIRST_BEAT - 1) * first
    return weights
