"""Pictures: any common file to `3 h w` in [-1, 1] and back, with the recipe inside the file.

    x = value / 127.5 - 1        value in [0, 255], sRGB

The way there and back is the identity on 8-bit values. Sizes for a model are `framing`'s business.
"""

import hashlib
import os
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image
from torch import Tensor

from regrow.media.files import MediaError, reason, write_whole
from regrow.media.image import colour, tag
from regrow.media.image.reading import MOST_PIXELS, opened
from regrow.media.output import check_output
from regrow.messages.message import say

ON_WHITE = say("laid_on_white")
SAVED = (".png", ".jpg", ".jpeg", ".webp")

LARGE = 4_000_000
"""Pixels from which on a picture is decoded alone."""
_ONE_AT_A_TIME = threading.Lock()
ROWS = 256
"""Rows that are converted at a time, so that large pictures need no copies of their size."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A loaded picture.

    Args:
        pixels: `3 h w` float32 in [-1, 1], sRGB, upright, on white where it is transparent.
        notes: sentences that say aloud what was done to the file's own pixels; empty for a plain picture.
        layer: its colours and its alpha before it was laid on white, 8 bits each; None where all of it is opaque.
    """

    pixels: Float32[Tensor, "3 h w"]
    notes: tuple[str, ...] = ()
    layer: UInt8[Tensor, "4 h w"] | None = None


def load(path: str | os.PathLike[str], most_pixels: int = MOST_PIXELS, data: bytes | None = None) -> Picture:
    """Reads a picture: upright, opaque (on white), sRGB; the first frame of an animation.

    Large ones are decoded one at a time, so that threads do not add up what these take: at most 20 bytes a pixel.

    Args:
        path: a file in one of `FORMATS`; what it is called does not matter.
        most_pixels: larger pictures are refused by their header, before anything is decoded. Pillow's own
            limit of about 179 million stays in force above it.
        data: the file's bytes where they are at hand; `path` then only names them in sentences.

    Raises:
        MediaError: the file cannot be read, is no picture, is damaged, cut short or too large.
    """
    notes: list[str] = []
    with (
        opened(path, most_pixels, data) as image,
        _ONE_AT_A_TIME if image.width * image.height > LARGE else nullcontext(),
    ):
        if getattr(image, "is_animated", False):
            notes.append(say("first_frame_taken"))
        if any(";16" in str(tile.args) for tile in image.tile) and image.mode not in colour.WIDE:
            notes.append(say("depth_reduced"))
        # Pillow turns a TIFF while it loads and forgets the tag; other formats stay as they are stored.
        orientation = _orientation(image) if image.format == "TIFF" else 1
        image.load()
        left = _orientation(image)
        if max(orientation, left) > 1:
            notes.append(say("turned_upright"))
        upright = image.transpose(_TURNS[left]) if left > 1 else image
        if image.mode in colour.WIDE:
            colours, alpha = colour.wide_grey(upright, notes)
        else:
            colours, alpha = colour.to_srgb(upright, notes)
        del upright
        image.close()  # its pixels are not needed any more
        return _laid_on_white(colours, alpha, notes)


def save(
    path: str | os.PathLike[str], pixels: Float[Tensor, "channels h w"], recipe: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Writes a picture, whole or not at all. PNG and WebP keep every value; JPEG is quality 95, 4:4:4, on white.

    Args:
        path: the suffix chooses the format: .png, .jpg, .jpeg or .webp.
        pixels: `3 h w`, or `4 h w` with alpha; clamped to [-1, 1] and rounded to the nearest of 256 values.
        recipe: a JSON-able mapping that the file carries; see `read_recipe`.

    Returns:
        A sentence where the format has no transparency and the picture has.

    Raises:
        MediaError: unknown suffix, a picture with NaN, a recipe that cannot be carried, a disk that refuses.
    """
    check_savable(path)
    suffix = Path(path).suffix.lower()
    image = Image.fromarray(to_uint8(pixels))
    notes: tuple[str, ...] = ()
    if image.mode == "RGBA" and suffix not in (".png", ".webp"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        notes = (say("saved_on_white", path=path),)
    encoded = BytesIO()
    try:
        if suffix == ".png":
            image.save(encoded, "PNG", pnginfo=tag.png_chunk(recipe) if recipe is not None else None)
        elif suffix == ".webp":
            exif = tag.exif_comment(recipe) if recipe is not None else Image.Exif()
            image.save(encoded, "WEBP", lossless=True, exact=True, exif=exif)
        else:
            exif = tag.exif_comment(recipe, tag.MOST_JPEG_BYTES) if recipe is not None else Image.Exif()
            image.save(encoded, "JPEG", quality=95, subsampling=0, exif=exif)
    except MediaError:
        raise
    except (OSError, ValueError) as problem:  # a side longer than the format allows
        raise MediaError(
            say("picture_not_encodable", path=path, width=image.width, height=image.height, reason=reason(problem))
        ) from problem
    write_whole(path, encoded.getvalue())
    return notes


def check_savable(path: str | os.PathLike[str]) -> None:
    """Refuse a name that `save` would refuse, before the work is done.

    Raises:
        MediaError: unknown suffix, or a file that could not be written.
    """
    if Path(path).suffix.lower() not in SAVED:
        raise MediaError(say("picture_suffix_unknown", path=path, saved=", ".join(SAVED)))
    check_output(path)


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the recipe that a saved picture carries, or None where it carries none.

    Raises:
        MediaError: the file cannot be read as a picture, or its recipe is damaged or larger than 1 MiB.
    """
    with opened(path, MOST_PIXELS) as image:
        text = tag.find(image)
        return None if text is None else tag.parse(text)


def to_uint8(pixels: Float[Tensor, "*b c h w"]) -> UInt8[np.ndarray, "*b h w c"]:
    """[-1, 1] to 8-bit values, channels last: clamped, rounded to nearest.

    Raises:
        MediaError: a value is NaN.
    """
    values = pixels.detach().float().cpu()
    if values.isnan().any():
        raise MediaError(say("picture_is_nan"))
    stored = torch.empty_like(values, dtype=torch.uint8)
    for top in range(0, values.shape[-2], ROWS):
        rows = slice(top, top + ROWS)
        stored[..., rows, :] = ((values[..., rows, :] + 1) * 127.5).round().clamp(0, 255).byte()
    return stored.movedim(-3, -1).numpy()


def from_uint8(values: UInt8[np.ndarray, "*b h w 3"]) -> Float32[Tensor, "*b 3 h w"]:
    """8-bit values, channels last, to [-1, 1]. `to_uint8` undoes it exactly."""
    return torch.tensor(values, dtype=torch.float32).movedim(-1, -3).contiguous() / 127.5 - 1


def picture_hash(picture: Float[Tensor, "channels h w"]) -> str:
    """Return the BLAKE2b of a picture's 8-bit pixels and size, 32 hexadecimal digits."""
    values = to_uint8(picture)
    return hashlib.blake2b(repr(values.shape).encode() + values.tobytes(), digest_size=16).hexdigest()


def _orientation(image: Image.Image) -> int:
    """1 to 8; 1 (upright) where the tag is missing, broken or unreadable."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF must not cost the picture, and its parser raises anything
        return 1
    return value if value in _TURNS else 1


def _laid_on_white(
    colours: Image.Image | Float32[np.ndarray, "h w"],
    alpha: Image.Image | UInt8[np.ndarray, "h w"] | None,
    notes: list[str],
) -> Picture:
    """The picture, converted a few rows at a time, so that nothing but the result has its size.

    Alpha is laid on white by `c * a + 255 * (1 - a)` on the sRGB values themselves, not in linear light: that is what
    browsers and image editors show.
    """
    width, height = colours.size if isinstance(colours, Image.Image) else colours.shape[::-1]
    pixels = torch.empty(3, height, width)
    layer = None if alpha is None else torch.empty(4, height, width, dtype=torch.uint8)

    def rows_of(whole: Image.Image | np.ndarray, top: int) -> Tensor:
        if isinstance(whole, Image.Image):
            whole = np.array(whole.crop((0, top, width, min(top + ROWS, height))))
        else:
            whole = whole[top : top + ROWS]
        rows = torch.from_numpy(whole)
        return rows.movedim(-1, 0) if rows.ndim == 3 else rows[None]

    for top in range(0, height, ROWS):
        rows = pixels[:, top : top + ROWS]
        some = rows_of(colours, top)
        rows.copy_(some)
        if alpha is not None and layer is not None:
            opacity = rows_of(alpha, top)
            layer[:3, top : top + ROWS], layer[3:, top : top + ROWS] = some.round().byte(), opacity
            share = opacity.float() / 255
            rows.mul_(share).add_(255 * (1 - share))
        rows.div_(127.5).sub_(1).clamp_(-1, 1)
    if layer is not None:
        notes.append(ON_WHITE)
    return Picture(pixels, tuple(notes), layer)
