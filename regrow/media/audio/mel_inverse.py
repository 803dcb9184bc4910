"""Convert a mel spectrogram to a wave: estimate its magnitudes and a phase, and restore its level.

The magnitudes are the non-negative solution of W P = mel that multiplicative updates find for the Kullback-Leibler
divergence (Lee & Seung 2001, theorem 2, with W fixed):

    P <- P * (W^T (mel / W P)) / (W^T 1)

They stay positive, add nothing where all bands are silent, and need two matrix products per step for all frames at
once.
"""

import warnings

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, filters, to_mel
from regrow.media.audio.phase import griffin_lim, integrate, wave_of
from regrow.messages.message import say

UPDATES, ITERATIONS = 60, 16
"""Of the magnitudes, and of the phase (docs/explain/sound.md has what fewer and more give)."""


def from_mel(
    mel: Float[Tensor, "b 1 bands frames"],
    settings: MelSettings,
    length: int | None = None,
    iterations: int = ITERATIONS,
) -> Float[Tensor, "b 1 n"]:
    """Return a wave of this mel; the same mel gives the same wave.

    Args:
        mel: in dB; what is at the floor or below is silence.
        settings: that it was taken with.
        length: samples of the wave, at most frames times hop; all of them when None.
        iterations: of the phase.

    Raises:
        ValueError: the length is not from 1 to frames times hop.
    """
    most = mel.shape[-1] * settings.hop
    if length is not None and not 1 <= length <= most:
        raise ValueError(say("mel_length_out_of_range", frames=mel.shape[-1], most=most, length=length))
    magnitude = powers(mel, settings).sqrt()
    found = griffin_lim(magnitude, integrate(magnitude, settings), settings, iterations)
    wave = wave_of(found, settings)[:, None]
    return (wave * lost(wave, mel, settings))[..., :length]


def powers(
    mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings, updates: int = UPDATES
) -> Float[Tensor, "b bins frames"]:
    """Return the squared magnitudes of `media.mel.spectrum` that a mel in dB was summed from, as far as it tells."""
    return nonnegative(_energy(mel, settings), filters(settings), updates)


def nonnegative(
    sums: Float[Tensor, "b bands frames"], weights: Float[Tensor, "bands bins"], updates: int = UPDATES
) -> Float[Tensor, "b bins frames"]:
    """Return what is 0 or more and was summed with these weights, as far as the sums tell."""
    batch, bands, frames = sums.shape
    sums = sums.movedim(0, 1).reshape(bands, batch * frames)
    weights = weights.to(sums)
    total = weights.sum(0)[:, None]
    # of a bin's column two weights at most are not 0, and sparse products do just those
    up, down = _sparse(weights), _sparse(weights.T / total.clamp_min(1e-6))
    # spread evenly over each band to begin with; bins that no band hears stay silent
    found = down @ (sums / weights.sum(1)[:, None])
    for _ in range(updates):
        found *= down @ (sums / (up @ found).clamp_min(1e-20))
    return found.reshape(-1, batch, frames).movedim(0, 1).contiguous()


def _sparse(matrix: Float[Tensor, "rows columns"]) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the layout is in beta
        return matrix.contiguous().to_sparse_csr()


def _energy(mel: Float[Tensor, "b 1 bands frames"], settings: MelSettings) -> Float[Tensor, "b bands frames"]:
    """Decibels as powers, the floor as none at all: silence stays silent."""
    floor = 10 ** (settings.floor / 10)
    return (10 ** (mel[:, 0].float() / 10) - floor).clamp_min(0)


def lost(
    wave: Float[Tensor, "b 1 n"],
    mel: Float[Tensor, "b 1 bands frames"],
    settings: MelSettings,
    frames: Bool[Tensor, " frames"] | slice = slice(None),
) -> Float[Tensor, "b 1 1"]:
    """Return the factor by which a wave is quieter than its mel asks for: magnitudes that no wave has lose some of it.

    Args:
        wave: of n samples, frames times hop.
        mel: in dB.
        settings: that it was taken with.
        frames: which of them count.
    """
    energy = _energy(mel, settings)[..., frames].sum((1, 2))
    there = _energy(to_mel(wave, settings), settings)[..., frames].sum((1, 2))
    return torch.where(there > 0, (energy / there.clamp_min(1e-30)).sqrt(), 1)[:, None, None]
