"""FLUX.1 checkpoints with a picture as input: Fill, for inpainting, and Kontext, which edits by instruction.

Kontext: Labs et al. 2025, arXiv 2506.15742. Fill has no paper.
"""

from copy import copy
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.codecs.autoencoder import Autoencoder
from regrow.models.families.flux import Flux, packed, places_of
from regrow.models.families.shared.picture_beside import Inpainting
from regrow.models.families.shared.shift_by_size import SIDE
from regrow.models.own_settings import OwnSettings


@dataclass(eq=False, kw_only=True)
class FluxFill(Inpainting, Flux):
    """See `Flux` and `Inpainting`: the extra channels are the masked picture's latents and the mask's pixels.

    Each mask pixel under a latent cell is a channel of its own.
    """

    OWN: ClassVar[OwnSettings | None] = OwnSettings(steps=50, guidance=30.0, solver="ddim")
    """The defaults of diffusers' FluxFillPipeline."""

    @classmethod
    def channels_beside(cls, codec: Autoencoder) -> int:
        return codec.latent_channels + codec.factor**2

    def _beside(self, frames: Float[Tensor, "m 3 h w"], mask: Float[Tensor, "m 1 h w"]) -> Float[Tensor, "m k y x"]:
        latents = self.encode(frames)
        pixels = nn.functional.pixel_unshuffle(mask, self.factor).to(latents)
        return torch.cat([latents, pixels.expand(len(latents), -1, -1, -1)], 1)


@dataclass(eq=False, kw_only=True)
class FluxKontext(Flux):
    """See `Flux`: the picture to edit by instruction is given as further tokens, as a second picture.

    Attributes:
        source: latents of the picture to edit; None to generate from a prompt alone.
    """

    edits_by_instruction: ClassVar[bool] = True
    only_by_instruction: ClassVar[bool] = True
    takes_tiles = False
    engine_graph = False
    OWN: ClassVar[OwnSettings | None] = OwnSettings(steps=28, guidance=2.5, solver="ddim")
    """The default steps of diffusers' FluxKontextPipeline, and the guidance of its example."""

    source: Float[Tensor, "1 c y x"] | None = None

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> "FluxKontext":
        other = copy(self)
        other.source = latents
        return other

    def tokens_of(self, x_t: Float[Tensor, "b c y x"]) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "n 3"]]:
        tokens, places = super().tokens_of(x_t)
        if self.source is None:
            return tokens, places
        height, width = (side // SIDE for side in self.source.shape[2:])
        shown = packed(self.source.to(x_t)).expand(len(x_t), -1, -1)
        return torch.cat([tokens, shown], 1), torch.cat([places, places_of(height, width, 1)])
