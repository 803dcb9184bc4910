"""diffusers' AutoencoderOobleck as a codec: waves to latents of one place, without a mel between."""

from collections.abc import Sequence
from math import prod

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts


class WaveCodec:
    """See `Codec`. Frames are waves `b channels samples` at `rate` Hz in [-1, 1]; of the posterior the mean is taken.

    Args:
        parts: of the checkpoint.
        part: which of them.
    """

    def __init__(self, parts: Parts, part: str) -> None:
        self.parts = parts
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
        return decoded.clamp(-1, 1).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)
