"""Measure the level of a sound, and adapt it to the levels that a model was trained on.

A model returns sounds at the level of its training data, so a quiet recording would come back loud. The input is scaled
to that level, and the result back to the level of the file.
"""

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

USUAL = (-28.0, -22.0)
"""RMS of sounds of a usual level, in dB below full scale: those that the bandstand plays at."""
BLOCK = 0.4
"""Seconds of a block of the measure, and 20 dB below the mean of the blocks the others are pauses: ITU-R BS.1770-4 has
blocks of 400 ms, too, and 10 dB."""
PAUSE = 0.01
CLICK = 100.0
"""Samples this many times beyond the mean of their block are clicks, and count as that much."""
SILENT = 2.0**-48
"""The power of half a step of 24 bits, about: what is below has no level."""


def power(wave: Float[Tensor, "channels n"], rate: int) -> float:
    """Return the mean power of a wave where it sounds: without pauses, clicks and constant offset; 1 is full scale."""
    size = max(1, min(round(BLOCK * rate), wave.shape[-1]))
    blocks = wave[:, : wave.shape[-1] // size * size].double().unflatten(-1, (-1, size))
    blocks = blocks - blocks.mean(-1, keepdim=True)
    click = CLICK * blocks.abs().mean(-1, keepdim=True)
    powers = blocks.clamp(-click, click).square().mean((0, 2))
    return float(powers[powers >= PAUSE * powers.mean()].mean())


def level_for(wave: Float[Tensor, "channels n"], rate: int, known: tuple[float, float]) -> float:
    """Return what to divide a wave by for its RMS to lie in a range; 1 where it does, and for silence.

    Args:
        wave: of any level.
        rate: samples per second.
        known: the range in dB below full scale; what is outside is brought to its middle.
    """
    there = power(wave, rate)
    if there < SILENT:
        return 1.0
    low, high = (10 ** (db / 20) for db in known)
    rms = there**0.5
    return 1.0 if low <= rms <= high else rms / (low * high) ** 0.5


def as_in(
    wave: Float[Tensor, "1 n"], mixed: Float[Tensor, "1 m"], file: Float[Tensor, "channels m"]
) -> Float[Tensor, "channels n"]:
    """Return a mono wave in the channels of a file: each as loud beside the file's mono mix as it is there.

    Inverted channels stay inverted.
    """
    each, mix = file.double(), mixed.double()
    gain = (each.square().mean(-1) / mix.square().mean().clamp_min(1e-30)).sqrt()
    turned = F.cosine_similarity(each, mix, dim=-1) < -0.5
    return torch.where(turned, -gain, gain)[:, None].to(wave) * wave
