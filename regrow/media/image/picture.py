"""Pictures: any common file to `3 h w` in [-1, 1] and back, with the recipe inside the file.

    x = value / 127.5 - 1        value in [0, 255], sRGB

The way there and back is the identity on 8-bit values. Sizes for a model are `framing`'s business.
"""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from PIL import Image, ImageFile, UnidentifiedImageError
from torch import Tensor

from regrow.media.files import MediaError, check_folder, readable, reason, write_whole
from regrow.media.image import colour, tag

MOST_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "JPEG2000", "ICO", "PPM", "TGA", "QOI")
"""What is read (MPO, the JPEG of several pictures that phones write, counts as JPEG). Pillow knows more, among them
EPS, which runs another program on the file."""

SAVED = (".png", ".jpg", ".jpeg", ".webp")

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
        pixels: `3 h w` float32 in [-1, 1], sRGB, upright.
        notes: sentences that say aloud what was done to the file's own pixels; empty for a plain picture.
    """

    pixels: Float32[Tensor, "3 h w"]
    notes: tuple[str, ...] = ()


def load(path: str | os.PathLike[str], most_pixels: int = MOST_PIXELS, data: bytes | None = None) -> Picture:
    """Reads a picture: upright, opaque (on white), sRGB; the first frame of an animation.

    Args:
        path: a file in one of `FORMATS`; what it is called does not matter.
        most_pixels: larger pictures are refused by their header, before anything is decoded. Pillow's own
            limit of about 179 million stays in force above it.
        data: the file's bytes where they are at hand; `path` then only names them in sentences.

    Raises:
        MediaError: the file cannot be read, is no picture, is damaged, cut short or too large.
    """
    notes: list[str] = []
    with _opened(path, most_pixels, data) as image:
        if getattr(image, "is_animated", False):
            notes.append("Only the first of its frames was taken.")
        if any(";16" in str(tile.args) for tile in image.tile) and image.mode not in colour.WIDE:
            notes.append("Its 16 bits a channel were reduced to 8, the high byte of each value.")
        # Pillow turns a TIFF while it loads and forgets the tag; other formats stay as they are stored.
        orientation = _orientation(image) if image.format == "TIFF" else 1
        image.load()
        left = _orientation(image)
        if max(orientation, left) > 1:
            notes.append("It was turned upright by its EXIF orientation.")
        upright = image.transpose(_TURNS[left]) if left > 1 else image
    try:
        values = colour.to_rgb(upright, notes)
    except MediaError as problem:
        raise MediaError(f"{path} {reason(problem)}.") from problem
    pixels = torch.from_numpy(values).permute(2, 0, 1).contiguous() / 127.5 - 1
    return Picture(pixels.clamp(-1, 1), tuple(notes))


def save(path: str | os.PathLike[str], pixels: Float[Tensor, "3 h w"], recipe: Mapping[str, Any] | None = None) -> None:
    """Writes a picture, whole or not at all. PNG and WebP keep every value; JPEG is quality 95, 4:4:4.

    Args:
        path: the suffix chooses the format: .png, .jpg, .jpeg or .webp.
        pixels: `3 h w`; clamped to [-1, 1] and rounded to the nearest of 256 values.
        recipe: a JSON-able mapping that the file carries; see `read_recipe`.

    Raises:
        MediaError: unknown suffix, a picture with NaN, a recipe that cannot be carried, a disk that refuses.
    """
    check_savable(path)
    suffix = Path(path).suffix.lower()
    image = Image.fromarray(to_uint8(pixels))
    encoded = BytesIO()
    try:
        if suffix == ".png":
            image.save(encoded, "PNG", pnginfo=tag.png_chunk(recipe) if recipe is not None else None)
        elif suffix == ".webp":
            exif = tag.exif_comment(recipe) if recipe is not None else Image.Exif()
            image.save(encoded, "WEBP", lossless=True, exif=exif)
        else:
            exif = tag.exif_comment(recipe, tag.MOST_JPEG_BYTES) if recipe is not None else Image.Exif()
            image.save(encoded, "JPEG", quality=95, subsampling=0, exif=exif)
    except MediaError:
        raise
    except (OSError, ValueError) as problem:  # a side longer than the format allows
        raise MediaError(
            f"{path} cannot be encoded at {image.width} x {image.height} ({reason(problem)}): save as .png."
        ) from problem
    write_whole(path, encoded.getvalue())


def check_savable(path: str | os.PathLike[str]) -> None:
    """Refuse a name that `save` would refuse, before the work is done.

    Raises:
        MediaError: unknown suffix, or a folder that is not there or may not be written in.
    """
    if Path(path).suffix.lower() not in SAVED:
        raise MediaError(f"{path} has no suffix that regrow can save: use one of {', '.join(SAVED)}.")
    check_folder(path)


def read_recipe(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The recipe that a saved picture carries, or None where it carries none.

    Raises:
        MediaError: the file cannot be read as a picture, or its recipe is damaged or larger than 1 MiB.
    """
    with _opened(path, MOST_PIXELS) as image:
        text = tag.find(image)
        return None if text is None else tag.parse(text)


def to_uint8(pixels: Float[Tensor, "*b 3 h w"]) -> UInt8[np.ndarray, "*b h w 3"]:
    """[-1, 1] to 8-bit values, channels last: clamped, rounded to nearest.

    Raises:
        MediaError: a value is NaN.
    """
    values = pixels.detach().float().cpu()
    if values.isnan().any():
        raise MediaError("The picture holds NaN instead of numbers: the model diverged, try full precision.")
    return ((values + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).movedim(-3, -1).numpy()


def from_uint8(values: UInt8[np.ndarray, "*b h w 3"]) -> Float32[Tensor, "*b 3 h w"]:
    """8-bit values, channels last, to [-1, 1]. `to_uint8` undoes it exactly."""
    return torch.tensor(values, dtype=torch.float32).movedim(-1, -3).contiguous() / 127.5 - 1


def picture_hash(picture: Float[Tensor, "3 h w"]) -> str:
    """Return the BLAKE2b of a picture's 8-bit pixels and size, 32 hexadecimal digits."""
    values = to_uint8(picture)
    return hashlib.blake2b(repr(values.shape).encode() + values.tobytes(), digest_size=16).hexdigest()


@contextmanager
def _opened(path: str | os.PathLike[str], most_pixels: int, data: bytes | None = None) -> Iterator[ImageFile.ImageFile]:
    """The picture with its header read and its size checked. What goes wrong inside becomes a sentence."""
    file = readable(path) if data is None else BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and of broken EXIF: the limit and the notes speak instead
            with Image.open(file, formats=FORMATS) as image:
                width, height = image.size
                if width * height > most_pixels:
                    raise MediaError(
                        f"is {width} x {height}, more than the {most_pixels / 1e6:g} megapixels allowed: "
                        "scale it down first"
                    )
                yield image
    except MediaError as problem:
        raise MediaError(f"{path} {reason(problem)}.") from problem
    except Image.DecompressionBombError as problem:
        raise MediaError(
            f"{path} is far larger than the {most_pixels / 1e6:g} megapixels allowed: scale it down first."
        ) from problem
    except UnidentifiedImageError as problem:
        raise MediaError(f"{path} {_unknown(_head(file))}.") from problem
    except MemoryError:
        raise
    except Exception as problem:  # decoders answer damage with OSError, SyntaxError, IndexError, struct.error ...
        raise MediaError(f"{path} is damaged or cut short ({reason(problem)}): copy or download it again.") from problem


def _orientation(image: Image.Image) -> int:
    """1 to 8; 1 (upright) where the tag is missing, broken or unreadable."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF must not cost the picture, and its parser raises anything
        return 1
    return value if value in _TURNS else 1


def _head(file: Path | BytesIO) -> bytes:
    """The first bytes of a file."""
    if isinstance(file, BytesIO):
        return file.getvalue()[:512]
    with file.open("rb") as opened:
        return opened.read(512)


def _unknown(head: bytes) -> str:
    """What a file with these first bytes is, if Pillow does not recognise it, and what to do, to follow its path."""
    if not head:
        return "is empty (0 bytes): copy or download it again"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"):
        return "is a HEIC picture, which regrow cannot read: export it as JPEG or PNG"
    if head.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")):
        return "begins like a picture, but its header is damaged or cut short: copy or download it again"
    if b"<svg" in head:
        return "is an SVG drawing, which has no pixels: export it as PNG"
    if head.startswith(b"%PDF"):
        return "is a PDF document: export the page as PNG"
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return "is text, whatever its name says: give a picture file"
    return "is in no format that regrow reads: export it as PNG or JPEG"
