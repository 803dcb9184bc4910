"""The codec of FLUX.2: diffusers' AutoencoderKLFlux2, whose latents are normalised in cells of 2 x 2."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.codecs.autoencoder import Autoencoder
from regrow.models.codecs.codec import CodecEngine

SIDE = 2
"""Side of a cell; each number of a cell is normalised by its own mean and deviation."""


class BatchNormAutoencoder(Autoencoder):
    """A codec on one of a checkpoint's parts; see `Codec` and `Autoencoder`.

    Latents are `b c y x` here, normalised. diffusers gives them to the network as `b 4c y/2 x/2`, with cells as
    channels (`nn.functional.pixel_unshuffle`).
    """

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels h w"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c y x"]:
        cells = nn.functional.pixel_unshuffle(super().encode(frames, engine), SIDE)
        mean, spread = self._statistics(cells)
        return nn.functional.pixel_shuffle((cells - mean) / spread, SIDE)

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels h w"]:
        cells = nn.functional.pixel_unshuffle(latents, SIDE)
        mean, spread = self._statistics(cells)
        return super().decode(nn.functional.pixel_shuffle(cells * spread + mean, SIDE), engine)

    def _statistics(self, like: Tensor) -> tuple[Float[Tensor, "1 k 1 1"], Float[Tensor, "1 k 1 1"]]:
        norm = self.parts[self.part].bn
        mean, variance = (buffer.to(like).view(1, -1, 1, 1) for buffer in (norm.running_mean, norm.running_var))
        return mean, (variance + norm.eps).sqrt()

    def _scale_and_shift(self) -> tuple[float, float]:
        return 1.0, 0.0
