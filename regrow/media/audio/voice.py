"""Voices as harmonics, noise and pitch, frame by frame: a vocoder of source and filter, both ways along a known pitch.

Of the `ROWS` of a frame, the first 80 are the amplitudes of the harmonics, read at fixed places of the mel scale, 47
the density of what is between the harmonics, and the last is the pitch.

The analysis of a wave is in `media.audio.voice_analysis`; the synthesis is here:

    wave = pulses(pitch) * minimum_phase(harmonics) + white noise * density

so the pitch of the sound is that of the last row, whatever a model puts into the others.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float

RATE = 24_000
HOP = 300
HARMONICS, NOISE = 80, 47
ROWS = HARMONICS + NOISE + 1
FLOOR = -100.0
"""dB of a row that a model sees as -1; 0 dB, which is 1, is a full-scale sine, or as much noise in `BANDWIDTH` Hz."""
CENTRE, REACH = 60.0, 24.0
"""MIDI number that the row of the pitch holds as 0, and the semitones above it that it holds as 1."""
BANDWIDTH = 100.0
_LOWEST, _HIGHEST = 60.0, 11_700.0
_FILTER, _FFT = 400, 2048
_ROUNDS = 60
"""Times that the magnitudes of the noise are set to their mean."""

Rows = Float[np.ndarray, "rows frames"]
Wave = Float[np.ndarray, " n"]


@lru_cache(maxsize=2)
def places(rows: int) -> Float[np.ndarray, " rows"]:
    """Return Hz of rows: evenly spaced on the mel scale (O'Shaughnessy 1987, Speech Communication, p. 150)."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST, _HIGHEST))
    mels = np.linspace(low, high, rows)
    return 700 * (10 ** (mels / 2595) - 1)


def hertz_of(pitch: Float[np.ndarray, " frames"]) -> Float[np.ndarray, " frames"]:
    """Return the frequencies of MIDI numbers."""
    return 440 * 2 ** ((np.asarray(pitch, float) - 69) / 12)


def synthesise(rows: Rows) -> Wave:
    """Return the wave that rows sound like, float32, `HOP` samples a frame; the same for the same rows."""
    rows = np.asarray(rows, float)
    frames, n = rows.shape[1], rows.shape[1] * HOP
    step = HOP // 2
    begins = np.arange(n // step + 1) * step
    at = np.clip(begins / HOP - 0.5, 0, frames - 1)
    below = np.minimum(at.astype(int), max(frames - 2, 0))
    share = at - below
    power = 10 ** (((np.maximum(rows[:-1], -1) + 1) * (-FLOOR / 2) + FLOOR) / 10)
    # of powers, not of decibels, which would lose what a burst has
    between = power[:, below] * (1 - share) + power[:, np.minimum(below + 1, frames - 1)] * share
    between = 10 * np.log10(between.T).astype(np.float32)
    harmonics = _minimum_phase(_on_bins(between[:, :HARMONICS], HARMONICS) * np.float32(np.log(10) / 20))
    density = 10 ** (_on_bins(between[:, HARMONICS:], NOISE) / 20) * np.float32(np.sqrt(RATE / 4 / BANDWIDTH))
    white = np.resize(steady_noise(), n)
    pulses = _pulses(hertz_of(rows[-1] * REACH + CENTRE))
    wave = _filtered(pulses, harmonics, begins, 0) + _filtered(white, density, begins, _FFT // 4)
    return wave.astype(np.float32)


@lru_cache(maxsize=1)
def steady_noise() -> Wave:
    """Return white noise of variance 1 that is as strong in every window and band as on the whole, fit to be looped.

    Plain white noise varies by 5.6 dB in each of them, which sounds rough and makes words harder to understand
    (LOG.md). Here the magnitudes of its short-time Fourier transform are set to their mean again and again, as Griffin
    and Lim 1984 (IEEE Trans. ASSP 32.2) do with any others; 1.6 dB are left.
    """
    step, count = HOP // 2, 500
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4 * step) / (4 * step))
    x = np.random.default_rng(0).standard_normal(step * count)
    for _ in range(_ROUNDS):
        blocks = x.reshape(count, step)
        frames = np.concatenate([np.roll(blocks, -i, 0) for i in range(4)], 1) * window
        spectra = np.fft.rfft(frames, axis=1)
        back = np.fft.irfft(spectra / np.maximum(np.abs(spectra), 1e-9), axis=1) * window
        x = np.sum([np.roll(back.reshape(count, 4, step)[:, i], i, 0) for i in range(4)], 0).reshape(-1)
        x = x / x.std()
    return x


def _pulses(hertz: Float[np.ndarray, " frames"]) -> Wave:
    """Return the sum of all harmonics below half the rate, each a cosine of amplitude 1, by its closed form."""
    n = len(hertz) * HOP
    f = np.interp(np.arange(n), (np.arange(len(hertz)) + 0.5) * HOP, hertz)
    angle = 2 * np.pi * (np.cumsum(f) / RATE % 1)
    count, sine = np.floor((RATE / 2 - 100) / f) + 0.5, 2 * np.sin(angle / 2)
    at_zero = np.abs(sine) < 2e-3
    return np.where(at_zero, count, np.sin(count * angle) / np.where(at_zero, 1, sine)) - 0.5


def _on_bins(decibels: Float[np.ndarray, "m rows"], rows: int) -> Float[np.ndarray, "m bins"]:
    """Return dB at the bins of the filters' transform."""
    bins = np.arange(_FFT // 2 + 1) * (RATE / _FFT)
    place = np.interp(bins, places(rows), np.arange(rows))
    below = np.minimum(place.astype(int), rows - 2)
    share = (place - below).astype(decibels.dtype)
    return decibels[:, below] * (1 - share) + decibels[:, below + 1] * share


def _minimum_phase(log_amplitude: Float[np.ndarray, "m bins"]) -> Complex[np.ndarray, "m bins"]:
    """Return spectra of minimum phase (Oppenheim & Schafer, Discrete-Time Signal Processing, 12.1): folded cepstra."""
    cepstrum = np.fft.irfft(log_amplitude, _FFT, axis=1)
    cepstrum[:, 1 : _FFT // 2] *= 2
    cepstrum[:, _FFT // 2 + 1 :] = 0
    return np.exp(np.fft.rfft(cepstrum, _FFT, axis=1))


def _filtered(
    source: Wave, filters: Complex[np.ndarray, "m bins"] | Float[np.ndarray, "m bins"], begins: np.ndarray, delay: int
) -> Wave:
    """Return a source through filters that change: windowed pieces around `begins`, each by its own, added up.

    Args:
        source: its samples.
        filters: spectra, of phase zero or minimum phase.
        begins: samples that the pieces are centred at, evenly spaced.
        delay: samples that responses are turned by, so that what is before time 0 does not fall behind the end.
    """
    step, half = begins[1] - begins[0] if len(begins) > 1 else HOP // 2, _FILTER // 2
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FILTER) / _FILTER)) / (half / step)
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(source.astype(np.float32), half), _FILTER)[begins]
    filtered = np.fft.irfft(np.fft.rfft(pieces * window.astype(np.float32), _FFT, axis=1) * filters, _FFT, axis=1)
    filtered = np.roll(filtered, delay, axis=1)
    blocks = -(-_FFT // step)
    filtered = np.pad(filtered, ((0, 0), (0, blocks * step - _FFT))).reshape(len(begins), blocks, step)
    whole = np.zeros((len(begins) + blocks, step))
    for i in range(blocks):
        whole[i : i + len(begins)] += filtered[:, i]
    return whole.reshape(-1)[half + delay :][: len(source)]
