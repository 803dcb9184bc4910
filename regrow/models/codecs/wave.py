"""diffusers' AutoencoderOobleck as a codec: waves to latents of one place, without a mel between."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.crossfade import pasted
from regrow.media.audio.mel import MelSettings, as_picture, to_mel, to_unit
from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts

Waves = Float[Tensor, "b channels n"]


PEAKS = 2048
"""Samples of a spectrum in the pictures of waves."""


@dataclass(frozen=True)
class WaveFrames:
    """Waves that are their own frames (`SoundCodec`).

    Attributes:
        rate: samples a second.
        channels: that the model takes.
        levels: of recordings as they are published.
        peak: that new waves are brought to, in [0, 1]; None leaves them as they are decoded.
    """

    rate: int
    channels: int
    samples_per_frame: int = 1
    silence: float = 0.0
    levels: tuple[float, float] = (-32.0, -8.0)
    peak: float | None = None

    @property
    def lens(self) -> MelSettings:
        """The mel that distances and pictures are of."""
        return MelSettings(rate=self.rate, window=PEAKS, hop=PEAKS // 4, low=0.0, high=self.rate / 2)

    def frame_size(self, frames: int) -> tuple[int, ...]:
        """Return samples."""
        return (frames,)

    def level_of(self, wave: Float[Tensor, "channels n"], usual: float = 1.0) -> float:
        """Return `usual`: such a model knows how loud sounds are."""
        return usual

    def to_frames(self, waves: Waves, level: float = 1.0) -> Waves:
        """Return the waves themselves."""
        return waves / level

    def to_waves(self, frames: Waves, samples: int, level: float | None = None) -> Waves:
        """Return the frames themselves, as long as asked for; new ones at the model's peak, if it has one."""
        waves = frames[..., :samples]
        if level is not None:
            return waves * level
        if self.peak is None:
            return waves.clamp(-1, 1)
        return waves * (self.peak / waves.abs().amax((1, 2), keepdim=True).clamp_min(1e-6))

    def is_silent(self, frames: Waves) -> bool:
        """Whether every sample is 0."""
        return not frames.any()

    def grow_onto(self, waves: Waves, span: tuple[int, int], frames: Waves) -> Waves:
        """Put the frames into the span, and fade them over into the waves around it."""
        each = zip(frames, waves, strict=True)
        return torch.stack([pasted(new, old, span, self.rate, predicted=True) for new, old in each])

    def distance(self, a: Waves, b: Waves) -> float:
        """Return the mean absolute difference in dB of the mels of the channels' mean, to two digits."""
        return round(float((self._mel(a) - self._mel(b)).abs().mean()), 2)

    def pictures(self, frames: Waves) -> Float[Tensor, "b 3 bands columns"]:
        """Return the mels of the channels' mean in colours."""
        return as_picture(to_unit(self._mel(frames), self.lens))

    def _mel(self, frames: Waves) -> Float[Tensor, "b 1 bands columns"]:
        mono = frames.mean(1, keepdim=True)
        return to_mel(F.pad(mono, (0, -mono.shape[-1] % self.lens.hop)), self.lens)


class WaveCodec:
    """See `Codec`. Frames are waves `b channels samples` at `rate` Hz in [-1, 1]; of the posterior the mean is taken.

    Args:
        parts: of the checkpoint.
        part: which of them.
        clamps: whether what is decoded ends at full scale; else it may go beyond, for `WaveFrames.peak` to bring down.
    """

    def __init__(self, parts: Parts, part: str, clamps: bool = True) -> None:
        self.parts, self.clamps = parts, clamps
        self.part: str = part
        config = parts.config(part)
        self.latent_channels: int = config["decoder_input_channels"]
        self.factor: int = prod(config["downsampling_ratios"])
        self.rate: int = config["sampling_rate"]
        self.channels: int = config["audio_channels"]

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels n"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c cells"]:
        encoded = self.parts[self.part].encode(frames.to(self.parts.device, self.parts.dtype))
        return encoded.latent_dist.mode().to(frames).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c cells"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels n"]:
        decoded = self.parts[self.part].decode(latents.to(self.parts.device, self.parts.dtype)).sample
        return (decoded.clamp(-1, 1) if self.clamps else decoded).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)
