"""Region: where a wish may change a picture, in the picture's pixels and in the model's latents."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.families.model import Model
from regrow.media.files import MediaError
from regrow.media.framing import Fitted, Placement, apply
from regrow.media.masking import LEAST, box_mask, load_mask
from regrow.operations.recipe import file_hash, picture_hash
from regrow.operations.requests import Edit


@dataclass(frozen=True, eq=False)
class Region:
    """Where a picture may change: 1 may, 0 may not, between that much.

    Attributes:
        pixels: of the picture's own size, `m 1 h w`, one for all wishes or one a wish.
        latents: the same in the model's latents, `m 1 y x`.
        file: the mask's, and the hash of its bytes; None without one.
        notes: sentences on what was done to a mask.
    """

    pixels: Float[Tensor, "m 1 h w"]
    latents: Float[Tensor, "m 1 y x"]
    file: tuple[Path, str] | None = None
    notes: tuple[str, ...] = ()

    def picture(self, wish: int) -> Float[Tensor, "3 h w"]:
        """The mask of a wish as a picture in [-1, 1] that `--mask` takes."""
        return self.pixels[min(wish, len(self.pixels) - 1)].expand(3, -1, -1) * 2 - 1

    def facts(self, wish: int) -> dict[str, Any]:
        """What a recipe says of it: the mask's hash, the share of the picture that it is, and its file."""
        mask = self.picture(wish)
        told = {"hash": picture_hash(mask), "share": round(float((mask[0] > -1).float().mean()), 4)}
        return told | ({"file": str(self.file[0]), "file_hash": self.file[1]} if self.file else {})


def region_of(request: Edit, model: Model, fitted: Fitted) -> Region | None:
    """The region that a request names; None where all may change.

    Raises:
        MediaError: the mask cannot be read, or nothing of it lies where the model looks.
    """
    size = fitted.placement.original
    pixels, notes, file = torch.ones(1, 1, *size), (), None
    if request.mask is None and request.box is None:
        return None
    if request.mask is not None:
        mask, notes = load_mask(request.mask, size)
        pixels, file = mask[None], (request.mask.resolve(), file_hash(request.mask))
    if request.box is not None:
        pixels = pixels * box_mask(request.box, size)
    return Region(pixels, _cells(pixels, model, fitted.placement), file, notes)


def _cells(pixels: Float[Tensor, "m 1 h w"], model: Model, placement: Placement) -> Float[Tensor, "m 1 y x"]:
    """A mask of the picture as one of the latents: a cell may change as much as its most free pixel."""
    frame = apply(pixels, placement)
    frame = torch.where(frame > LEAST, frame, 0)
    if not frame.any():
        raise MediaError(
            "Nothing may change: no white of mask and region lies in the part of the picture that the model sees; "
            "make them larger, or take --frame pad."
        )
    return F.max_pool2d(frame, model.factor)
