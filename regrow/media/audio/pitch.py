"""Pitch of a voice, frame by frame: the differences of YIN, and the smoothest path through them.

YIN (de Cheveigne & Kawahara 2002, J. Acoust. Soc. Am. 111.4, equations 6 and 8) gives for each frame the difference
between the wave and itself one period later; here the best path through all frames is taken (Viterbi), so that a frame
which fits two octaves as well goes with its neighbours, and silence and consonants carry the pitch across.
"""

import numpy as np
from jaxtyping import Float

from regrow.media.audio.voice import HOP, RATE, Wave, hertz_of

LOWEST, HIGHEST = 36.0, 88.0
"""MIDI numbers that are looked for: 65 to 1319 Hz."""
_STEP = 0.2
"""Semitones between the states of the path."""
_REACH = 15
"""States that the pitch may move in a frame."""
_PRICE = 0.012
"""Of a state's step, in YIN's differences."""
_UNVOICED = 0.4
"""The difference above which a frame says nothing of its pitch."""
_LEAP = 0.35
"""The price of any leap, however far: notes leap, too."""
_HIGHER = 0.0004
"""Of a state lower: of two octaves that fit, the higher one is sung."""
_TOP = 1500.0
"""Hz up to which the wave is compared with itself; it fades out within an octave."""
_WINDOW = 1024


def pitch_of(wave: Wave) -> Float[np.ndarray, " frames"]:
    """Return a MIDI number for each hop of a mono wave at `RATE`, also where nothing is voiced."""
    unlike = _differences(np.asarray(wave, float))
    lags = RATE / (440 * 2 ** ((np.arange(LOWEST, HIGHEST, _STEP) - 69) / 12))
    costs = _between(unlike, np.broadcast_to(lags, (len(unlike), len(lags))))
    costs = np.minimum(costs, _UNVOICED) + _HIGHER * np.arange(len(lags))[::-1]
    path = _cheapest(costs)
    return _refined(unlike, lags[path])


def unlike_at(wave: Wave, pitch: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """Return how unlike itself a wave is a period of a given pitch later: 0 is periodic, 1 is not at all."""
    unlike = _differences(np.asarray(wave, float))[: len(pitch)]
    return _between(unlike, (RATE / hertz_of(pitch))[:, None])[:, 0]


def _differences(wave: Wave) -> Float[np.ndarray, "frames lags"]:
    """Return YIN's normalised differences of each frame, by whole lags."""
    longest = int(RATE / (440 * 2 ** ((LOWEST - 69) / 12))) + 2
    count, wave = -(-len(wave) // HOP), _low(wave)
    size = _WINDOW + longest
    before = (size - HOP) // 2
    padded = np.pad(wave, (before, size + HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[: count * HOP : HOP]
    n = 1 << (size + _WINDOW - 1).bit_length()
    head = np.fft.rfft(frames[:, :_WINDOW], n, axis=1)
    product = np.fft.irfft(np.fft.rfft(frames, n, axis=1) * head.conj(), n, axis=1)[:, :longest]
    squares = np.concatenate([np.zeros((count, 1)), np.cumsum(frames**2, 1)], 1)
    energy = squares[:, _WINDOW : _WINDOW + longest] - squares[:, :longest]
    difference = np.maximum(energy[:, :1] + energy - 2 * product, 0)
    running = np.cumsum(difference[:, 1:], 1)
    quiet = 1e-9 * _WINDOW
    normal = (difference[:, 1:] + quiet) * np.arange(1, longest) / (running + quiet * np.arange(1, longest))
    return np.concatenate([np.ones((count, 1)), normal], 1)


def _low(wave: Wave) -> Wave:
    """Return a wave without what is above `_TOP`: breath, and periods that fall between two samples."""
    spectrum = np.fft.rfft(wave)
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(spectrum * np.clip(2 - hertz / _TOP, 0, 1), len(wave))


def _between(
    unlike: Float[np.ndarray, "frames lags"], at: Float[np.ndarray, "frames n"]
) -> Float[np.ndarray, "frames n"]:
    below = np.minimum(at.astype(int), unlike.shape[1] - 2)
    first, second = (np.take_along_axis(unlike, below + i, 1) for i in (0, 1))
    return first + (second - first) * (at - below)


def _cheapest(costs: Float[np.ndarray, "frames states"]) -> np.ndarray:
    """Return the state of each frame on the cheapest path."""
    frames, states = costs.shape
    moves = np.arange(-_REACH, _REACH + 1)
    price = _PRICE * np.abs(moves)
    total, came = costs[0].copy(), np.zeros((frames, states), np.int16)
    for i in range(1, frames):
        padded = np.pad(total, _REACH, constant_values=np.inf)
        options = np.lib.stride_tricks.sliding_window_view(padded, len(moves)) + price
        best, lowest = options.argmin(1), int(total.argmin())
        near = options[np.arange(states), best]
        leaps = near > total[lowest] + _LEAP
        came[i] = np.where(leaps, lowest - np.arange(states), moves[best])
        total = np.where(leaps, total[lowest] + _LEAP, near) + costs[i]
    path = np.empty(frames, int)
    path[-1] = int(total.argmin())
    for i in range(frames - 1, 0, -1):
        path[i - 1] = path[i] + came[i, path[i]]
    return path


def _refined(
    unlike: Float[np.ndarray, "frames lags"], lags: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " frames"]:
    """Return MIDI numbers of the minima next to lags, in between samples by a parabola."""
    rows = np.arange(len(lags))
    near = np.clip(np.round(lags).astype(int)[:, None] + np.arange(-2, 3), 1, unlike.shape[1] - 2)
    best = near[rows, np.take_along_axis(unlike, near, 1).argmin(1)]
    left, middle, right = (unlike[rows, best + i] for i in (-1, 0, 1))
    bend = left - 2 * middle + right
    moved = np.where(bend > 1e-12, np.clip((left - right) / (2 * np.maximum(bend, 1e-12)), -0.5, 0.5), 0)
    inside = (middle <= left) & (middle <= right)
    return 69 + 12 * np.log2(RATE / np.where(inside, best + moved, lags) / 440)
