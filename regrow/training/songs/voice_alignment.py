"""Align words with a recording of a voice, by singing them and comparing the two.

The model to continue sings the words with the recording's own pitch. Dynamic time warping (Sakoe & Chiba 1978, IEEE
Trans. ASSP 26.1) of its frames onto those of the recording shows where each vowel begins there. This is repeated from
the times found. No aligner or other model is needed.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from regrow.core.progress import finish
from regrow.editing.grow import grow
from regrow.media.audio import voice
from regrow.media.audio.pitch import pitch_of
from regrow.media.audio.voice_analysis import analyse
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.prompts.songs.lyrics import SungWord
from regrow.requests.generate import Generate
from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT, align
from regrow.worlds.songbook.phones import syllables
from regrow.worlds.songbook.score import HIGHEST, LOWEST, Note, Score

ROUNDS, STEPS = 3, 6
"""Number of repetitions of singing and comparing, and sampling steps of the singing."""
TEMPO = 60.0
"""At this tempo, beats are seconds."""
QUIET = -35.0
"""Level of silence in dB, relative to the recording's loudest frame."""
SHORTEST = 0.075
"""Shortest syllable in seconds."""
_COEFFICIENTS = 13
_STRETCH = 0.15
"""Cost of a step of the path that advances only one of the two, so that the path does not jump."""


def score_of_recording(wave: voice.Wave, words: Sequence[SungWord], model: Model) -> tuple[Score, int]:
    """Return the score of a recording, and the sample at which the score begins.

    Args:
        wave: mono, at `voice.RATE`.
        words: all words that are sung or spoken in it.
        model: a model that sings scores.

    Returns:
        The score, whose vowels begin where those of the recording do; and the sample, which is negative if silence must
        be added before the recording.

    Raises:
        ValueError: the recording is silent, or too short for so many syllables.
    """
    pitch, active = pitch_of(wave), _active(wave)
    parts = [(part, word.text if not i else "-") for word in words for i, part in enumerate(syllables(word.phones))]
    first, last = active
    if (last - first) * FRAME < SHORTEST * len(parts):
        raise ValueError(say("syllables_do_not_fit", count=len(parts), seconds=(last - first) * FRAME))
    theirs = _features(analyse(wave, pitch))
    times = np.linspace(first + 4, last, len(parts) + 1)
    for _ in range(ROUNDS):
        score = _score(parts, times, pitch, model.singers[0])
        aligned = align(score)
        ours = _features(_sung(model, score))
        begin = LEAD * UNIT - round(times[0])
        onsets = np.array([onset * UNIT for onset, _ in aligned.onsets.values()])
        path = _warped(ours[:, max(0, begin) :], theirs, max(0, -begin))
        there = np.interp(np.append(onsets, align(score).frames - LEAD * UNIT) - max(0, begin), *path)
        times = _spread(there, first, last)
    score = _score(parts, times, pitch, model.singers[0])
    return score, round((times[0] - LEAD * UNIT) * voice.HOP)


def _score(
    parts: Sequence[tuple[str, str]], times: Float[np.ndarray, " n"], pitch: Float[np.ndarray, " frames"], singer: str
) -> Score:
    """Return syllables as notes between times in frames, each at the median pitch of its frames."""
    notes = []
    for (phones, word), begin, end in zip(parts, times[:-1], times[1:], strict=True):
        inside = pitch[round(begin) : max(round(begin) + 1, round(end))]
        middle = float(np.clip(np.median(inside), LOWEST, HIGHEST))
        notes.append(Note(round(middle, 2), round((end - begin) * FRAME, 4), phones, word))
    return Score(tuple(notes), TEMPO, singer, vibrato=0.0)


def _sung(model: Model, score: Score) -> voice.Rows:
    shape = model.latent_shape(voice.ROWS, align(score).frames)
    x, _ = finish(grow(Generate("", guidance=1.0, steps=STEPS, solver="ddim"), model, [score.text], shape))
    return model.decode(x)[0, 0].float().numpy()


def _active(wave: voice.Wave) -> tuple[int, int]:
    """Return the first frame of a recording that is not silent, and one past the last."""
    frames = len(wave) // voice.HOP
    power = np.square(wave[: frames * voice.HOP]).reshape(frames, voice.HOP).mean(1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10 ** (QUIET / 10))
    if not len(loud) or power.max() < 1e-9:
        raise ValueError(say("nothing_to_hear"))
    return int(loud[0]), int(loud[-1]) + 1


def _features(rows: voice.Rows) -> Float[np.ndarray, "k frames"]:
    """Return features of frames that depend little on the singer: cepstra of the louder of harmonics and noise."""
    levels = np.maximum(rows[:-1], -1)
    noise = np.repeat(levels[voice.HARMONICS :], 2, 0)[: voice.HARMONICS]
    noise = np.pad(noise, ((0, voice.HARMONICS - len(noise)), (0, 0)), mode="edge")
    both = np.maximum(levels[: voice.HARMONICS], noise)
    k = np.arange(_COEFFICIENTS)[:, None]
    basis = np.cos(np.pi * k * (np.arange(voice.HARMONICS) + 0.5) / voice.HARMONICS) / voice.HARMONICS
    cepstra = basis @ both
    loud = both.mean(0) > both.mean(0).max() - 0.8
    cepstra = (cepstra - cepstra[:, loud].mean(1, keepdims=True)) / (cepstra[:, loud].std(1, keepdims=True) + 1e-3)
    return np.clip(cepstra, -3, 3) / np.sqrt(_COEFFICIENTS)


def _warped(
    ours: Float[np.ndarray, "k n"], theirs: Float[np.ndarray, "k m"], skipped: int
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return our frames, and their frame paired with each, on the cheapest path."""
    theirs = theirs[:, skipped:]
    cost = np.sqrt(np.square(ours[:, :, None] - theirs[:, None]).sum(0))
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0
    came = np.zeros((n, m), np.int8)
    for i in range(n):
        both, skip = total[i, :-1], total[i, 1:] + _STRETCH
        best, row = np.minimum(both, skip), np.empty(m)
        came[i] = np.where(both <= skip, 0, 1)
        stay = np.inf
        for j in range(m):
            if stay + _STRETCH < best[j]:
                best[j], came[i, j] = stay + _STRETCH, 2
            stay = row[j] = best[j] + cost[i, j]
        total[i + 1, 1:] = row
    j = m - 1
    place = np.zeros(n)
    i = n - 1
    while i >= 0 and j >= 0:
        place[i] = j
        step = came[i, j]
        i, j = i - (step != 2), j - (step != 1)
    return np.arange(n, dtype=float), place + skipped


def _spread(times: Float[np.ndarray, " n"], first: int, last: int) -> Float[np.ndarray, " n"]:
    """Return times that increase by at least `SHORTEST`, between the frames `first` and `last`."""
    least = SHORTEST / FRAME
    count = len(times) - 1
    low = first + least * np.arange(count + 1)
    high = last - least * np.arange(count, -1, -1)
    times = np.clip(times, low, high)
    for i in range(1, count + 1):
        times[i] = max(times[i], times[i - 1] + least)
    return np.minimum(times, high)
