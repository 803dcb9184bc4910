"""Graphs of sounds say what is in them."""

import math

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.inspect import facts_of, inspect
from regrow.media.audio import graph
from regrow.media.audio.mel import MelSettings, spectrum
from regrow.media.audio.sound import save

RATE = 22_050


def sine(hertz: float, seconds: float = 0.5) -> torch.Tensor:
    return 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize("hertz", [82.4, 220.0, 440.0, 987.8])
def test_the_pitch_of_a_tone_with_overtones_is_its_own(hertz: float) -> None:
    wave = sum(sine(k * hertz) / k for k in range(1, 6))
    found = graph.pitch(torch.as_tensor(wave), RATE)
    assert len(found) > 5
    assert float((found / hertz).log2().abs().max()) * 1200 < 10


def test_silence_and_noise_have_no_pitch() -> None:
    assert not graph.pitch(torch.zeros(RATE), RATE).any()
    noise = torch.randn(RATE, generator=torch.Generator().manual_seed(0)) / 4
    assert float((graph.pitch(noise, RATE) > 0).float().mean()) < 0.1
    assert len(graph.pitch(torch.zeros(10), RATE)) == 0


def ink(picture: torch.Tensor) -> torch.Tensor:
    """Where something is drawn, `h w`."""
    return picture[2] - picture[0] > 0.5


def test_a_waveform_is_as_high_as_the_sound_is_loud() -> None:
    for gain in (1.0, 0.5):
        rows = ink(graph.waveform(gain * 2 * sine(200.0))).any(1).nonzero()
        assert int(rows.max() - rows.min()) == pytest.approx(gain * 127, abs=2)


@pytest.mark.parametrize("count", [1, 221, 256, 257])
def test_a_waveform_of_few_samples(count: int) -> None:
    assert ink(graph.waveform(torch.full((count,), 0.5))).any(0).all()


def test_the_samples_shown_are_those_about_the_loudest_one() -> None:
    wave = torch.zeros(1000)
    wave[700] = 0.25
    picture, first = graph.samples(wave)
    assert first == 700 - 32
    assert picture.shape == (3, 128, 512)
    assert int(ink(picture).any(1).nonzero().min()) < 10  # the loudest stands near the upper edge


def test_a_high_tone_is_above_a_low_one() -> None:
    settings = MelSettings()
    brightest = []
    for hertz in (500.0, 5000.0):
        found = spectrum(sine(hertz)[None], settings)[0]
        brightest.append(int(graph.amplitude(found, settings.floor).mean((0, 2)).argmax()))
        coloured = graph.phase(found, settings.floor)
        assert float((coloured.amax(0) - coloured.amin(0)).max()) > 0.5
    assert brightest[1] < brightest[0]


def test_the_page_and_the_facts_of_a_file(tmp_path) -> None:
    path = tmp_path / "tone.flac"
    save(path, sine(440.0)[None].expand(2, -1), RATE, {"words": "a tone"})
    facts = facts_of(path)
    assert (facts["channels"], facts["rate"], facts["seconds"], facts["recipe"]) == (2, RATE, 0.5, {"words": "a tone"})
    assert (facts["peak_db"], facts["rms_db"]) == (-6.0, -9.0)
    inspected = finish(inspect(path, "", 4, None))
    assert inspected.page is not None
    assert inspected.facts["pitch_hz"] == pytest.approx(440, abs=2)
    assert 0 < inspected.facts["mel_and_back_db"] < 6
