"""Frames of a picture's own shape: all of it, or a part of it in full resolution.

    whole      all of the picture, scaled by one factor to about the pixels that the model was made for
    region     the surroundings of what may change, not scaled where that are no more pixels than those

A side that is not a multiple is extended with mirrored pixels, which are cut off again afterwards: nothing is
stretched, and nothing moves. `framing` has the placements and undoes them.
"""

import math
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from regrow.media.image.framing import Box, Placement, Size, centred
from regrow.media.names import EditMode

NEAR = 1.25
"""How many times more or fewer pixels than a model was made for a picture may have and is not scaled: resampling costs
detail, and published models were trained on sizes that differ by about as much."""
LONG = 2
"""The longest side, in sides of the pictures that a model was made for: that of 4 to 1 at its own number of pixels."""
CONTEXT = 0.25
"""Of the longer side of what may change, taken along on each side of it, so that the model sees what it belongs to."""


class Made(NamedTuple):
    """The picture sizes that a model was made for and accepts.

    Attributes:
        size: height and width in pixels.
        multiple: of the sides of its frames.
        longest: side that it takes; None for any.
        tiled: whether larger frames are denoised in tiles, so that nothing has to be scaled.
    """

    size: Size
    multiple: int = 1
    longest: int | None = None
    tiled: bool = False


def whole(original: Size, made: Made, size: Size | None = None) -> Placement:
    """Place all of a picture: in a frame of its own shape, or in the middle of one of a given size."""
    return _placed("whole", original, Box(0, 0, *original), made, size)


def surroundings(original: Size, around: Box, reach: int, made: Made) -> Placement:
    """Place what lies around a box of a picture, the box and `reach` pixels about it included."""
    cut = _cut(original, around, reach, made)
    return _placed("region", original, cut, made, None)


def is_larger(original: Size, made: Made) -> bool:
    """Return whether a picture would be scaled down as a whole."""
    return _scale(original, made) < 1


def support(mask: Float[Tensor, "1 h w"]) -> Box:
    """Return the smallest box around what of a mask is above 0; there is something."""
    rows, columns = ((mask[0] > 0).any(dim).nonzero() for dim in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return Box(top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)


def _placed(mode: EditMode, original: Size, source: Box, made: Made, size: Size | None) -> Placement:
    h, w = source.size
    if size is None:
        scale = _scale(source.size, made)
        inside = round(h * scale), round(w * scale)
        size = _up(max(inside[0], 1), made.multiple), _up(max(inside[1], 1), made.multiple)
    else:
        scale = min(size[0] / h, size[1] / w)
    return Placement(mode, original, source, size, centred(size, (h * scale, w * scale)))


def _scale(size: Size, made: Made) -> float:
    """The factor that a part of a picture is scaled by; its longer side then is a multiple, unless it is 1."""
    pixels, longer = made.size[0] * made.size[1], max(size)
    if made.tiled:
        return 1.0
    most = LONG * max(made.size) if made.longest is None else min(LONG * max(made.size), made.longest)
    share = pixels / (size[0] * size[1])
    if 1 / NEAR <= share <= NEAR and _up(longer, made.multiple) <= most:
        return 1.0
    side = round(longer * math.sqrt(share) / made.multiple) * made.multiple
    return max(min(side, most // made.multiple * made.multiple), made.multiple) / longer


def _cut(original: Size, around: Box, reach: int, made: Made) -> Box:
    """The part of a picture: what may change and its surroundings, and more of them while the model has room."""
    margin = max(reach, math.ceil(CONTEXT * max(around.size)))
    (h, w), pixels = original, made.size[0] * made.size[1]
    top, left = max(around.top - margin, 0), max(around.left - margin, 0)
    needed = min(around.top + around.height + margin, h) - top, min(around.left + around.width + margin, w) - left
    tall = _room(needed[0], made.size[0], h, made.multiple)
    wide = _room(needed[1], pixels // tall, w, made.multiple)
    tall = _room(needed[0], pixels // wide, h, made.multiple)
    # what is needed lies in the middle, unless the picture ends there
    top = min(max(top - (tall - needed[0]) // 2, 0), h - tall)
    left = min(max(left - (wide - needed[1]) // 2, 0), w - wide)
    return Box(top, left, tall, wide)


def _room(needed: int, usual: int, there: int, multiple: int) -> int:
    """A side of the part: the usual one, or the next multiple of what is needed; the picture's own at most."""
    return min(max(_up(needed, multiple), usual // multiple * multiple), there)


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
