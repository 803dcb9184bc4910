"""UNets of Stable Diffusion's kinds that take a picture beside the noise: to fill in masks, or to follow instructions.

Both are recognised by the channels of their network, whatever their pipeline is called: half of diffusers' inpainting
and image-to-image pipelines hold a plain network, which is opened as that.
"""

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance, words_and_picture
from regrow.media.frame import Region
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings

PIX2PIX = OwnSettings(steps=100, guidance=7.5, image_guidance=1.5)
"""Of InstructPix2Pix's authors and diffusers' pipeline."""


@dataclass(eq=False, kw_only=True)
class PictureBeside(Model):
    """A model whose network takes further channels below the latents.

    Attributes:
        shown: those channels, one for all samples or one each; None where there is no picture.
    """

    engine_graph = False
    trainable = False
    lora = False

    shown: Float[Tensor, "m k y x"] | None = None

    @staticmethod
    @abstractmethod
    def channels(latent_channels: int) -> int:
        """Return how many channels its network takes below latents of so many."""
        ...

    def nothing(self, places: tuple[int, ...]) -> Float[Tensor, "1 k y x"]:
        """Return what it is shown where there is no picture."""
        return torch.zeros(1, self.channels(self.latent_channels), *places)

    def beside(self, x_t: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k y x"]:
        """Return latents with what is shown below them.

        Raises:
            ValueError: that is of another size, or of another number of samples.
        """
        shown = self.nothing(tuple(x_t.shape[2:])) if self.shown is None else self.shown
        if shown.shape[2:] != x_t.shape[2:]:
            raise ValueError(f"The picture beside has latents of {shown.shape[2:]} cells, these have {x_t.shape[2:]}.")
        if len(x_t) % len(shown):
            raise ValueError(f"{len(shown)} pictures beside do not fit a batch of {len(x_t)}.")
        return torch.cat([x_t, shown.to(x_t).repeat(len(x_t) // len(shown), 1, 1, 1)], 1)


@dataclass(eq=False, kw_only=True)
class Inpainting(PictureBeside):
    """It is shown a mask, 1 where it fills in, and the latents of the picture with grey in place of what is masked.

    This is the layout of the inpainting checkpoints of Stable Diffusion (Rombach et al. 2022, arXiv 2112.10752, section
    4.5). Without a mask it is shown one of ones, and a grey picture: it then makes pictures from words alone. So paths
    are inverted, and walked back under the same condition, whatever region an edit names.
    """

    inpaints: ClassVar[bool] = True

    grey: dict[Any, Tensor] = field(default_factory=dict, repr=False)

    @staticmethod
    def channels(latent_channels: int) -> int:
        return 1 + latent_channels

    def with_known(
        self, frame: Float[Tensor, "1 channels *extent"], latents: Float[Tensor, "1 c *places"], region: Region
    ) -> Self:
        mask = region.frame
        if mask is None:
            mask = F.interpolate(region.latents, size=frame.shape[2:], mode="nearest")
        mask = (mask >= 0.5).to(frame)  # as diffusers' pipelines binarise it
        other = copy(self)
        other.shown = self._beside(frame * (1 - mask), mask)
        return other

    def nothing(self, places: tuple[int, ...]) -> Float[Tensor, "1 k y x"]:
        key = (places, self.device, self.dtype)
        if key not in self.grey:
            frame = torch.zeros(1, 3, *self.codec.extent_of(places))
            self.grey[key] = self._beside(frame, torch.ones_like(frame[:, :1]))
        return self.grey[key]

    def _beside(self, frames: Float[Tensor, "m 3 h w"], mask: Float[Tensor, "m 1 h w"]) -> Float[Tensor, "m k y x"]:
        latents = self.encode(frames)
        return torch.cat([F.interpolate(mask, size=latents.shape[2:]).to(latents), latents], 1)


@dataclass(eq=False, kw_only=True)
class Instructed(PictureBeside):
    """It is shown the latents of the picture that its prompt is an instruction for, in the codec's own scale.

    InstructPix2Pix, Brooks et al. 2022, arXiv 2211.09800. Of the codec's posterior the mean is taken, as there.

    Attributes:
        image_guidance: how much the picture is exaggerated; 1 = off.
    """

    edits_by_instruction: ClassVar[bool] = True
    only_by_instruction: ClassVar[bool] = True
    guided_evaluations: ClassVar[int] = 3

    own: OwnSettings = PIX2PIX
    edit_steps: int = PIX2PIX.steps
    image_guidance: float = 1.5

    @staticmethod
    def channels(latent_channels: int) -> int:
        return latent_channels

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> Self:
        other = copy(self)
        other.shown = latents / self.parts.config("vae")["scaling_factor"]
        other.image_guidance = self.image_guidance if image_guidance is None else image_guidance
        return other

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        return words_and_picture(pair, slice(self.latent_channels, None), guidance, self.image_guidance)
