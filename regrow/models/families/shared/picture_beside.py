"""UNets of Stable Diffusion with a picture as input, for inpainting or editing by instruction.

Both are recognised by the input channels of their network, not by the pipeline's name: half of diffusers' inpainting
and image-to-image pipelines hold a plain network, which is opened as such.
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
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings

PIX2PIX = OwnSettings(steps=100, guidance=7.5, image_guidance=1.5)
"""The settings of InstructPix2Pix's authors and diffusers' pipeline."""


@dataclass(eq=False, kw_only=True)
class PictureBeside(Model):
    """A model whose network takes extra channels besides the latents.

    Attributes:
        shown: those channels, for all samples or one set per sample; None without a picture.
    """

    engine_graph = False
    trainable = False
    lora = False

    shown: Float[Tensor, "m k y x"] | None = None

    @staticmethod
    @abstractmethod
    def channels(latent_channels: int) -> int:
        """Return how many extra channels its network takes, by the number of latent channels."""
        ...

    def nothing(self, places: tuple[int, ...]) -> Float[Tensor, "1 k y x"]:
        """Return the extra channels for no picture."""
        return torch.zeros(1, self.channels(self.latent_channels), *places)

    def beside(self, x_t: Float[Tensor, "b c y x"]) -> Float[Tensor, "b k y x"]:
        """Append the extra channels to the latents.

        Raises:
            ValueError: they have another size, or their number does not divide the batch.
        """
        shown = self.nothing(tuple(x_t.shape[2:])) if self.shown is None else self.shown
        if shown.shape[2:] != x_t.shape[2:]:
            raise ValueError(say("picture_beside_of_other_size", cells=shown.shape[2:], latent_cells=x_t.shape[2:]))
        if len(x_t) % len(shown):
            raise ValueError(say("pictures_beside_do_not_fit", count=len(shown), batch=len(x_t)))
        return torch.cat([x_t, shown.to(x_t).repeat(len(x_t) // len(shown), 1, 1, 1)], 1)


@dataclass(eq=False, kw_only=True)
class Inpainting(PictureBeside):
    """A model that also takes a mask (1 = to fill in) and the latents of the picture, grey where it is masked.

    This is the layout of the inpainting checkpoints of Stable Diffusion (Rombach et al. 2022, arXiv 2112.10752, section
    4.5). If no mask is given, it is all ones and the picture grey: the model then generates from the prompt alone. So
    do inversion and the way back, whatever the region of an edit, so that both have the same condition.
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
    """A model that also takes the latents of the picture to edit, in the codec's own scale.

    InstructPix2Pix, Brooks et al. 2022, arXiv 2211.09800. As there, the mean of the codec's posterior is used.

    Attributes:
        image_guidance: guidance scale of the picture; 1 = off.
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
