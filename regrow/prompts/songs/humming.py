"""Transcribe a hummed or sung melody to the notes of a tune."""

import os
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from regrow.media.audio.pitch import pitch_of, unlike_at
from regrow.media.audio.voice import HOP, RATE, Wave
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.prompts.songs.tune_note import SHORTEST, Tune, TuneNote, made_usable

MOST_SECONDS = 300.0
UNLIKE = 0.3
"""Value of YIN's difference function below which a frame is voiced."""
FAINTEST = 32.0
"""dB below the sound's loud frames at which silence begins."""
SHORTEST_NOTE = 0.08
FAINT, FAINT_SECONDS = 18.0, 0.25
"""A run this many dB below the loudest note and shorter than this many seconds is a voiced consonant or an echo."""
LONGEST_BREATH = 0.2
"""Longest silence or consonant, in seconds, that is part of the note before; a longer one is a rest."""
TEMPO = 120.0
"""Beats per minute in which the timing is written if neither a tempo nor a grid is given."""
DIP = 5.0
"""Depth in dB of the dip in level where a note is repeated."""
_NEAR = 12
"""Frames to each side of such a dip within which the level must be that much higher."""
_SMOOTH = 13
"""Frames of the running median: a period of vibrato, whose rate is 4 to 7 Hz."""
_SWITCH, _FAR = 3.0, 1.5
"""Costs of the path through semitones: that of a change, and the most for a frame's distance in semitones."""
_PIECE, _OVERLAP = 1600, 40
"""Frames that are analysed at once, and frames of overlap at each side, whose results are discarded."""
_QUIETEST = -12.0
_TEMPI = np.arange(60.0, 181.0)
_OFF_TUNE = 0.2
_FRAME = HOP / RATE


@dataclass(frozen=True)
class _Run:
    """Frames of one note: from `start` to before `end`, its semitone, and dB."""

    start: int
    end: int
    semitone: int
    level: float


def hummed_file(path: str | os.PathLike[str], *, tempo: float | None = None, grid: float | None = None) -> Tune:
    """Return the melody of a sound file; see `hummed`.

    Raises:
        MediaError: the file cannot be read as a sound, or `hummed` raises for it.
    """
    from regrow.media.audio.sound import load, resample, to_mono

    sound = load(path, most_seconds=MOST_SECONDS)
    wave = resample(to_mono(sound.wave), sound.rate, RATE)[0].numpy()
    try:
        return hummed(wave, tempo=tempo, grid=grid)
    except ValueError as problem:
        raise MediaError(say("tune_file_wrong", path=os.fspath(path), problem=problem)) from None


def hummed(wave: Wave, *, tempo: float | None = None, grid: float | None = None) -> Tune:
    """Return the melody of one voice, with pitches rounded to semitones and its own timing.

    A note ends where the pitch settles on another semitone, at silence or a consonant, or where it is repeated, which
    shows as a dip in level.

    Args:
        wave: mono, at `RATE`.
        tempo: beats per minute for the timing; if not given, `TEMPO`, or with a grid the best fit.
        grid: beats, such as 0.5; notes are moved to multiples of it. None keeps their timing.

    Raises:
        ValueError: the wave is too long or has no note, or the grid is out of range.
    """
    if grid is not None and not 0.05 <= grid <= 4:
        raise ValueError(say("grid_out_of_range", grid=grid))
    if len(wave) > MOST_SECONDS * RATE:
        raise ValueError(say("tune_recording_too_long", most_seconds=MOST_SECONDS))
    wave = np.asarray(wave, float)
    peak = float(np.abs(wave).max(initial=0.0))
    if not np.isfinite(peak) or peak < 1e-4 or len(wave) < SHORTEST_NOTE * RATE:
        raise ValueError(say("tune_recording_silent"))
    pitch, unlike = _followed(wave / peak)
    level = _levels(wave / peak)
    voiced = (unlike < UNLIKE) & (level > np.quantile(level, 0.95) - FAINTEST)
    smooth, offset = _tuned(pitch, voiced)
    runs = _kept(_runs(smooth, voiced, level))
    if not runs:
        raise ValueError(say("tune_recording_unclear"))
    remarks = []
    if abs(offset) > _OFF_TUNE:
        side = "above" if offset > 0 else "below"
        remarks.append(say("voice_was_tuned", offset=abs(100 * offset), side=side))
    times = np.array([(run.start, run.end) for run in runs]) * _FRAME
    if tempo is None:
        tempo = TEMPO if grid is None else _tempo(times[:, 0] - times[0, 0], grid)
    beats = (times - times[0, 0]) * tempo / 60
    if grid is not None:
        beats = np.round(beats / grid) * grid
    return made_usable(
        Tune(_notes(runs, beats, LONGEST_BREATH * tempo / 60), tempo, "", tuple(remarks)), say("the_sound")
    )


def _followed(wave: Wave) -> tuple[Float[np.ndarray, " frames"], Float[np.ndarray, " frames"]]:
    """Return pitch, and the difference of the wave from itself a period later, computed in pieces to save memory."""
    frames = -(-len(wave) // HOP)
    pitches, differences = [], []
    for start in range(0, frames, _PIECE):
        before = min(start, _OVERLAP)
        piece = wave[(start - before) * HOP : (start + _PIECE + _OVERLAP) * HOP]
        pitch = pitch_of(piece)
        kept = slice(before, before + min(_PIECE, frames - start))
        differences.append(unlike_at(piece, pitch)[kept])
        pitches.append(pitch[kept])
    return np.concatenate(pitches), np.concatenate(differences)


def _levels(wave: Wave) -> Float[np.ndarray, " frames"]:
    """Return the level of each frame in dB, in a Hann window of three frames, which is longer than a period."""
    frames = -(-len(wave) // HOP)
    squares = np.pad(wave**2, (HOP, frames * HOP - len(wave) + HOP))
    window = np.hanning(3 * HOP + 2)[1:-1]
    rows = np.lib.stride_tricks.sliding_window_view(squares, 3 * HOP)[::HOP][:frames]
    return 10 * np.log10(rows @ window / window.sum() + 1e-12)


def _tuned(
    pitch: Float[np.ndarray, " frames"], voiced: Bool[np.ndarray, " frames"]
) -> tuple[Float[np.ndarray, " frames"], float]:
    """Return the pitch without vibrato, tuned so that notes are near whole semitones, and the offset removed."""
    smooth = pitch.copy()
    for start, end in _stretches(voiced):
        padded = np.pad(pitch[start:end], _SMOOTH // 2, mode="edge")
        smooth[start:end] = np.median(np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH), axis=1)
    steady = voiced & (np.abs(np.gradient(smooth)) < 0.05) if len(smooth) > 1 else voiced
    fractions = np.exp(2j * np.pi * smooth[steady])
    offset = float(np.angle(fractions.mean()) / (2 * np.pi)) if len(fractions) else 0.0
    return smooth - offset, offset


def _stretches(flags: Bool[np.ndarray, " frames"]) -> list[tuple[int, int]]:
    """Return the runs of set flags, each as its start and one past its end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _runs(
    pitch: Float[np.ndarray, " frames"], voiced: Bool[np.ndarray, " frames"], level: Float[np.ndarray, " frames"]
) -> list[_Run]:
    """Return candidates for notes: voiced frames of one semitone, cut where a note is repeated."""
    runs = []
    for start, end in _stretches(voiced):
        semitones = _path(pitch[start:end])
        cuts = [0, *(np.flatnonzero(np.diff(semitones)) + 1), end - start]
        for a, b in pairwise(cuts):
            struck = [start + a, *_dips(level, start + a, start + b), start + b]
            for begin, stop in pairwise(struck):
                loud = float(np.quantile(level[begin:stop], 0.8))
                runs.append(_Run(int(begin), int(stop), int(semitones[a]), loud))
    return runs


def _kept(runs: list[_Run]) -> list[_Run]:
    """Return the runs that are notes: neither too short, nor both faint and short."""
    loudest = max((run.level for run in runs), default=0.0)
    return [
        run
        for run in runs
        if (run.end - run.start) * _FRAME >= SHORTEST_NOTE
        and (run.level > loudest - FAINT or (run.end - run.start) * _FRAME >= FAINT_SECONDS)
    ]


def _path(pitch: Float[np.ndarray, " frames"]) -> np.ndarray:
    """Return the semitone of each frame on the cheapest path, where each change of semitone costs `_SWITCH`."""
    states = np.arange(int(np.floor(pitch.min())), int(np.ceil(pitch.max())) + 1)
    costs = np.minimum(np.abs(pitch[:, None] - states), _FAR)
    total, came = costs[0], np.zeros(costs.shape, int)
    for i in range(1, len(pitch)):
        best = int(total.argmin())
        switched = total[best] + _SWITCH
        came[i] = np.where(switched < total, best, np.arange(len(states)))
        total = np.minimum(total, switched) + costs[i]
    path = np.empty(len(pitch), int)
    path[-1] = int(total.argmin())
    for i in range(len(pitch) - 1, 0, -1):
        path[i - 1] = came[i, path[i]]
    return states[path]


def _dips(level: Float[np.ndarray, " frames"], start: int, end: int) -> list[int]:
    """Return the frames at which a note is repeated."""
    dips: list[int] = []
    for i in range(start + 3, end - 3):
        around = level[max(start, i - _NEAR) : i], level[i + 1 : min(end, i + _NEAR + 1)]
        lowest = level[i] <= min(part.min() for part in (level[max(start, i - 4) : i], level[i + 1 : min(end, i + 5)]))
        if lowest and min(part.max() for part in around) - level[i] >= DIP and (not dips or i - dips[-1] > 4):
            dips.append(i)
    return dips


def _notes(runs: list[_Run], beats: Float[np.ndarray, "notes 2"], breath: float) -> tuple[TuneNote, ...]:
    """Return notes and rests; a note extends to the next one if the silence between them is at most a breath."""
    loudest = max(run.level for run in runs)
    notes: list[TuneNote] = []
    for i, run in enumerate(runs):
        begin, end = beats[i]
        following = beats[i + 1, 0] if i + 1 < len(runs) else max(end, begin + SHORTEST)
        rest = following - end if following - end > breath else 0.0
        level = float(max(_QUIETEST, round(run.level - loudest)))
        notes.append(TuneNote(float(run.semitone), round(float(following - rest - begin), 4), level))
        if rest:
            notes.append(TuneNote(None, round(float(rest), 4)))
    return tuple(notes)


def _tempo(onsets: Float[np.ndarray, " notes"], grid: float) -> float:
    """Return the beats per minute at which onsets are nearest to multiples of a grid; tempi near 100 are preferred."""
    places = onsets[:, None] * _TEMPI / 60 / grid
    errors = np.abs(places - np.round(places)).mean(0) + 0.05 * np.abs(np.log2(_TEMPI / 100))
    return float(_TEMPI[int(errors.argmin())])
