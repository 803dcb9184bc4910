"""How alike two sounds are as music, on tones whose answer is known."""

import math

import pytest
import torch

from regrow.media.audio.similarity import (
    CHROMA,
    LOG_MEL,
    MELODY,
    ConstantQ,
    chroma,
    chroma_similarity,
    constant_q,
    log_mel_distance,
    melody_correlation,
)

RATE = 16_000
A4 = 440.0


def tone(hertz: float, seconds: float = 1.0, level: float = 0.5, rate: int = RATE) -> torch.Tensor:
    return level * torch.sin(2 * math.pi * hertz * torch.arange(round(seconds * rate)) / rate)[None]


def melody(*semitones: int, base: float = A4) -> torch.Tensor:
    return torch.cat([tone(base * 2 ** (step / 12), 0.5) for step in semitones], -1)


SCALE = melody(0, 2, 4, 5, 7, 9, 11, 12, base=261.63)


@pytest.mark.parametrize("bin", [0, 20, 71])
def test_a_sine_has_its_amplitude_in_its_bin_and_less_in_all_others(bin: int) -> None:
    hertz = CHROMA.low * 2 ** (bin / 12)
    found = constant_q(tone(hertz, 2.0, level=0.25), CHROMA)[:, 31]
    assert int(found.argmax()) == bin
    assert float(found[bin]) == pytest.approx(0.25, rel=1e-3)
    others = found[[k for k in range(72) if abs(k - bin) > 2]]
    assert float(others.max()) < 0.01, "a Hann window's lobes are below -31 dB two bins away"


def test_a_transform_that_reaches_above_half_the_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="84 bins from 65 Hz reach above half the rate of 8000 Hz"):
        ConstantQ(8000, 65.0, 84, 12)


def test_the_chroma_of_a_tone_is_its_pitch_class_in_every_octave() -> None:
    for hertz in (110.0, 220.0, 440.0, 880.0):
        found = chroma(tone(hertz, 2.0))[:, 31]
        assert int(found.argmax()) == 9, "A, counted from C"
        # a Hann window's main lobe gives the bins beside it half the amplitude, a quarter of the power
        assert float(found[9] / found.sum()) == pytest.approx(1 / 1.5, abs=0.03)


def test_the_same_sound_is_alike_at_any_level() -> None:
    assert chroma_similarity(SCALE, SCALE) == pytest.approx(1, abs=1e-9)
    assert chroma_similarity(SCALE, 0.1 * SCALE) == pytest.approx(1, abs=1e-6)
    assert melody_correlation(SCALE, 0.1 * SCALE) == pytest.approx(1, abs=1e-12)
    assert log_mel_distance(SCALE, SCALE) == 0


def test_another_key_is_less_alike_in_chroma_and_the_same_in_melody() -> None:
    higher = melody(*(step + 3 for step in (0, 2, 4, 5, 7, 9, 11, 12)), base=261.63)
    octave = melody(*(step + 12 for step in (0, 2, 4, 5, 7, 9, 11, 12)), base=261.63)
    assert chroma_similarity(SCALE, higher) < 0.3
    assert chroma_similarity(SCALE, octave) > 0.98
    assert melody_correlation(SCALE, higher) > 0.98, "3 semitones higher in every frame"
    assert melody_correlation(SCALE, SCALE.flip(-1)) < -0.9, "falls where the scale rises"


def test_melodies_correlate_as_their_bins_do() -> None:
    """Two notes of a second each, up by a fifth in one and by an octave in the other, the other way round: -1."""
    up = torch.cat([tone(220.0), tone(330.0)], -1)
    down = torch.cat([tone(440.0), tone(220.0)], -1)
    assert melody_correlation(up, down) == pytest.approx(-1, abs=0.1)


def test_tones_that_never_move_are_alike_only_where_they_are_the_same() -> None:
    held, other = tone(MELODY.low * 2 ** (48 / 24)), tone(MELODY.low * 2 ** (62 / 24))
    assert melody_correlation(held, 0.5 * held) == 1
    assert melody_correlation(held, other) == 0


def test_a_tone_half_an_octave_away_shares_no_chroma() -> None:
    assert chroma_similarity(tone(A4), tone(A4 * 2**0.5)) < 0.01


def test_silence_is_like_silence_and_like_nothing_else() -> None:
    nothing = torch.zeros(1, RATE)
    assert chroma_similarity(nothing, nothing) == 1
    assert chroma_similarity(tone(A4), nothing) == 0
    assert melody_correlation(nothing, nothing) == 1
    half = torch.cat([tone(A4), nothing], -1)
    whole = torch.cat([tone(A4), tone(A4)], -1)
    assert chroma_similarity(whole, half) == pytest.approx(0.5, abs=0.12), "a half of the frames has no other side"


def test_log_mels_are_as_far_apart_as_levels() -> None:
    noise = 0.1 * torch.randn(1, 22_050, generator=torch.Generator().manual_seed(0))
    assert log_mel_distance(noise, 0.1 * noise) == pytest.approx(20, abs=0.01)
    assert LOG_MEL.rate == 22_050


def test_the_longer_of_two_sounds_is_cut() -> None:
    assert chroma_similarity(SCALE, torch.cat([SCALE, tone(A4)], -1)) > 0.95
    assert melody_correlation(torch.cat([SCALE, tone(A4)], -1), SCALE) > 0.95
