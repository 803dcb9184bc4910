"""Measure how well a voice keeps the tune: the pitch by swift-f0, an independent tracker, against the score.

swift-f0 (PyPI, MIT, weights in its wheel) returns every 16 ms a pitch and its confidence that there is one.
"""

from functools import cache
from typing import Any

import numpy as np
import soxr
from jaxtyping import Float

from regrow.benchmark.song.share import Share
from regrow.media.audio.voice import RATE, Wave
from regrow.worlds.songbook.alignment import FRAME, UNIT, align, note_times
from regrow.worlds.songbook.phones import is_vowel
from regrow.worlds.songbook.score import Score

SURE = 0.9
"""Confidence of the tracker above which a frame counts as voiced."""
NEAR = 25.0
"""Largest deviation in cents of a correct pitch."""
ATTACK = 0.06
"""Seconds at the beginning of a note that do not count when compared with the plain note."""


def tracked(wave: Wave) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """Return times in seconds, pitches as MIDI numbers, and confidences of the frames of a mono wave at 24 kHz.

    Raises:
        ImportError: swift-f0 is not installed.
    """
    low = soxr.resample(np.asarray(wave, np.float32), RATE, 16_000)
    track = _tracker().detect(low, 16_000)
    return track.timestamps, 69 + 12 * np.log2(np.maximum(track.pitch_hz, 1) / 440), track.confidence


def pitch_kept(wave: Wave, score: Score) -> tuple[Share, Share]:
    """Return the share of frames within 25 cents of the score's curve, and of its plain notes.

    The first covers all voiced frames inside notes, and compares them with the score's pitch at that time, including
    glides and vibrato. The second covers only those in vowels, without the first 60 ms of each note, and compares them
    with the plain note. Vibrato and glides count as errors there, so `limit_of_notes` is its maximum.

    Args:
        wave: at 24 kHz.
        score: the score that it should sing.

    Raises:
        ImportError: swift-f0 is not installed.
    """
    seconds, pitch, sure = tracked(wave)
    return _compared(score, seconds, pitch, sure > SURE)


def limit_of_notes(score: Score) -> Share:
    """Return the second share of `pitch_kept` for the score's own pitch curve."""
    seconds = np.arange(0, align(score).frames * FRAME, 0.016)
    return _compared(score, seconds, _at(score, seconds), np.full(len(seconds), True))[1]


def _compared(score: Score, seconds: np.ndarray, pitch: np.ndarray, counts: np.ndarray) -> tuple[Share, Share]:
    inside, settled, notes = np.zeros(len(seconds), bool), np.zeros(len(seconds), bool), np.zeros(len(seconds))
    for note, (begin, end) in zip(score.notes, note_times(score), strict=True):
        first, last = (unit * UNIT * FRAME for unit in (begin, end))
        if note.pitch is not None:
            inside |= (seconds >= first) & (seconds < last)
            settled |= (seconds >= first + ATTACK) & (seconds < last)
            notes[(seconds >= first) & (seconds < last)] = note.pitch
    vowels = np.zeros(len(seconds), bool)
    for segment in align(score).segments:
        if is_vowel(segment.phone):
            vowels |= (seconds >= segment.start * UNIT * FRAME) & (seconds < segment.end * UNIT * FRAME)
    near = np.abs(pitch - _at(score, seconds)) * 100 <= NEAR
    plain = np.abs(pitch - notes) * 100 <= NEAR
    curve, note = counts & inside, counts & settled & vowels
    return Share.of(near[curve]), Share.of(plain[note])


def _at(score: Score, seconds: np.ndarray) -> np.ndarray:
    curve = align(score).pitch
    return np.interp(seconds, (np.arange(len(curve)) + 0.5) * FRAME, curve)


@cache
def _tracker() -> Any:
    from swift_f0 import SwiftF0

    return SwiftF0(threads=1, spin=False)
