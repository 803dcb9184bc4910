"""Masks of pictures: 1 where a picture may change, 0 where it must stay; read, drawn, softened, pasted by.

A mask file is an ordinary picture of which only the brightness counts: white may change, black stays, greys change that
much. Transparent parts stay, and on such a layer the brightest colour counts as white. A mask may have any size, for it
is stretched over the picture.
"""

import os
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float, UInt8
from torch import Tensor

from regrow.media.files import MediaError
from regrow.media.image.framing import Placement, Size
from regrow.media.image.picture import LARGE, ON_WHITE, ROWS, load
from regrow.messages.message import say

LEAST = 2 / 255
"""Brightness up to which a mask's pixel is black: what JPEG and scaling leave around an edge."""
NEARLY_ALL = 0.98
"""Share of a picture that may change from which a mask is likely not what was meant."""


def load_mask(path: str | os.PathLike[str], size: Size) -> tuple[Float[Tensor, "1 h w"], tuple[str, ...]]:
    """Reads a mask for a picture.

    Args:
        path: any picture file.
        size: height and width of the picture.

    Returns:
        The mask, and sentences on what was done to the file.

    Raises:
        MediaError: the file cannot be read as a picture, or all of it is black or transparent.
    """
    picture = load(path)
    notes = [say("about_mask", note=note) for note in picture.notes if picture.layer is None or note != ON_WHITE]
    if picture.layer is None:
        mask = (picture.pixels.mean(0, keepdim=True) + 1) / 2
    else:
        mask = _painted(picture.layer)
        notes.append(say("mask_alpha_stays"))
    own = (mask.shape[-2], mask.shape[-1])
    if own != size:
        mask = F.interpolate(mask[None], size=size, mode="bilinear", antialias=True)[0]
        notes.append(say("mask_stretched", width=own[1], height=own[0], picture_width=size[1], picture_height=size[0]))
    mask = torch.where(mask > LEAST, mask, 0).clamp(0, 1)
    share = float((mask > 0).float().mean())
    if share > NEARLY_ALL:  # a copy of the picture that was painted on, with red for example
        notes.append(say("mask_without_black", share=share))
    if not mask.any():
        if picture.layer is not None:
            raise MediaError(say("mask_transparent", path=path))
        raise MediaError(say("mask_black", path=path))
    return mask, tuple(notes)


def _painted(layer: UInt8[Tensor, "4 h w"]) -> Float[Tensor, "1 h w"]:
    """What is painted on a transparent layer: its opacity, times its brightness as a share of the brightest colour.

    Brightness is the largest channel, so that red counts as white does. What is painted in black alone is painted, too.
    """
    *colours, alpha = layer.float() / 255
    bright = torch.stack(colours).amax(0)
    most = bright[alpha > LEAST].amax() if (alpha > LEAST).any() else bright.new_zeros(())
    return (alpha * (bright / most if most > LEAST else 1)).clamp(0, 1)[None]


def box_mask(shares: tuple[float, float, float, float], size: Size) -> Float[Tensor, "1 h w"]:
    """1 inside a box of at least one pixel, 0 outside.

    Args:
        shares: left, top, right and bottom of the box as shares of the picture, in [0, 1].
        size: height and width of the picture.
    """
    (h, w), (left, top, right, bottom) = size, shares
    x, y = min(round(left * w), w - 1), min(round(top * h), h - 1)
    mask = torch.zeros(1, h, w)
    mask[:, y : max(round(bottom * h), y + 1), x : max(round(right * w), x + 1)] = 1
    return mask


def softened(mask: Float[Tensor, "*b 1 h w"], reach: int) -> Float[Tensor, "*b 1 h w"]:
    """1 wherever the mask is above 0, falling smoothly to 0 over the next `reach` pixels: what to paste by.

    The weight depends on where the mask is above 0, not on its grey values: these say how many steps change a pixel,
    and blending two pictures by half would show both.
    """
    support = (mask > 0).to(mask)
    if not reach:
        return support
    near = reach // 2
    flat = support.reshape(-1, 1, *support.shape[-2:])
    for dim in (-2, -1):  # a square, one direction after the other
        flat = _widened(flat, near, dim)
    far = reach - near
    window = torch.hann_window(2 * far + 1, periodic=False, dtype=torch.float64)[1:-1] if far > 1 else torch.ones(1)
    window = (window / window.sum()).to(flat)
    flat = F.pad(flat, [len(window) // 2] * 4, mode="replicate")
    some = ROWS if support.numel() > LARGE else support.numel() + len(window)  # parts differ in their last bit
    flat = torch.cat([F.conv2d(part, window.view(1, 1, -1, 1)) for part in flat.split(some, -1)], -1)
    flat = torch.cat([F.conv2d(part, window.view(1, 1, 1, -1)) for part in flat.split(some, -2)], -2)
    return torch.where(support > 0, 1, flat.reshape(support.shape)).clamp(0, 1)


def _widened(support: Float[Tensor, "b 1 h w"], reach: int, dim: int) -> Float[Tensor, "b 1 h w"]:
    """The largest value within `reach` pixels along a dimension, by windows of which each is the last one twice."""
    length, width = support.shape[dim], 2 * reach + 1
    pad = [reach, reach] if dim == -1 else [0, 0, reach, reach]
    window, reached = F.pad(support, pad), 1
    while reached < width:
        step = min(reached, width - reached)
        size = window.shape[dim] - step
        window = torch.maximum(window.narrow(dim, 0, size), window.narrow(dim, step, size))
        reached += step
    return window.narrow(dim, 0, length)


def frame_edge(placement: Placement, reach: int) -> Float[Tensor, "1 h w"]:
    """1 inside the box of a picture that a model saw, 0 outside, falling to 0 at its edges over `reach` pixels inwards.

    It does not fall where the box ends with the picture.
    """
    sides = []
    for first, length, whole in (
        (placement.source.top, placement.source.height, placement.original[0]),
        (placement.source.left, placement.source.width, placement.original[1]),
    ):
        at = torch.arange(whole) + 0.5
        start = at - first if first else torch.full((whole,), float(whole))
        end = first + length - at if first + length < whole else torch.full((whole,), float(whole))
        share = (torch.minimum(start, end) / max(reach, 1)).clamp(0, 1)
        share = share.where((at > first) & (at < first + length), 0)
        sides.append(share * share * (3 - 2 * share) if reach else share.ceil())
    return (sides[0][:, None] * sides[1])[None]


def paste(
    result: Float[Tensor, "*b 3 h w"], original: Float[Tensor, "3 h w"], weight: Float[Tensor, "*b 1 h w"]
) -> Float[Tensor, "*b 3 h w"]:
    """Return the result where the weight is 1, and the original itself, bit for bit, where it is 0."""

    def mix(result: Tensor, original: Tensor, weight: Tensor) -> Tensor:
        mixed = torch.where(weight < 1, original + weight * (result - original), result)
        return torch.where(weight > 0, mixed, original)

    return _by_rows(mix, result, original.to(result), weight)


def paste_on_layer(
    result: Float[Tensor, "*b 3 h w"], layer: UInt8[Tensor, "4 h w"], weight: Float[Tensor, "*b 1 h w"]
) -> Float[Tensor, "*b 4 h w"]:
    """The opaque result laid over a layer with alpha, by the weight; where that is 0 the layer stays, bit for bit.

    This is "over" of Porter and Duff (1984, Compositing Digital Images). Laid on white it is what `paste` gives.
    """

    def lay_over(result: Tensor, layer: Tensor, weight: Tensor) -> Tensor:
        original = layer.to(result) / 127.5 - 1
        alpha = (original[3:] + 1) / 2
        opacity = weight + alpha * (1 - weight)
        colours = (weight * result + (1 - weight) * alpha * original[:3]) / opacity.clamp(min=1e-6)
        return torch.where(weight > 0, torch.cat([colours, 2 * opacity - 1], -3), original)

    return _by_rows(lay_over, result, layer, weight)


def _by_rows(mix: Callable[..., Tensor], *parts: Tensor) -> Tensor:
    """What `mix` makes of some rows of each part at a time: of a large picture its intermediates take gigabytes."""
    height = parts[0].shape[-2]
    first = mix(*(part[..., :ROWS, :] for part in parts))
    mixed = first.new_empty((*first.shape[:-2], height, first.shape[-1]))
    mixed[..., :ROWS, :] = first
    for top in range(ROWS, height, ROWS):
        mixed[..., top : top + ROWS, :] = mix(*(part[..., top : top + ROWS, :] for part in parts))
    return mixed
