"""From a voice to its rows (`media.audio.voice`): read off along its pitch, then corrected until they sound like it.

The wave is resampled so that its pitch is constant. In a Hann window of four periods, harmonic k is then bin 4 k to the
last digit, and bin 4 k + 2, where every harmonic has a zero, holds noise alone. (Windows that follow the pitch:
Kawahara et al. 1999, Speech Communication 27.3-4; the vocoder that they lead to: Morise et al. 2016, WORLD, IEICE
Trans. E99-D.7.)

Rows measured in this way are too loud or too quiet where sounds are short or noise and harmonics mix, which makes words
harder to understand. So the rows are synthesised and corrected by the error of each band (analysis by synthesis),
`_ROUNDS` times.
"""

import numpy as np
from jaxtyping import Float

from regrow.media.audio.voice import (
    BANDWIDTH,
    CENTRE,
    FLOOR,
    HARMONICS,
    HOP,
    NOISE,
    RATE,
    REACH,
    ROWS,
    Rows,
    Wave,
    hertz_of,
    places,
    synthesise,
)

_PERIODS, _POINTS = 4, 512
"""Periods in a window, and points that a period is resampled to."""
_FINER = 4
_LOOKS = 3
"""Windows in a hop, whose powers are averaged: of a high voice one is so short that a burst would fall between two."""
_NOISE_WIDTH = 0.375
"""Equivalent noise bandwidth of a Hann window of four periods, in parts of the pitch: 1.5 bins of a quarter."""
_VOICED = 3.0
"""By how much the power of the harmonics below `_SPEECH` Hz must be above what lies between them."""
_SPEECH = 3000.0
_FAINTEST = 0.1
"""Share of its power that a harmonic keeps at least where noise is as strong as it is."""
_BANDS, _BAND_WINDOW, _BAND_FFT = 24, 600, 1024
"""Bands whose levels are compared, and the samples and the transform of the window that they are measured in."""
_ROUNDS, _MOST = 2, 10.0
"""Times that rows are corrected, and dB by which at most each time."""
_FAINT, _NOTHING = 1e-6, 1e-9
"""Share of the loudest band's power, and power, below which a band counts as silent."""


def analyse(wave: Wave, pitch: Float[np.ndarray, " frames"]) -> Rows:
    """Return a wave as the rows that models see.

    Args:
        wave: at `RATE`; what is beyond the frames is left out, what is missing is silence.
        pitch: a MIDI number for each hop, also where nothing is voiced.
    """
    n = len(pitch) * HOP
    whole = np.zeros(n)
    whole[: len(wave)] = wave[:n]
    read = _read(whole, pitch)
    wanted, moved, rows = _band_levels(whole), 0.0, read
    live = read[:-1] > -1
    for _ in range(_ROUNDS):
        moved = moved + np.clip(wanted - _band_levels(synthesise(rows)), -_MOST, _MOST)
        rows = read.copy()
        rows[:-1][live] += _of_rows(moved, hertz_of(pitch)).T[live] * (-2 / FLOOR)
        rows = np.maximum(rows, -1)
    return rows.astype(np.float32)


def _band_levels(wave: Wave) -> Float[np.ndarray, "frames bands"]:
    """Return dB of the power in overlapping triangles of the mel scale, around the middle of each frame."""
    padded = np.pad(wave, _BAND_WINDOW // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _BAND_WINDOW)[HOP // 2 :: HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_BAND_WINDOW) / _BAND_WINDOW)
    power = np.abs(np.fft.rfft(pieces * window, _BAND_FFT, axis=1)) ** 2 / np.square(window).sum()
    bands = _triangles(np.arange(_BAND_FFT // 2 + 1) * (RATE / _BAND_FFT))
    levels = power @ (bands / bands.sum(0))
    return 10 * np.log10(levels + _FAINT * levels.max(1, keepdims=True) + _NOTHING)


def _triangles(hertz: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n bands"]:
    """Return how much each frequency belongs to each band."""
    corners = np.linspace(0, _mel(RATE / 2), _BANDS + 2)
    return np.stack([np.interp(_mel(hertz), corners, row) for row in np.eye(_BANDS + 2)[1:-1]], 1)


def _mel(hertz: Float[np.ndarray, " n"] | float) -> Float[np.ndarray, " n"]:
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def _of_rows(
    moved: Float[np.ndarray, "frames bands"], hertz: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames rows"]:
    """Return dB by which rows move when bands do: those below the pitch, where nothing is, as that at the pitch."""
    at = np.maximum(np.concatenate([places(HARMONICS), places(NOISE)]), hertz[:, None])
    place = np.clip(_mel(at) / _mel(RATE / 2) * (_BANDS + 1) - 1, 0, _BANDS - 1)
    below = np.minimum(place.astype(int), _BANDS - 2)
    first, second = (np.take_along_axis(moved, below + i, 1) for i in (0, 1))
    return first + (second - first) * (place - below)


def _read(wave: Wave, pitch: Float[np.ndarray, " frames"]) -> Rows:
    """Return the rows of a wave that is as long as they are, as they are recognised in it."""
    hertz = hertz_of(pitch)
    power = _power(wave, hertz)
    harmonics = power[:, _PERIODS::_PERIODS][:, : _POINTS // 2 - 1]
    between = power[:, _PERIODS // 2 :: _PERIODS][:, : _POINTS // 2]
    beside = (between[:, :-1] + between[:, 1:]) / 2
    low = np.arange(1, harmonics.shape[1] + 1) * hertz[:, None] < _SPEECH
    voiced = (harmonics * low).sum(1) > _VOICED * (beside * low).sum(1) + 1e-12
    share = np.clip(1 - _smooth(beside) / np.maximum(_smooth(harmonics), 1e-20), _FAINTEST, 1)
    decibels = np.zeros((len(pitch), ROWS))
    decibels[:, :HARMONICS] = np.where(voiced[:, None], _at_places(harmonics * share, hertz), FLOOR)
    noise = between.copy()
    everywhere = (between[:, 1:] + harmonics) / 2
    noise[:, 1:] = np.where(voiced[:, None], between[:, 1:], everywhere)
    decibels[:, HARMONICS:-1] = _means(noise / (_NOISE_WIDTH * hertz[:, None]) * BANDWIDTH, hertz)
    rows = np.maximum((decibels - FLOOR) * (-2 / FLOOR) - 1, -1)
    rows[:, -1] = (np.asarray(pitch, float) - CENTRE) / REACH
    return rows.T


def _power(wave: Wave, hertz: Float[np.ndarray, " frames"]) -> Float[np.ndarray, "frames bins"]:
    """Return the squared amplitudes of each frame's four periods, a bin every quarter of the pitch."""
    n = len(hertz) * HOP
    x = np.zeros(n)
    x[: len(wave)] = wave[:n]
    fine = np.fft.irfft(np.fft.rfft(x), n * _FINER) * _FINER
    at = (np.arange(len(hertz)) + 0.5) * HOP
    speed = np.interp(np.arange(n), at, hertz) / RATE * _POINTS
    phase = np.concatenate([[0], np.cumsum((speed[:-1] + speed[1:]) / 2)])
    half = _PERIODS * _POINTS // 2
    grid = np.arange(-half, int(phase[-1]) + half + 1)
    times = np.interp(grid, phase, np.arange(n), left=-1, right=n)
    even = np.interp(times * _FINER, np.arange(n * _FINER), fine, left=0, right=0)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2 * half) / (2 * half))
    window *= 2 / window.sum()
    whole: Float[np.ndarray, "frames bins"] | float = 0.0
    for i in range(_LOOKS):
        centres = (np.arange(len(hertz)) + (i + 0.5) / _LOOKS) * HOP
        begins = np.clip(np.round(np.interp(centres, np.arange(n), phase)).astype(int), 0, len(even) - 2 * half)
        frames = np.lib.stride_tricks.sliding_window_view(even, 2 * half)[begins]
        whole = whole + np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    return np.asarray(whole) / _LOOKS


def _smooth(power: Float[np.ndarray, "frames k"]) -> Float[np.ndarray, "frames k"]:
    """Return means over three frames and five harmonics: a single one of noise is anything."""
    for axis, width in ((0, 3), (1, 5)):
        padded = np.pad(power, [(width // 2, width // 2) if axis == i else (0, 0) for i in (0, 1)], mode="edge")
        summed = np.cumsum(np.insert(padded, 0, 0, axis), axis)
        size = power.shape[axis]
        power = (summed.take(range(width, width + size), axis) - summed.take(range(size), axis)) / width
    return power


def _at_places(
    power: Float[np.ndarray, "frames k"], hertz: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames rows"]:
    """Return dB at the rows' places, in between the harmonics by a straight line."""
    decibels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR / 10)))
    count = np.minimum(((RATE / 2 - 100) / hertz).astype(int), power.shape[1])
    place = np.clip(places(HARMONICS)[None] / hertz[:, None] - 1, 0, count[:, None] - 1)
    below = np.minimum(place.astype(int), np.maximum(count[:, None] - 2, 0))
    first, second = (np.take_along_axis(decibels, below + i, 1) for i in (0, 1))
    return first + (second - first) * (place - below)


def _means(
    density: Float[np.ndarray, "frames k"], hertz: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, "frames rows"]:
    """Return dB of the means between the midpoints of the rows' places of a staircase, a step a harmonic."""
    hz = places(NOISE)
    edges = np.concatenate([[0], (hz[:-1] + hz[1:]) / 2, [RATE / 2]])
    summed = np.concatenate([np.zeros((len(density), 1)), np.cumsum(density, 1)], 1)
    place = np.minimum(
        edges[None] / hertz[:, None], np.minimum((RATE / 2 / hertz).astype(int), density.shape[1])[:, None]
    )
    below = np.minimum(place.astype(int), density.shape[1] - 1)
    first, second = (np.take_along_axis(summed, below + i, 1) for i in (0, 1))
    integral = first + (second - first) * (place - below)
    mean = np.diff(integral, axis=1) / np.maximum(np.diff(place, axis=1), 1e-6)
    return 10 * np.log10(np.maximum(mean, 10 ** (FLOOR / 10)))
