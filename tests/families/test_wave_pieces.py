"""Long waves through a wave codec in pieces: the same numbers as in one, from all that they depend on and no more."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regrow.models.open import open_model

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("name", ["stable-audio", "ace-step", "longcat-audio"])
def test_pieces_are_the_whole(checkpoint: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_model(checkpoint(name))
    codec, cells = model.codec, 60
    wave = torch.rand(1, model.sound.channels, cells * codec.factor, generator=torch.Generator().manual_seed(5)) / 2
    whole, calls = codec.encode(wave - 0.25), []
    sound = codec.decode(whole)
    monkeypatch.setattr(codec, "piece", 16)
    network = model.parts[codec.part]
    decode = network.decode
    monkeypatch.setattr(network, "decode", lambda z: calls.append(z.shape[-1]) or decode(z))
    scale = sound.abs().max()
    assert (codec.encode(wave - 0.25) - whole).abs().max() < 1e-5 * whole.abs().max()
    assert (codec.decode(whole) - sound).abs().max() < 1e-5 * scale
    assert max(calls) <= 16 + 2 * codec.reach < cells
    assert len(calls) == 4
    less = codec.decode(whole[..., 20:40])[..., 2 * codec.factor : -2 * codec.factor]
    assert (less - sound[..., 22 * codec.factor : 38 * codec.factor]).abs().max() > 1e-4 * scale


def test_what_is_short_is_computed_at_once(checkpoint: Callable[[str], Path]) -> None:
    codec = open_model(checkpoint("stable-audio")).codec
    latents = torch.randn(1, codec.latent_channels, 40, generator=torch.Generator().manual_seed(0))
    expected = codec.parts["vae"].decode(latents).sample.clamp(-1, 1)
    assert torch.equal(codec.decode(latents), expected)
