"""Wave autoencoders as codecs: waves to one-dimensional latents, without mels."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.crossfade import pasted
from regrow.media.audio.level import SILENT
from regrow.media.audio.mel import MelSettings, as_picture, to_mel, to_unit
from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts

Waves = Float[Tensor, "b channels n"]


PEAKS = 2048
"""Window of the spectra in pictures of waves, in samples."""


@dataclass(frozen=True)
class WaveFrames:
    """Waves that are their own frames (`SoundCodec`).

    Attributes:
        rate: samples per second.
        channels: channels of the model's waves.
        levels: RMS range of published recordings, in dB below full scale.
        peak: peak that new waves are scaled to, in [0, 1]; None leaves them as decoded.
        known_peak: peak of every sound that the model was trained on; None if it knows different levels.
    """

    rate: int
    channels: int
    samples_per_frame: int = 1
    silence: float = 0.0
    levels: tuple[float, float] = (-32.0, -8.0)
    peak: float | None = None
    known_peak: float | None = None

    @property
    def lens(self) -> MelSettings:
        """Mel settings for distances and pictures."""
        return MelSettings(rate=self.rate, window=PEAKS, hop=PEAKS // 4, low=0.0, high=self.rate / 2)

    def frame_size(self, frames: int) -> tuple[int, ...]:
        """Return samples."""
        return (frames,)

    def level_of(self, wave: Float[Tensor, "channels n"], usual: float = 1.0) -> float:
        """Return the level to divide a wave by to reach `known_peak`; `usual` for silence or without one."""
        loudest = float(wave.abs().max())
        return usual if self.known_peak is None or loudest < SILENT**0.5 else loudest / self.known_peak

    def to_frames(self, waves: Waves, level: float = 1.0) -> Waves:
        """Return the waves themselves."""
        return waves / level

    def to_waves(self, frames: Waves, samples: int, level: float | None = None) -> Waves:
        """Return the frames, cut to `samples`, times `level`; without a level, scaled to `peak` or clamped."""
        waves = frames[..., :samples]
        if level is not None:
            return waves * level
        if self.peak is None:
            return waves.clamp(-1, 1)
        return waves * (self.peak / waves.abs().amax((1, 2), keepdim=True).clamp_min(1e-6))

    def is_silent(self, frames: Waves) -> bool:
        """Return whether every sample is 0."""
        return not frames.any()

    def grow_onto(self, waves: Waves, span: tuple[int, int], frames: Waves) -> Waves:
        """Put the frames into the span, crossfaded with the waves around it."""
        each = zip(frames, waves, strict=True)
        return torch.stack([pasted(new, old, span, self.rate, predicted=True) for new, old in each])

    def distance(self, a: Waves, b: Waves) -> float:
        """Return the mean absolute difference of the mono mels in dB, to two digits."""
        return round(float((self._mel(a) - self._mel(b)).abs().mean()), 2)

    def pictures(self, frames: Waves) -> Float[Tensor, "b 3 bands columns"]:
        """Return the mono mels as colour pictures."""
        return as_picture(to_unit(self._mel(frames), self.lens))

    def _mel(self, frames: Waves) -> Float[Tensor, "b 1 bands columns"]:
        mono = frames.mean(1, keepdim=True)
        return to_mel(F.pad(mono, (0, -mono.shape[-1] % self.lens.hop)), self.lens)


class WaveCodec:
    """diffusers' AutoencoderOobleck (Evans et al. 2024, arXiv 2407.14358); the mean of its posterior is used.

    See `Codec`. Frames are waves `b channels samples` at `rate` Hz in [-1, 1].

    Args:
        parts: the checkpoint's parts.
        part: name of the autoencoder.
        clamps: whether decoded waves are clamped to full scale; if not, `WaveFrames.peak` scales them.
        piece: latents that are computed at once. Longer waves are computed in pieces, each with its receptive field
            around it, so that memory does not grow with length; results are equal up to rounding. None for the class's
            own.
    """

    piece = 1024

    def __init__(self, parts: Parts, part: str, clamps: bool = True, piece: int | None = None) -> None:
        self.parts, self.clamps, self.piece = parts, clamps, piece or self.piece
        self.part: str = part
        self.latent_channels, self.factor, self.rate, self.channels = self._sizes(parts.config(part))

    def _sizes(self, config: Mapping[str, Any]) -> tuple[int, int, int, int]:
        """Return latent channels, samples per latent, samples per second and wave channels."""
        factor = prod(config["downsampling_ratios"])
        return config["decoder_input_channels"], factor, config["sampling_rate"], config["audio_channels"]

    @property
    def reach(self) -> int:
        """Receptive field of encoder and decoder to each side, in latents."""
        strides = self._strides(self.parts.config(self.part))
        rates = [prod(strides[:i]) for i in range(len(strides) + 1)]  # samples per cell at each level of the encoder
        units = 3 + 9 + 27  # of three residual units: kernels of 7 with dilations 1, 3 and 9
        encoder = (3 + sum(units * rate for rate in rates[:-1]) + sum(1.5 * rate for rate in rates[1:])) / rates[-1] + 1
        decoder = 3 + sum((units * rate + wider) / rates[-1] for rate, wider in pairwise(rates)) + 3 / rates[-1]
        return math.ceil(max(encoder, decoder))

    def _by_pieces(
        self, compute: Callable[[Tensor], Tensor], whole: Float[Tensor, "b k n"], taken: int, made: int
    ) -> Float[Tensor, "b j m"]:
        """Compute the whole piece by piece, where each latent is `taken` inputs and `made` outputs long."""
        cells, reach = whole.shape[-1] // taken, self.reach
        if cells <= self.piece + 2 * reach:
            return compute(whole)
        found = []
        for begin in range(0, cells, self.piece):
            first, last = max(0, begin - reach), begin + self.piece + reach
            part = compute(whole[..., first * taken : last * taken])
            found.append(part[..., (begin - first) * made : (min(begin + self.piece, cells) - first) * made])
        return torch.cat(found, -1)

    def _strides(self, config: Mapping[str, Any]) -> Sequence[int]:
        """Return the downsampling ratio of each level of the encoder."""
        return config["downsampling_ratios"]

    def _latents(self, network: Any, waves: Waves) -> Float[Tensor, "b c cells"]:
        """Encode waves to latents, without sampling."""
        return network.encode(waves).latent_dist.mode()

    def _waves(self, network: Any, latents: Float[Tensor, "b c cells"]) -> Waves:
        """Decode latents to waves."""
        return network.decode(latents).sample

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels n"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c cells"]:
        network, waves = self.parts[self.part], frames.to(self.parts.device, self.parts.dtype)
        latents = self._by_pieces(lambda part: self._latents(network, part), waves, self.factor, 1)
        return latents.to(frames).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c cells"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels n"]:
        network, given = self.parts[self.part], latents.to(self.parts.device, self.parts.dtype)
        decoded = self._by_pieces(lambda part: self._waves(network, part), given, 1, self.factor)
        return (decoded.clamp(-1, 1) if self.clamps else decoded).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)


class SameCodec(WaveCodec):
    """diffusers' AutoencoderSAME, of Stable Audio 3 (arXiv 2605.17991); it has no posterior.

    Its attention is local, but computed with a full attention mask, which takes 1 GB for a minute of sound.
    """

    piece = 128

    def _sizes(self, config: Mapping[str, Any]) -> tuple[int, int, int, int]:
        factor = config["patch_size"] * prod(config["encoder_strides"])
        return config["latent_dim"], factor, config["sampling_rate"], config["audio_channels"]

    @property
    def reach(self) -> int:
        config = self.parts.config(self.part)
        return config["sliding_window"] * sum(config["encoder_transformer_depths"])

    def _latents(self, network: Any, waves: Waves) -> Float[Tensor, "b c cells"]:
        return network.encode(waves).latents


class LongCatCodec(WaveCodec):
    """diffusers' LongCatAudioDiTVae; the mean of its posterior is used."""

    def _sizes(self, config: Mapping[str, Any]) -> tuple[int, int, int, int]:
        return config["latent_dim"], config["downsampling_ratio"], config["sample_rate"], config["in_channels"]

    def _strides(self, config: Mapping[str, Any]) -> Sequence[int]:
        return config["strides"]

    def _latents(self, network: Any, waves: Waves) -> Float[Tensor, "b c cells"]:
        return network.encode(waves, sample_posterior=False).latents
