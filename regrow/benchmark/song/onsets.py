"""Measure when vowels begin, by aligning a voice with the teacher's, whose onsets are known from the score.

Dynamic time warping (Sakoe & Chiba 1978, IEEE Trans. ASSP 26.1, with the three plain moves) pairs the log-mel frames
of a voice with those of the teacher singing the same score. The frames are smoothed over mel bands until single
harmonics vanish. Otherwise the path would follow the pitch, which changes at the notes whatever is sung on them. The
teacher's vowel begins at a known frame; the frames that are paired with it and with the one before give the time at
which the voice's vowel begins.

Any sound, such as a hum or a hiss, yields a path. So a vowel counts as sung only if the paired frames around its onset
are similar. The method itself is validated (`moved`): a vowel of the teacher, with the consonants before it, is moved
by a known time while the pitch stays in place.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from regrow.media.audio.mel import MelSettings, to_mel
from regrow.media.audio.voice import HOP, RATE, Wave, synthesise
from regrow.media.audio.voice_analysis import analyse
from regrow.models.codecs.voice import VoiceFrames
from regrow.worlds.songbook.alignment import FRAME, UNIT, align
from regrow.worlds.songbook.phones import is_vowel
from regrow.worlds.songbook.score import Score

NEAR = 0.05
"""Largest deviation in seconds of an onset that is on time."""
REACH = 20
"""Largest distance of the path from the diagonal, in frames; 250 ms."""
PRICE = 0.3
"""Cost in dB of a step off the diagonal, which selects a path within a steady vowel, where all would cost the same."""
FLOOR = -80.0
"""Level in dB, relative to a full-scale sine, below which a cell is silence."""
AROUND = (4, 12)
"""Frames before and after a vowel's onset in which the two voices are compared."""
UNLIKE = 5.0
"""Mean absolute difference in dB there, from which on a vowel counts as not sung. Tested on 128 vowels (5th to 95th
percentile): copies of the teacher's voice differ by 0.8 to 2.0 dB, the same with 6 dB of noise in every cell of the
frames by 1.2 to 2.4, other words on the same tune by 3.5 to 10.1, a hum at the teacher's pitch and level by 4.2 to
12.8, silence by 11.7 or more. So every vowel of a copy counts, 15 % with other words, and 9 % of the hum."""
ENVELOPE = MelSettings(RATE, 1200, HOP, 60, 20.0, 12_000.0, FLOOR)
_WIDTH = 11
"""Number of mel bands in the Hann window that smooths the frames."""


@dataclass(frozen=True)
class Onset:
    """The delay of a vowel in seconds, negative if early, and its difference from the teacher's there, in dB."""

    late: float
    unlike: float

    @property
    def on_time(self) -> bool:
        """Whether it begins within 50 ms of the teacher's, whatever is sung."""
        return abs(self.late) <= NEAR + 1e-9

    @property
    def right(self) -> bool:
        """Whether it is sung and begins within 50 ms of the teacher's."""
        return self.unlike < UNLIKE and self.on_time


def log_mel(wave: Wave) -> Float[np.ndarray, "frames bands"]:
    """Return the log-mel frames of a mono wave at 24 kHz, dB, 12.5 ms each (`VoiceFrames.lens`)."""
    return _log_mel(wave, VoiceFrames().lens)


def envelope(wave: Wave) -> Float[np.ndarray, "frames bands"]:
    """Return log-mel frames in dB, smoothed so that they show formants but no single harmonics."""
    window = np.hanning(_WIDTH + 2)[1:-1]
    half = _WIDTH // 2
    padded = np.pad(_log_mel(wave, ENVELOPE), ((0, 0), (half, half)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, _WIDTH, axis=1) @ (window / window.sum())


def _log_mel(wave: Wave, settings: MelSettings) -> Float[np.ndarray, "frames bands"]:
    mel = to_mel(torch.from_numpy(np.asarray(wave, np.float32))[None, None], settings)
    return mel[0, 0].T.clamp_min(FLOOR).numpy()


def log_mel_distance(one: Wave, other: Wave, frames: np.ndarray | None = None) -> float:
    """Return the mean absolute log-mel difference of two waves in dB, over all frames or those of a mask."""
    length = max(len(one), len(other))
    first, second = (log_mel(np.pad(wave, (0, length - len(wave)))) for wave in (one, other))
    away = np.abs(first - second).mean(1)
    return float((away if frames is None else away[: len(frames)][frames[: len(away)]]).mean())


def vowel_onsets(wave: Wave, teacher: Wave, score: Score) -> list[Onset]:
    """Return when each vowel of a score begins in a voice.

    Args:
        wave: the voice, at 24 kHz.
        teacher: the teacher's wave of the same score.
        score: the score that both sing.
    """
    wave = np.pad(wave, (0, max(0, len(teacher) - len(wave))))[: len(teacher)]
    cost = np.abs(envelope(teacher)[:, None] - envelope(wave)[None]).mean(-1)
    path, onsets = warped(cost), []
    for segment in align(score).segments:
        if is_vowel(segment.phone):
            at = segment.start * UNIT
            before = path[path[:, 0] == at - 1, 1].max()
            behind = path[path[:, 0] == at, 1].min()
            around = path[(path[:, 0] >= at - AROUND[0]) & (path[:, 0] < min(at + AROUND[1], segment.end * UNIT))]
            unlike = float(cost[around[:, 0], around[:, 1]].mean())
            onsets.append(Onset(float((before + behind + 1) / 2 - at) * FRAME, unlike))
    return onsets


def warped(cost: Float[np.ndarray, "n n"], reach: int = REACH, price: float = PRICE) -> np.ndarray:
    """Return the cheapest path through a square matrix of costs, from corner to corner, as rows and columns.

    Args:
        cost: of pairing a row with a column.
        reach: largest distance from the diagonal, in cells.
        price: cost of a step along only one axis.
    """
    n, before = len(cost), np.array([])
    came = np.zeros((n, n), np.int8)
    for i in range(n):
        low, high = max(0, i - reach), min(n, i + reach + 1)
        here = cost[i, low:high]
        diagonal, up = np.full(high - low, np.inf), np.full(high - low, np.inf)
        if i:
            first = max(0, i - 1 - reach)
            up[: len(before) - (low - first)] = before[low - first :] + price
            diagonal[max(0, 1 - low) :][: len(before)] = before[: high - low - max(0, 1 - low)]
        else:
            diagonal[0] = 0.0
        enter = np.minimum(diagonal, up) + here
        # steps along the row: the cheapest of all cells at which the row can be entered
        run = np.cumsum(here + price)
        best = np.minimum.accumulate(enter - run)
        came[i, low:high] = np.where(enter - run > best, 2, np.where(diagonal <= up, 0, 1))
        before = best + run
    i = j = n - 1
    path = [(i, j)]
    while i or j:
        move = came[i, j]
        i, j = i - (move != 2), j - (move != 1)
        path.append((i, j))
    return np.array(path[::-1])


def moved(wave: Wave, score: Score, vowel: int, frames: float) -> Wave | None:
    """Return the teacher's wave with one vowel, and the consonants before it, moved in time; the pitch stays in place.

    Args:
        wave: the teacher's wave, at 24 kHz.
        score: the score that it sings.
        vowel: index of the vowel.
        frames: delay in frames of 12.5 ms, which may be a fraction or negative.

    Returns:
        The wave; None if there is no room to move the vowel.
    """
    segments, pitch = align(score).segments, align(score).pitch
    at = [i for i, segment in enumerate(segments) if is_vowel(segment.phone)][vowel]
    first = at
    while first and segments[first - 1].note == segments[at].note:
        first -= 1
    before, vowels = segments[first - 1], segments[at]
    begin, end = (before.start + before.end) // 2 * UNIT, (vowels.start + 3 * vowels.end) * UNIT // 4
    marks = list(dict.fromkeys((segments[first].start * UNIT, vowels.start * UNIT)))
    if not begin + 1 < marks[0] + frames or not marks[-1] + frames < end - 1:
        return None
    last = len(pitch) - 1
    source = np.interp(np.arange(last + 1), [0, begin, *(m + frames for m in marks), end, last],
                       [0, begin, *marks, end, last])  # fmt: skip
    rows = analyse(wave, pitch)
    below = source.astype(int)
    share = (source - below).astype(np.float32)
    drawn = rows[:, below] * (1 - share) + rows[:, np.minimum(below + 1, last)] * share
    drawn[-1] = rows[-1]
    return synthesise(drawn)
