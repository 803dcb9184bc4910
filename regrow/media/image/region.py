"""Regions of pictures: in the file's pixels, in the model's latents, and as the weight for pasting the result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.files import MediaError
from regrow.media.frame import Region
from regrow.media.image.framing import Placement, apply, unfit
from regrow.media.image.masking import LEAST, frame_edge, softened
from regrow.media.image.picture import picture_hash
from regrow.messages.message import say


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureRegion(Region):
    """Where a picture may change: 1 may, 0 may not, values between partly.

    Attributes:
        pixels: of the picture's own size, `m 1 h w`, one for all pictures of a batch or one per picture.
        file: the mask's, and the hash of its bytes; None without one.
    """

    pixels: Float[Tensor, "m 1 h w"]
    file: tuple[Path, str] | None = None

    def picture(self, index: int) -> Float[Tensor, "3 h w"]:
        """Return the mask of a picture of the batch as a picture in [-1, 1] that `--mask` takes."""
        return self.pixels[min(index, len(self.pixels) - 1)].expand(3, -1, -1) * 2 - 1

    def facts(self, index: int) -> dict[str, Any]:
        """Return the mask's hash, the share of the picture that it is, and its file."""
        mask = self.picture(index)
        facts = {"hash": picture_hash(mask), "share": round(float((mask[0] > -1).float().mean()), 4)}
        return {"mask": facts | ({"file": self.file[0].name, "file_hash": self.file[1]} if self.file else {})}


def paste_weight(region: PictureRegion | None, placement: Placement, feather: float) -> Float[Tensor, "m 1 h w"] | None:
    """Return how much of the result is pasted into the picture; None where it is the picture."""
    reach = round(feather * min(placement.original))
    edge = frame_edge(placement, reach) if placement.source.size != placement.original else None
    if region is None:
        return None if edge is None else edge[None]
    weight = softened(region.pixels, reach)
    return weight if edge is None else weight * edge


def whole_of(shapes: Float[Tensor, "m 1 y x"], placement: Placement) -> Float[Tensor, "m 1 h w"]:
    """Return masks in latents, above 0 inside, as 0 and 1 in the picture's size; 0 where the model did not look."""
    frame = F.interpolate(shapes.float(), size=placement.frame, mode="bicubic", align_corners=False)
    outside = torch.full((1, *placement.original), -1.0)
    return (unfit(frame, placement, outside) > 0).float()


def framed_mask(pixels: Float[Tensor, "m 1 h w"], placement: Placement) -> Float[Tensor, "m 1 y x"]:
    """Return a mask of the picture as one of the model's frame.

    Raises:
        MediaError: nothing of a mask lies where the model looks.
    """
    frame = apply(pixels, placement)
    frame = torch.where(frame > LEAST, frame, 0)
    if not frame.flatten(1).any(1).all():
        raise MediaError(say("mask_outside_frame"))
    return frame


def cells_of(frame: Float[Tensor, "m 1 h w"], factor: int) -> Float[Tensor, "m 1 y x"]:
    """Return a mask of the model's frame as one of the latents: a cell may change as much as its most free pixel."""
    return F.max_pool2d(frame, factor)
