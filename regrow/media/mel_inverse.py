"""From a mel back to a wave: the magnitudes that it was summed from, a phase for them, and the level it says.

The magnitudes are the non-negative solution of W P = mel that multiplicative updates find for the Kullback-Leibler
divergence (Lee & Seung 2001, theorem 2, with W fixed):

    P <- P * (W^T (mel / W P)) / (W^T 1)

They stay positive, raise no cell that no band asks for, and run as two matrix products a step for all frames at once.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.mel import MelSettings, filters, to_mel
from regrow.media.phase import griffin_lim, integrate, wave_of

UPDATES, ITERATIONS = 60, 32
"""Of the magnitudes, and of the phase (docs/sound.md has what fewer and more give)."""


def from_mel(
    mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings, length: int | None = None
) -> Float[Tensor, "b 1 n"]:
    """A wave of this mel; the same mel gives the same wave.

    Args:
        mel: in dB; what is at the floor or below is silence.
        settings: that it was taken with.
        length: samples of the wave, at most frames times hop; all of them when None.

    Raises:
        ValueError: the length is not from 1 to frames times hop.
    """
    most = mel.shape[-1] * settings.hop
    if length is not None and not 1 <= length <= most:
        raise ValueError(f"A mel of {mel.shape[-1]} frames holds 1 to {most} samples; got {length}.")
    magnitude = powers(mel, settings).sqrt()
    found = griffin_lim(magnitude, integrate(magnitude, settings), settings, ITERATIONS)
    wave = wave_of(found, settings)[:, None, :length]
    return wave * _lost(wave, mel, settings)


def powers(
    mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings, updates: int = UPDATES
) -> Float[Tensor, "b bins frames"]:
    """The squared magnitudes of `media.mel.spectrum` that a mel in dB was summed from, as far as it tells."""
    asked = _energy(mel, settings)
    weights = filters(settings).to(asked)
    total = weights.sum(0)[:, None]
    heard = total > 0
    # spread evenly over each band to begin with; bins that no band hears stay silent
    found = torch.where(heard, weights.T @ (asked / weights.sum(1)[:, None]) / total.clamp_min(1e-6), 0)
    for _ in range(updates):
        ratio = asked / (weights @ found).clamp_min(1e-20)
        found = found * (weights.T @ ratio) / total.clamp_min(1e-6)
    return found


def _energy(mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings) -> Float[Tensor, "b bands frames"]:
    """Decibels as powers, the floor as none at all: silence stays silent."""
    floor = 10 ** (settings.floor / 10)
    return (10 ** (mel[:, 0].float() / 10) - floor).clamp_min(0)


def _lost(
    wave: Float[Tensor, "b 1 n"], mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings
) -> Float[Tensor, "b 1 1"]:
    """The factor by which a wave is quieter than its mel asks for: magnitudes that no wave has lose some of it."""
    asked = _energy(mel, settings).sum((1, 2))
    there = _energy(to_mel(wave, settings), settings).sum((1, 2))
    return torch.where(there > 0, (asked / there.clamp_min(1e-30)).sqrt(), 1)[:, None, None]
