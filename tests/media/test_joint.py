"""New sound grown onto known samples: those stay, and the new ones begin in phase and at their level."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.media.audio.crossfade import FADE, foretell, grown_onto, pasted
from regrow.media.audio.mel import MelSettings, to_mel
from regrow.media.audio.mel_inverse import from_mel

MEL = MelSettings()
SAMPLES = 64 * MEL.hop


def tones() -> torch.Tensor:
    """Three steady tones that fit into no frame."""
    time = torch.arange(SAMPLES) / MEL.rate
    parts = [a * torch.sin(2 * math.pi * f * time) for a, f in ((0.2, 331.7), (0.1, 1203.3), (0.05, 2977.1))]
    return torch.stack(parts).sum(0, keepdim=True)


@pytest.mark.parametrize(("first", "last"), [(9001, SAMPLES), (0, 7003), (6001, 12007)])
def test_what_is_grown_goes_on_in_phase_where_a_wave_of_its_own_does_not(first: int, last: int) -> None:
    wave = tones()
    known = torch.ones(SAMPLES, dtype=torch.bool)
    known[first:last] = False
    mel = to_mel(wave[None], MEL)
    heard = torch.where(known, wave, 0.9)  # what is not known must not count
    grown = grown_onto(heard[None], (first, last), mel, MEL)[0]
    alone = from_mel(mel, MEL)[0]
    assert torch.equal(grown[:, known], wave[:, known])
    near = slice(first, first + 512) if first else slice(last - 512, last)

    def error(found: torch.Tensor) -> float:
        return float((found - wave)[:, near].square().mean() / wave[:, near].square().mean())

    assert error(grown) < 0.3
    assert error(alone) > 1
    inside = grown[:, first:last]
    assert 10 * math.log10(inside.square().mean() / wave[:, first:last].square().mean()) == pytest.approx(0, abs=1)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 3000), st.integers(1, 3000), st.integers(1, 3), st.integers(0, 2**20))
def test_old_samples_stay_and_a_sound_pasted_into_itself_is_itself(a: int, size: int, channels: int, seed: int) -> None:
    old = 0.1 * torch.randn(channels, 3000, generator=torch.Generator().manual_seed(seed))
    first, last = min(a, 2999), min(a + size, 3000)
    new = torch.randn(1, 3000, generator=torch.Generator().manual_seed(seed + 1))
    found = pasted(new, old, (first, last), MEL.rate)
    outside = torch.ones(3000, dtype=torch.bool)
    outside[first:last] = False
    assert torch.equal(found[:, outside], old[:, outside])
    assert found.isfinite().all()
    one = old[:1]
    assert (pasted(one, one, (first, last), MEL.rate) - one).abs().max() < 1e-6
    assert pasted(new, old, (first, last), MEL.rate, predicted=True).isfinite().all()


def test_tones_are_foretold_and_noise_dies_away() -> None:
    wave = tones()
    there, to_come = wave[:, :8000], wave[:, 8000:8441]
    assert (foretell(there, 441) - to_come).square().mean() < 1e-4 * to_come.square().mean()
    noise = torch.randn(2, 5000, generator=torch.Generator().manual_seed(1))
    assert foretell(noise, 4000)[:, -500:].abs().max() < noise.std()
    assert torch.equal(foretell(torch.zeros(1, 100), 50), torch.zeros(1, 50))


@pytest.mark.parametrize("predicted", [False, True])
def test_channels_keep_their_balance_and_meet_without_a_jump(predicted: bool) -> None:
    wave = tones()
    old = torch.cat([wave, 0.25 * wave + 0.1])
    first, last = 5000, 9000
    found = pasted(wave, old, (first, last), MEL.rate, predicted)
    jump = (found[:, first] - old[:, first - 1]).abs()
    assert float(jump.max()) < 1.5 * float((wave[:, 1:] - wave[:, :-1]).abs().max())
    far = slice(first + round(FADE * MEL.rate), last - round(FADE * MEL.rate))
    assert torch.allclose(found[0, far], wave[0, far] * found[0, far].norm() / wave[0, far].norm(), atol=1e-5)
    assert float(found[1, far].norm() / found[0, far].norm()) == pytest.approx(0.25, abs=0.02)
