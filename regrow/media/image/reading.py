"""Open a picture file: read its bytes, check its header against the limits, and report errors in a sentence."""

import logging
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageFile, UnidentifiedImageError

from regrow.media.content import content_of
from regrow.media.files import MediaError, is_pointer, readable, reason
from regrow.messages.message import say

MOST_PIXELS = 64_000_000
MOST_BYTES = 1 << 29
"""What 64 megapixels of four 16-bit channels take without compression."""
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "JPEG2000", "ICO", "PPM", "TGA", "QOI")
"""What is read (MPO, the JPEG of several pictures that phones write, counts as JPEG). Pillow knows more, among them
EPS, which runs another program on the file."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs of damage is said in a sentence here
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@contextmanager
def opened(path: str | os.PathLike[str], most_pixels: int, data: bytes | None = None) -> Iterator[ImageFile.ImageFile]:
    """Open a picture, with its header read and its size checked. Errors inside the block become one sentence.

    Pillow reads from memory, never from the file: it maps files of uncompressed pixels into memory, and then takes the
    sides of a picture that is stored turned for each other.

    Args:
        path: the file.
        most_pixels: more are refused before anything is decoded.
        data: the file's bytes where they are at hand; `path` then only names them in sentences.

    Raises:
        MediaError: the file cannot be read, is no picture, is damaged, cut short or too large.
    """
    data = _bytes(path) if data is None else data
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size and of broken EXIF: the limit and the notes speak instead
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                _check_size(_largest(image), most_pixels)
                if cicp := _checked_chunks(data):
                    image.info["cicp"] = cicp
                yield image
    except MediaError as problem:
        raise MediaError(say("picture_refused", path=path, reason=reason(problem))) from problem
    except Image.DecompressionBombError as problem:
        raise MediaError(say("picture_far_too_large", path=path, most=most_pixels / 1e6)) from problem
    except UnidentifiedImageError as problem:
        raise MediaError(say("picture_unreadable", path=path, reason=_unknown(data[:512]))) from problem
    except MemoryError as problem:
        raise MediaError(say("picture_beyond_memory", path=path)) from problem
    except Exception as problem:  # decoders answer damage with OSError, SyntaxError, AssertionError, struct.error ...
        raise MediaError(say("picture_damaged", path=path, reason=reason(problem))) from problem


def _bytes(path: str | os.PathLike[str]) -> bytes:
    path = readable(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MediaError(say("picture_file_too_large", path=path, most=MOST_BYTES >> 20))
        return path.read_bytes()
    except OSError as problem:
        raise MediaError(say("picture_disk_error", path=path, reason=reason(problem))) from problem


def _largest(image: ImageFile.ImageFile) -> tuple[int, int]:
    """Width and height; of an icon, whose directory may understate them, those of the picture that is decoded."""
    if image.format == "ICO":
        icon = getattr(image, "ico")  # noqa: B009, which the types of Pillow do not know
        return max(image.size, icon.frame(icon.getentryindex(image.size)).size)
    return image.size


def _check_size(size: tuple[int, int], most_pixels: int) -> None:
    width, height = size
    if width * height > most_pixels:
        raise MediaError(say("too_many_pixels", width=width, height=height, most=most_pixels / 1e6))
    if not width * height:
        raise MediaError(say("no_pixels", width=width, height=height))


def _checked_chunks(data: bytes) -> bytes | None:
    """The cICP chunk of a PNG, which Pillow does not read, or None.

    Raises:
        MediaError: a chunk that decides what is seen fails its checksum, which Pillow does not look at for all of them.
    """
    if not data.startswith(_SIGNATURE):
        return None
    cicp, at, view = None, len(_SIGNATURE), memoryview(data)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        content = view[at + 4 : end]
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"cICP") and end + 4 <= len(data):
            if zlib.crc32(content) != struct.unpack_from(">I", data, end)[0]:
                raise MediaError(say("picture_checksum", chunk=name.decode()))
            cicp = bytes(content[4:]) if name == b"cICP" else cicp
        at = end + 4 if name != b"IEND" else len(data)
    return cicp


def _unknown(head: bytes) -> str:
    """What a file with these first bytes is, if Pillow does not recognise it, and what to do, to follow its path."""
    if not head:
        return say("picture_empty")
    content = content_of(head)
    if content and content.medium == "sound":
        return say("picture_is_sound", name=content.name)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1"):
        return say("picture_is_heic")
    if head.startswith((b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")):
        return say("picture_header_damaged")
    if b"<svg" in head:
        return say("picture_is_svg")
    if head.startswith(b"%PDF"):
        return say("picture_is_pdf")
    if is_pointer(head):
        return say("picture_is_pointer")
    if not any(byte < 9 or 13 < byte < 32 for byte in head):
        return say("picture_is_text")
    return say("picture_format_unknown")
