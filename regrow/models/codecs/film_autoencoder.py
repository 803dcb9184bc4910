"""diffusers' AutoencoderKLQwenImage as a codec: a video codec, for which a picture is a video of one frame."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts


class FilmAutoencoder:
    """A codec on one of a checkpoint's parts; see `Codec`. Each latent channel has its own mean and deviation.

    Args:
        parts: the checkpoint's parts.
        part: name of the autoencoder.
    """

    def __init__(self, parts: Parts, part: str) -> None:
        self.parts = parts
        self.part: str = part
        config = parts.config(part)
        self.latent_channels: int = config["z_dim"]
        self.factor = 2 ** len(config["temperal_downsample"])

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b channels h w"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c y x"]:
        film = frames.to(self.parts.device, self.parts.dtype).unsqueeze(2)
        latents = self.parts[self.part].encode(film).latent_dist.mean.squeeze(2).to(frames)
        mean, spread = self._mean_and_spread(frames)
        return ((latents - mean) / spread).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b channels h w"]:
        mean, spread = self._mean_and_spread(latents)
        film = (latents * spread + mean).to(self.parts.device, self.parts.dtype).unsqueeze(2)
        return self.parts[self.part].decode(film).sample.squeeze(2).clamp(-1, 1).to(latents).contiguous()

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)

    def _mean_and_spread(self, like: Tensor) -> tuple[Float[Tensor, "c 1 1"], Float[Tensor, "c 1 1"]]:
        config = self.parts.config(self.part)
        mean, spread = (like.new_tensor(config[name])[:, None, None] for name in ("latents_mean", "latents_std"))
        return mean, spread
