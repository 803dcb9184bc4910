"""Voices as harmonics, noise and pitch: closed forms, and the way there and back."""

import numpy as np
import pytest

from regrow.media.audio.pitch import pitch_of, unlike_at
from regrow.media.audio.voice import (
    FLOOR,
    HARMONICS,
    HOP,
    NOISE,
    RATE,
    ROWS,
    hertz_of,
    places,
    steady_noise,
    synthesise,
)
from regrow.media.audio.voice_analysis import _band_levels, _read, analyse

SECONDS = 1.5
FRAMES = int(SECONDS * RATE / HOP)
INSIDE = slice(12, FRAMES - 12)


def decibels(rows: np.ndarray) -> np.ndarray:
    return (rows[:-1] + 1) * (-FLOOR / 2) + FLOOR


def tone(pitch: np.ndarray, amplitudes: dict[int, float]) -> np.ndarray:
    """A sum of harmonics of a pitch that may move."""
    f = np.interp(np.arange(FRAMES * HOP), (np.arange(FRAMES) + 0.5) * HOP, hertz_of(pitch))
    phase = 2 * np.pi * np.cumsum(f) / RATE
    return sum(a * np.cos(k * phase + k) for k, a in amplitudes.items())


@pytest.mark.parametrize("midi", [45.0, 57.3, 69.0, 76.0])
def test_amplitudes_of_harmonics_are_read_off(midi: float) -> None:
    pitch = np.full(FRAMES, midi)
    every = dict.fromkeys(range(1, int(11900 / hertz_of(pitch)[0])), 0.1)
    rows = decibels(analyse(tone(pitch, every), pitch))
    hertz = places(HARMONICS)
    assert rows[:HARMONICS][hertz < 10_000][:, INSIDE] == pytest.approx(
        -20, abs=3
    )  # between harmonics nothing is heard
    places_of_harmonics = np.abs(hertz / hertz_of(pitch)[0] - np.round(hertz / hertz_of(pitch)[0])) < 0.1
    heard = (hertz < 10_000) & places_of_harmonics
    assert rows[:HARMONICS][heard][:, INSIDE] == pytest.approx(-20, abs=0.6)
    assert rows[HARMONICS:, INSIDE].max() < -55


def test_a_pitch_that_moves_is_followed() -> None:
    pitch = 60 + 4 * np.sin(2 * np.pi * 2 * np.arange(FRAMES) * HOP / RATE)
    rows = decibels(analyse(tone(pitch, dict.fromkeys(range(1, 25), 0.1)), pitch))
    low = places(HARMONICS) < 4000
    assert rows[:HARMONICS][low][:, INSIDE] == pytest.approx(-20, abs=1.0)


def test_white_noise_has_the_density_that_it_has() -> None:
    sigma = 0.05
    rows = decibels(analyse(sigma * np.random.default_rng(0).standard_normal(FRAMES * HOP), np.full(FRAMES, 57.0)))
    # amplitudes squared are twice the power, and 100 Hz of 12,000 hold their share of it
    expected = 10 * np.log10(2 * sigma**2 * 100 / (RATE / 2))
    means = 10 * np.log10((10 ** (rows[HARMONICS:, INSIDE] / 10)).mean(1))
    assert means == pytest.approx(expected, abs=1.2)
    assert (rows[:HARMONICS, INSIDE] == FLOOR).mean() > 0.9


def test_what_is_synthesised_is_analysed_as_it_was() -> None:
    pitch = 60 + 3 * np.sin(np.arange(FRAMES) / 25)
    envelope = -20 - 30 * np.abs(np.sin(np.linspace(0, 6, HARMONICS)))[:, None]
    rows = np.zeros((ROWS, FRAMES))
    rows[:HARMONICS] = envelope
    rows[HARMONICS:-1] = -60 + np.linspace(0, 10, NOISE)[:, None]
    rows[:-1] = (rows[:-1] - FLOOR) * (-2 / FLOOR) - 1
    rows[-1] = (pitch - 60) / 24
    again = analyse(synthesise(rows), pitch)
    error = np.abs(decibels(again) - decibels(rows))[:, INSIDE]
    assert error[5:HARMONICS].mean() < 1.5
    powers = [10 ** (each[HARMONICS:, INSIDE] / 10) for each in (decibels(again), decibels(rows))]
    high = places(NOISE) > 500  # below, harmonics that move leak into what is between them
    off = 10 * np.log10(powers[0].mean(1) / powers[1].mean(1))[high]
    assert np.median(np.abs(off)) < 0.3
    assert np.abs(off).max() < 4  # where the harmonics are steepest


def test_every_band_is_about_as_loud_as_it_was() -> None:
    """Of a burst of noise between silences: what is read off alone is far off."""
    pitch = np.full(FRAMES, 52.0)
    wave = tone(pitch, {k: 0.1 / k for k in range(1, 30)})
    first = FRAMES // 2 * HOP
    wave[first - 2400 : first + 2800] = 0
    wave[first : first + 400] = 0.2 * np.random.default_rng(0).standard_normal(400)
    around = slice(FRAMES // 2, FRAMES // 2 + 2)
    wanted, corrected, read = (
        _band_levels(each)[around] for each in (wave, *(synthesise(of(wave, pitch)) for of in (analyse, _read)))
    )
    assert np.abs(corrected - wanted).mean() < 0.6 * np.abs(read - wanted).mean()


def test_silence_stays_silence() -> None:
    rows = analyse(np.zeros(FRAMES * HOP), np.full(FRAMES, 60.0))
    assert (rows[:-1] == -1).all()
    assert np.abs(synthesise(rows)).max() < 1e-3


def test_the_same_rows_are_the_same_wave() -> None:
    rows = np.random.default_rng(0).uniform(-1, 0, (ROWS, 20))
    assert np.array_equal(synthesise(rows), synthesise(rows))
    assert len(synthesise(rows)) == 20 * HOP


@pytest.mark.parametrize("midi", [40.0, 48.5, 60.0, 71.2, 79.0, 84.0])
def test_the_pitch_is_tracked(midi: float) -> None:
    pitch = midi + 0.3 * np.sin(np.arange(FRAMES) / 6)
    wave = tone(pitch, {k: 0.2 / k for k in range(1, 8)})
    wave += 1e-3 * np.random.default_rng(0).standard_normal(len(wave))
    assert np.abs(pitch_of(wave) - pitch)[INSIDE] == pytest.approx(0, abs=0.12)


def test_leaps_are_followed() -> None:
    pitch = np.repeat([60.0, 69.0, 55.0, 67.0], FRAMES // 4)
    wave = tone(pitch, {k: 0.2 / k for k in range(1, 8)})
    off = np.abs(pitch_of(wave)[: len(pitch)] - pitch) > 0.3
    assert off.mean() < 0.2  # around the leaps alone


def test_a_wave_is_like_itself_a_period_later() -> None:
    pitch = np.full(FRAMES, 60.0)
    wave = tone(pitch, {1: 0.2, 2: 0.1})
    assert unlike_at(wave, pitch)[INSIDE].max() < 0.02
    assert unlike_at(wave, pitch + 3)[INSIDE].min() > 0.3
    noise = np.random.default_rng(0).standard_normal(FRAMES * HOP)
    assert np.median(unlike_at(noise, pitch)) > 0.7


def test_a_synthesised_voice_has_the_asked_pitch() -> None:
    rows = np.full((ROWS, FRAMES), -1.0)
    rows[:HARMONICS] = 0.2
    pitch = 62 + 0.2 * np.sin(np.arange(FRAMES) / 8)
    rows[-1] = (pitch - 60) / 24
    cents = 100 * np.abs(pitch_of(synthesise(rows)) - pitch)[INSIDE]
    assert np.median(cents) < 3
    assert np.percentile(cents, 95) < 12


def test_the_noise_is_white_and_steady() -> None:
    noise = steady_noise()
    assert noise.std() == pytest.approx(1)
    bands = 10 * np.log10(np.square(np.abs(np.fft.rfft(noise))).reshape(-1)[1:37501].reshape(25, -1).mean(1))
    assert np.ptp(bands) < 0.5
    drawn = np.random.default_rng(1).standard_normal(len(noise))
    swings = [np.std(20 * np.log10(np.abs(windows(wave)))) for wave in (noise, drawn)]
    assert swings[0] < 2
    assert swings[1] > 5


def windows(wave: np.ndarray) -> np.ndarray:
    frames = np.lib.stride_tricks.sliding_window_view(wave, 600)[::150] * np.hanning(601)[:-1]
    return np.fft.rfft(frames, axis=1)[:, 4:-4]
