"""Wear: change pictures and mels as codecs, denoisers and phase reconstruction do.

A judge learns from worn pictures and mels, so that it can read a model's results, and is measured on worn ones.
"""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional

from regrow.media.audio.mel import to_mel
from regrow.media.audio.mel_inverse import powers
from regrow.media.audio.phase import griffin_lim, wave_of
from regrow.media.image.picture import from_uint8, to_uint8
from regrow.models.probes.attribute_network import MEL

Batch = Float[Tensor, "b c h w"]
Wear = Callable[[Batch, np.random.Generator], Batch]
SPARED, HIT = 0.25, 0.45
"""Share of a batch that stays unchanged, and share of the rest that each kind of wear changes."""


def worn(x: Batch, wears: Sequence[Wear], least: float, most: float, random: np.random.Generator) -> Batch:
    """Return a worn batch: a quarter of it is unchanged, and each kind of wear changes about half of the rest.

    Args:
        x: pictures in [-1, 1], or mels in dB.
        wears: the kinds, in the order of application.
        least: smallest value of worn items, to which they are clamped.
        most: largest value, likewise.
        random: source of all choices.
    """
    spared = random.random(len(x)) < SPARED
    x = x.clone()
    for wear in wears:
        hit = torch.from_numpy(np.flatnonzero((random.random(len(x)) < HIT) & ~spared))
        if len(hit):
            x[hit] = wear(x[hit], random).clamp(least, most)
    return x


def _bent(x: Batch, random: np.random.Generator) -> Batch:
    """Displace lines smoothly by up to about 2.5 pixels, as a denoiser gets shapes slightly wrong."""
    pixels = random.uniform(0, 2.5, len(x))
    height, width = x.shape[-2:]
    coarse = normal((len(x), 2, 9, 9), random) * torch.from_numpy(pixels).float()[:, None, None, None]
    shift = functional.interpolate(coarse, (height, width), mode="bicubic") * (2 / width)
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    grid = torch.stack([columns, rows], -1) + shift.permute(0, 2, 3, 1)
    return functional.grid_sample(x, grid, padding_mode="reflection", align_corners=True)


def _tinted(x: Batch, random: np.random.Generator) -> Batch:
    """Change contrast by up to 15 %, brightness by 0.12 and each channel by 0.06, far less than from black to grey."""
    gain = 1 + random.uniform(-0.15, 0.15, (len(x), 1, 1, 1))
    shift = random.uniform(-0.12, 0.12, (len(x), 1, 1, 1)) + random.uniform(-0.06, 0.06, (len(x), 3, 1, 1))
    return x * torch.from_numpy(gain).float() + torch.from_numpy(shift).float()


def blurred(x: Batch, sigmas: np.ndarray) -> Batch:
    """Blur each item with its own Gaussian; sigmas are in pixels or cells."""
    offsets = torch.arange(-5, 6)
    weights = torch.exp(-(offsets**2) / (2 * torch.from_numpy(sigmas).float()[:, None] ** 2))
    weights = (weights / weights.sum(1, keepdim=True)).repeat_interleave(x.shape[1], 0)
    flat = functional.pad(x.flatten(0, 1)[None], (5, 5, 5, 5), mode="replicate")
    down = functional.conv2d(flat, weights[:, None, :, None], groups=len(weights))
    return functional.conv2d(down, weights[:, None, None, :], groups=len(weights)).view(x.shape)


def _resized(x: Batch, sides: np.ndarray) -> Batch:
    """Return each picture after resizing to a smaller side and back."""
    small = [
        functional.interpolate(p[None], int(s), mode="bilinear", antialias=True) for p, s in zip(x, sides, strict=True)
    ]
    return torch.cat([functional.interpolate(p, x.shape[-2:], mode="bilinear") for p in small])


def _jpeg(x: Batch, qualities: np.ndarray) -> Batch:
    """Return each picture after compression as JPEG of that quality."""
    back = []
    for values, quality in zip(to_uint8(x.clamp(-1, 1)), qualities, strict=True):
        buffer = BytesIO()
        Image.fromarray(values).save(buffer, "JPEG", quality=int(quality))
        back.append(np.asarray(Image.open(buffer)))
    return from_uint8(np.stack(back))


def _tilted(x: Batch, random: np.random.Generator) -> Batch:
    """Change the level by up to 15 dB, and the bands smoothly by about 4 dB."""
    coarse = 4 * normal((len(x), 1, 6, 1), random)
    balance = functional.interpolate(coarse, (x.shape[2], 1), mode="bicubic", align_corners=True)
    return x + balance + column(random.uniform(-15, 15, len(x)))


def _noisy(x: Batch, levels: np.ndarray, random: np.random.Generator) -> Batch:
    """Add noise to each mel, whose mean power in each band is `levels` dB relative to the loudest cell."""
    power = torch.from_numpy(random.exponential(size=tuple(x.shape)).astype(np.float32))
    noise = power * 10 ** ((x.amax((1, 2, 3), keepdim=True) + column(levels)) / 10)
    return 10 * (10 ** (x / 10) + noise).log10()


def _gaps(x: Batch, random: np.random.Generator) -> Batch:
    """Silence one to three gaps of up to 12 frames (0.14 s), and up to 4 neighbouring bands."""
    x = x.clone()
    for mel in x:
        for _ in range(random.integers(1, 4)):
            start = random.integers(x.shape[3] - 12)
            mel[..., start : start + random.integers(1, 13)] = MEL.floor
        start = random.integers(x.shape[2] - 4)
        mel[:, start : start + random.integers(0, 5)] = MEL.floor
    return x


def _rebuilt(x: Batch, random: np.random.Generator) -> Batch:
    """Return the mel of a rough reconstruction of the wave: a few updates of the magnitudes, and a few iterations of
    Griffin-Lim from random phases."""
    magnitude = powers(x, MEL, updates=10).sqrt()
    phase = 2 * torch.pi * torch.from_numpy(random.random(tuple(magnitude.shape), dtype=np.float32))
    return to_mel(wave_of(griffin_lim(magnitude, phase, MEL, iterations=8), MEL)[:, None], MEL)


def column(values: np.ndarray) -> Float[Tensor, "b 1 1 1"]:
    """Return numbers, one per item of a batch, in a shape that broadcasts over the batch."""
    return torch.from_numpy(values).float()[:, None, None, None]


def normal(shape: Sequence[int], random: np.random.Generator) -> Tensor:
    """Return normal noise of standard deviation 1."""
    return torch.from_numpy(random.standard_normal(tuple(shape), dtype=np.float32))


PICTURE_WEARS: tuple[Wear, ...] = (
    _bent,
    _tinted,
    lambda x, random: blurred(x, random.uniform(0.3, 1.8, len(x))),
    lambda x, random: _resized(x, random.integers(x.shape[-1] * 3 // 8, x.shape[-1], len(x))),
    lambda x, random: x + column(random.uniform(0, 0.15, len(x))) * normal(x.shape, random),
    lambda x, random: _jpeg(x, random.integers(15, 80, len(x))),
)
"""Bent lines, another tint, blur, coarser pixels, noise, and JPEG blocks."""
MEL_WEARS: tuple[Wear, ...] = (
    _tilted,
    lambda x, random: blurred(x, random.uniform(0.3, 1.6, len(x))),
    lambda x, random: _noisy(x, random.uniform(-70, -30, len(x)), random),
    lambda x, random: x + column(random.uniform(0, 4, len(x))) * normal(x.shape, random),
    _gaps,
)
"""Another level and balance of the bands, blur, added noise, noisy cells, and gaps in time and bands."""
PICTURE_TESTS: Mapping[str, Wear] = {
    "clean": lambda x, random: x,
    "blurred": lambda x, random: blurred(x, np.full(len(x), 1.0)),
    "half size": lambda x, random: _resized(x, np.full(len(x), x.shape[-1] // 2)),
    "noisy": lambda x, random: x + 0.1 * normal(x.shape, random),
    "jpeg": lambda x, random: _jpeg(x, np.full(len(x), 30)),
}
"""The kinds of wear with which a judge of pictures is measured."""
MEL_TESTS: Mapping[str, Wear] = {
    "clean": lambda x, random: x,
    "blurred": lambda x, random: blurred(x, np.full(len(x), 1.0)),
    "noisy": lambda x, random: _noisy(x, np.full(len(x), -35.0), random),
    "gaps": _gaps,
    "rebuilt": _rebuilt,
}
"""The kinds of wear with which a judge of mels is measured."""
