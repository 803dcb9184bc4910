"""Riffusion's spectrograms: from waves to the pictures that its Stable Diffusion was trained on, and back.

    picture[k, i] = 1 - 2 (S[k, i] / max S)^(1/4),    S[k, i] = sum_f W[k, f] |X[f, i]|

X is the Fourier transform of a Hann window of 100 ms, every 10 ms, zero-padded to 400 ms, so that bins are 2.5 Hz
apart; W are triangles with peaks of 1 on the mel scale 2595 log10(1 + f / 700), from 0 to 10000 Hz, at 44.1 kHz.
Silence is white, the loudest cell black, the lowest band at the bottom, all three colours alike. These are the
published settings (github.com/riffusion/riffusion-hobby: `spectrogram_params.py`, `spectrogram_converter.py`,
`util/image_util.py`); riffusion's first version (riffusion-inference, `audio.py`) divided S^(1/4) by a fixed 50 instead
of the clip's own maximum. Here pictures stay in float, and the clip's maximum is kept as its level.

The inverse solves W M = S for magnitudes M of 0 or more, and takes every fourth bin of M: exactly those of the window
without padding, for which `media.audio.phase` finds phases. Frequencies above 10 kHz are lost.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.media.audio.crossfade import follow
from regrow.media.audio.level import USUAL
from regrow.media.audio.mel import MelSettings, as_picture, triangles
from regrow.media.audio.mel_inverse import ITERATIONS, nonnegative
from regrow.media.audio.phase import griffin_lim, integrate, wave_of
from regrow.messages.message import say
from regrow.models.codecs.codec import Codec, CodecEngine
from regrow.models.codecs.mel import PEAK

RATE, HIGH, POWER = 44_100, 10_000.0, 0.25
TRANSFORM = MelSettings(rate=RATE, window=4410, hop=441, low=0.0, high=HIGH)
"""Window and hop of X, for finding phases; its mel scale is not riffusion's."""
FILLED = 4
"""Length of a zero-padded transform, in windows."""
BINS = round(HIGH * FILLED * TRANSFORM.window / RATE) + 1
"""Bins of the zero-padded transform up to 10 kHz, where the bands end."""
TOGETHER = 256
"""Frames that are transformed at once, to bound the memory for long sounds."""
QUIET = 1e-5
"""Amplitude 100 dB below full scale: softer cells count as silence, and their differences do not count."""

Bands = Float[Tensor, "b bands frames"]
Pictures = Float[Tensor, "b 1 bands frames"]
Waves = Float[Tensor, "b 1 n"]


@lru_cache(maxsize=8)
def filters(bands: int) -> Float[Tensor, "bands bins"]:
    """Return the triangles W.

    Raises:
        ValueError: a band is so narrow that no bin falls into it.
    """
    mels = np.linspace(0, 2595 * math.log10(1 + HIGH / 700), bands + 2)
    weights = triangles(700 * (10 ** (mels / 2595) - 1), RATE / (FILLED * TRANSFORM.window), BINS)
    if empty := int((weights.amax(1) == 0).sum()):
        raise ValueError(say("riffusion_bands_empty", bands=bands, high=HIGH, empty=empty))
    return weights


def amplitudes(waves: Waves, bands: int) -> Bands:
    """Return S of mono waves, scaled so that |X| of a full-scale sine peaks at 1; silence pads the last hop."""
    weights, waves = filters(bands).to(waves.device), waves[:, 0].float()
    before, behind = TRANSFORM.margins
    missing = TRANSFORM.frames(waves.shape[-1]) * TRANSFORM.hop - waves.shape[-1]
    frames = F.pad(waves, (before, behind + missing)).unfold(1, TRANSFORM.window, TRANSFORM.hop)
    window = torch.hann_window(TRANSFORM.window, device=waves.device)
    window = window * (2 / window.sum())
    return torch.cat(
        [
            weights @ torch.fft.rfft(part * window, FILLED * TRANSFORM.window)[..., :BINS].abs().transpose(1, 2)
            for part in frames.split(TOGETHER, 1)
        ],
        2,
    )


def magnitudes(sums: Bands) -> Float[Tensor, "b bins frames"]:
    """Estimate the magnitudes that S was summed from: those of `mel.spectrum` with `TRANSFORM`."""
    weights = filters(sums.shape[1])
    parts = [nonnegative(part, weights)[:, ::FILLED] for part in sums.split(TOGETHER, 2)]
    return F.pad(torch.cat(parts, 2), (0, 0, 0, TRANSFORM.window // 2 + 1 - parts[0].shape[1]))


def wave_from(sums: Bands, iterations: int = ITERATIONS) -> Waves:
    """Synthesise waves from S, frames times hop long; the same S gives the same wave."""
    magnitude = magnitudes(sums)
    sounding = magnitude[:, : BINS // FILLED + 1]  # phases do not matter above 10 kHz, where magnitudes are 0
    phase = F.pad(integrate(sounding, TRANSFORM), (0, 0, 0, magnitude.shape[1] - sounding.shape[1]))
    found = griffin_lim(magnitude, phase, TRANSFORM, iterations)
    wave = wave_of(found, TRANSFORM)[:, None]
    return wave * _lost(wave, sums)


def _lost(wave: Waves, sums: Bands, frames: Bool[Tensor, " frames"] | slice = slice(None)) -> Float[Tensor, "b 1 1"]:
    """Return the factor by which a wave is quieter than S, as no wave has exactly the estimated magnitudes."""
    wanted = sums[..., frames].square().sum((1, 2))
    there = amplitudes(wave, sums.shape[1])[..., frames].square().sum((1, 2))
    return torch.where(there > 0, (wanted / there.clamp_min(1e-30)).sqrt(), 1)[:, None, None]


@dataclass(frozen=True)
class RiffusionFrames:
    """Mono waves as (S / level)^(1/4) in [-1, 1], the lowest band first, -1 for silence (`SoundCodec`).

    A clip's level is its loudest cell, as the pictures hold no absolute level.

    Attributes:
        bands: bands of the mel scale; 512 in the published checkpoint.
        levels: RMS range of usual sounds, in dB below full scale.
    """

    bands: int
    rate: int = RATE
    channels: int = 1
    samples_per_frame: int = TRANSFORM.hop
    silence: float = -1.0
    levels: tuple[float, float] = USUAL

    @property
    def lens(self) -> MelSettings:
        """Settings of a mel up to 10 kHz, to compare and draw waves."""
        return MelSettings(rate=RATE, window=2048, hop=512, high=HIGH)

    def frame_size(self, frames: int) -> tuple[int, int]:
        """Return bands and frames."""
        return self.bands, frames

    def level_of(self, wave: Float[Tensor, "1 n"], usual: float = 1.0) -> float:
        """Return the loudest cell of the wave; 1 for silence."""
        loudest = float(amplitudes(wave[None], self.bands).max())
        return loudest if loudest > QUIET else 1.0

    def to_frames(self, waves: Waves, level: float = 1.0) -> Pictures:
        """Return frames; an incomplete last hop is padded with silence."""
        return 2 * (amplitudes(waves, self.bands) / level)[:, None] ** POWER - 1

    def to_waves(self, frames: Pictures, samples: int, level: float | None = None) -> Waves:
        """Return waves times `level`; without a level, scaled to `PEAK`."""
        waves = wave_from(_sums(frames))[..., :samples]
        if level is None:
            return waves * (PEAK / waves.abs().amax(-1, keepdim=True).clamp_min(1e-9))
        return waves * level

    def is_silent(self, frames: Pictures) -> bool:
        """Return whether no cell is louder than 100 dB below full scale."""
        return bool((_sums(frames) <= QUIET).all())

    def grow_onto(self, waves: Waves, span: tuple[int, int], frames: Pictures) -> Waves:
        """Synthesise the span from frames, with phases that continue the samples around it."""
        sums = _sums(frames)
        return follow(waves, span, magnitudes(sums), TRANSFORM, lambda new, where: _lost(new, sums, where))

    def distance(self, a: Pictures, b: Pictures) -> float:
        """Return the mean absolute difference in dB, to two digits."""
        x, y = (20 * _sums(frames).clamp_min(QUIET).log10() for frames in (a, b))
        return round(float((x - y).abs().mean()), 2)

    def pictures(self, frames: Pictures) -> Float[Tensor, "b 3 bands frames"]:
        """Return frames as colour pictures."""
        return as_picture(frames)


def _sums(frames: Pictures) -> Bands:
    return ((frames[:, 0].float() + 1) / 2).clamp_min(0) ** (1 / POWER)


class RiffusionPictures:
    """See `Codec`. Frames are those of `RiffusionFrames`; the picture codec gets them as riffusion's pictures.

    Args:
        pictures: the checkpoint's own codec.
    """

    def __init__(self, pictures: Codec) -> None:
        self.codec = pictures
        self.latent_channels, self.factor, self.part = pictures.latent_channels, pictures.factor, pictures.part

    def encode(self, frames: Pictures, engine: CodecEngine | None = None) -> Float[Tensor, "b c y x"]:
        return self.codec.encode(-frames.flip(2).expand(-1, 3, -1, -1), engine)

    def decode(self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None) -> Pictures:
        """Return the frames in the red channel, which is the one that riffusion reads."""
        return -self.codec.decode(latents, engine)[:, :1].flip(2)

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return self.codec.extent_of(places)
