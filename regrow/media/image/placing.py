"""Choose the frame in which a picture is edited: as the request says, else the best one."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.image.framing import Box, Placement, Size, check_size, place
from regrow.media.image.masking import box_mask, load_mask
from regrow.media.image.own_shape import Made, is_larger, support, surroundings, whole
from regrow.media.medium import MediumModel


def made_for(model: MediumModel, tiled: bool = False) -> Made:
    """Return what a model was made for."""
    return Made(model.size, model.multiple, model.longest, tiled)


def usual(original: Size, model: MediumModel) -> Placement:
    """Return where all of a picture lies as a model takes it best."""
    made = made_for(model)
    if model.edit_frame == "auto":
        return _all_of(original, made, None)
    return place(original, made.multiple, made.size, model.edit_frame)


def placed(request: Any, original: Size, model: MediumModel) -> Placement:
    """Return where a picture of this size lies in the frame that it is edited in.

    `auto` is what the model's folder says. Where that says nothing, it is the surroundings of a region or a mask file,
    if the picture has more pixels than the model was made for, and else the whole picture. A saved path was inverted
    without a region, so along one it is the whole, too.

    Args:
        request: with `frame` and `size`; with `region`, `mask` and `feather`, if it edits.
        original: height and width of the picture.
        model: the checkpoint.

    Raises:
        MediaError: the mask cannot be read, or a side of the size is no multiple.
    """
    made, size, mode = made_for(model, getattr(request, "tiles", False)), request.size, request.frame
    if size is not None:
        check_size(size, made.multiple)
    if mode == "auto" and not made.tiled:
        mode = model.edit_frame
    is_open = mode == "auto" and size is None and getattr(request, "trajectory", None) is None
    if mode == "region" or (is_open and is_larger(original, made)):
        around = _around(request, original)
        cut = surroundings(original, around, round(request.feather * min(original)), made) if around else None
        if cut and (mode == "region" or cut.source.size != original):
            return cut
    if mode in ("whole", "region"):
        return whole(original, made, size)
    return _all_of(original, made, size) if mode == "auto" else place(original, made.multiple, size or made.size, mode)


def _all_of(original: Size, made: Made, size: Size | None) -> Placement:
    """The whole picture; of two names for one frame the older, so that paths of older versions are still found."""
    cropped = place(original, made.multiple, size or made.size)
    return cropped if cropped.source.size == original and not made.tiled else whole(original, made, size)


def _around(request: Any, original: Size) -> Box | None:
    """The smallest box around what may change; None where the request does not say where."""
    box, mask = getattr(request, "box", None), getattr(request, "mask", None)
    if box is None and mask in (None, "auto"):
        return None
    pixels: Float[Tensor, "1 h w"] = torch.ones(1, *original) if box is None else box_mask(box, original)
    if mask not in (None, "auto"):
        pixels = pixels * load_mask(mask, original)[0]
    return support(pixels) if pixels.any() else None
