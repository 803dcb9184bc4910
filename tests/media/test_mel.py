"""Mels keep the level and the length, and phase comes back from a magnitude."""

import heapq
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.core.noise import noise
from regrow.media.audio.mel import MelSettings, as_picture, filters, from_unit, spectrum, to_mel, to_unit
from regrow.media.audio.mel_inverse import from_mel, powers
from regrow.media.audio.phase import _roots, griffin_lim, integrate, wave_of
from regrow.media.files import MediaError

SETTINGS = MelSettings()
SAMPLES = 96 * SETTINGS.hop


def tones(hertz: tuple[float, ...] = (330.0, 990.0, 2200.0), samples: int = SAMPLES) -> torch.Tensor:
    """Decaying tones, `1 1 n`, that begin a quarter into the clip."""
    t = torch.arange(samples) / SETTINGS.rate - samples / SETTINGS.rate / 4
    wave = sum(torch.sin(2 * math.pi * f * t) * torch.exp(-4 * t) for f in hertz) * (t > 0)
    return (0.2 * torch.as_tensor(wave))[None, None].float()


def decibels(ratio: torch.Tensor) -> float:
    return float(20 * torch.log10(ratio))


def rms(wave: torch.Tensor) -> torch.Tensor:
    return wave.square().mean().sqrt()


def test_a_full_scale_sine_is_zero_decibels_in_its_band_and_has_a_peak_of_one() -> None:
    t = torch.arange(SAMPLES) / SETTINGS.rate
    middle = slice(10, -10)
    for hertz in (k * SETTINGS.rate / SETTINGS.window for k in (14, 46, 186)):
        wave = torch.sin(2 * math.pi * hertz * t)[None, None]
        assert float(spectrum(wave[:, 0], SETTINGS).abs()[..., middle].max()) == pytest.approx(1, abs=0.02)
        assert float(to_mel(wave, SETTINGS)[..., middle].amax()) == pytest.approx(0, abs=4)


def test_the_mel_scale_is_slaneys() -> None:
    """Linear below 1 kHz with 200/3 Hz a mel, then 27 mels for each factor of 6.4."""
    settings = MelSettings(window=4096, bands=40, low=0.0)
    peaks = filters(settings).argmax(1) * settings.rate / settings.window
    mel = lambda f: f * 3 / 200 if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)  # noqa: E731
    step = mel(settings.high) / 41
    assert [mel(float(f)) / step for f in peaks] == pytest.approx(list(range(1, 41)), abs=0.2)


def test_silence_stays_silence() -> None:
    mel = to_mel(torch.zeros(2, 1, SAMPLES), SETTINGS)
    assert bool((mel == SETTINGS.floor).all())
    assert float(from_mel(mel, SETTINGS).abs().max()) == 0
    barely = to_mel(1e-5 * torch.randn(1, 1, SAMPLES, generator=torch.Generator().manual_seed(0)), SETTINGS)
    assert float(rms(from_mel(barely, SETTINGS))) < 1e-3


def test_what_is_40_db_quieter_stays_40_db_quieter() -> None:
    loud, quiet = (from_mel(to_mel(gain * tones(), SETTINGS), SETTINGS) for gain in (1.0, 0.01))
    assert decibels(rms(loud) / rms(tones())) == pytest.approx(0, abs=1)
    assert decibels(rms(loud) / rms(quiet)) == pytest.approx(40, abs=1)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3000))
def test_the_length_comes_back_to_the_sample(samples: int) -> None:
    mel = to_mel(tones(samples=4000)[..., :samples], SETTINGS)
    assert mel.shape[-1] == SETTINGS.frames(samples)
    assert from_mel(mel, SETTINGS, samples).shape == (1, 1, samples)


def test_a_length_beyond_the_mel_is_refused() -> None:
    with pytest.raises(ValueError, match="holds 1 to 1024 samples; got 1025"):
        from_mel(to_mel(tones(samples=1024), SETTINGS), SETTINGS, 1025)


@pytest.mark.parametrize(("window", "hop"), [(1024, 256), (1000, 300), (512, 128), (600, 200), (1000, 101)])
def test_the_true_spectrum_gives_the_wave_back(window: int, hop: int) -> None:
    settings = MelSettings(window=window, hop=hop, bands=40)
    wave = noise((12 * hop,), [1, 2]) / 4
    assert (wave_of(spectrum(wave, settings), settings) - wave).abs().max() < 1e-5


def convergence(found: torch.Tensor, true: torch.Tensor) -> float:
    """Spectral convergence in dB: how far the magnitudes of what is a wave are from those asked for."""
    again = spectrum(wave_of(found, SETTINGS), SETTINGS).abs()
    return decibels(torch.linalg.vector_norm(again - true) / torch.linalg.vector_norm(true))


def test_an_integrated_phase_beats_any_other_start_and_iterations_make_it_better() -> None:
    magnitude = spectrum(tones()[:, 0], SETTINGS).abs()
    phase = integrate(magnitude, SETTINGS)
    chance = 2 * math.pi * torch.rand(phase.shape, generator=torch.Generator().manual_seed(0))
    once = convergence(griffin_lim(magnitude, phase, SETTINGS, 0), magnitude)
    often = convergence(griffin_lim(magnitude, phase, SETTINGS, 16), magnitude)
    blind = convergence(griffin_lim(magnitude, chance, SETTINGS, 16), magnitude)
    assert once < -20
    assert often < once - 6
    assert often < blind - 6


def by_heap(log: torch.Tensor) -> list[list[int]]:
    """The roots of each frame as real-time phase-gradient heap integration finds them, cell by cell."""
    bins, frames = log.shape
    roots = [[0] * frames for _ in range(bins)]
    for n in range(1, frames):
        heap = [(-float(log[m, n - 1]), 0, m, m) for m in range(bins)]
        heapq.heapify(heap)
        done: dict[int, int] = {}
        while len(done) < bins:
            _, here, m, root = heapq.heappop(heap)
            for k in (m,) if not here else (m - 1, m + 1):
                if 0 <= k < bins and k not in done:
                    done[k] = root
                    heapq.heappush(heap, (-float(log[k, n]), 1, k, root))
        for m, root in done.items():
            roots[m][n] = root
    return roots


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(2, 4), st.integers(0, 10_000))
def test_two_scans_find_the_roots_that_a_heap_finds(bins: int, frames: int, seed: int) -> None:
    log = noise((bins, frames), [seed])
    assert _roots(log)[0, :, 1:].tolist() == [row[1:] for row in by_heap(log[0])]


def test_the_mel_of_what_is_found_is_the_mel_that_was_asked_for() -> None:
    mel = to_mel(tones(), SETTINGS)
    again = 10 * (filters(SETTINGS) @ powers(mel, SETTINGS)).clamp_min(1e-10).log10()
    heard = mel[:, 0] > mel.amax() - 60
    assert float((again - mel[:, 0]).abs()[heard].mean()) < 0.5
    assert bool((powers(mel, SETTINGS) >= 0).all())


def test_the_unit_scale_is_undone_and_silence_is_black() -> None:
    mel = to_mel(tones(), SETTINGS)
    unit = to_unit(mel, SETTINGS)
    torch.testing.assert_close(from_unit(unit, SETTINGS), mel)
    assert float(unit.min()) == -1
    picture = as_picture(unit)
    assert picture.shape == (1, 3, 128, 96)
    assert bool((picture[..., :20] == -1).all())
    assert float(as_picture(torch.ones(1, 1, 2, 2)).min()) > 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop": 600}, "window 1024 and hop 600 do not fit"),
        ({"high": 20_000.0}, "must satisfy 0 <= low < high <= rate / 2"),
        ({"floor": 3.0}, "floor must be from -200 to below 0 dB"),
        ({"bands": 2.5}, "bands must be a whole number above 0"),
    ],
)
def test_settings_out_of_range_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MediaError, match=message):
        MelSettings(**change)


def test_bands_too_narrow_for_the_window_are_named() -> None:
    with pytest.raises(MediaError, match=r"\d+ of \d+ mel bands hold no frequency of a window of 256 samples"):
        filters(MelSettings(window=256, hop=64))


def test_a_part_of_a_mel_is_as_loud_as_in_the_whole() -> None:
    mel = to_mel(tones(), SETTINGS)
    whole = from_mel(mel, SETTINGS)
    for length in (256, 2560, 20_000):
        assert torch.equal(from_mel(mel, SETTINGS, length), whole[..., :length])


@pytest.mark.parametrize(("name", "value"), [("low", "20"), ("floor", None), ("high", True)])
def test_a_setting_that_is_no_number_is_told(name: str, value: object) -> None:
    with pytest.raises(MediaError, match=f"The mel setting {name} must be a number"):
        MelSettings.from_json({**SETTINGS.to_json(), name: value})
