"""The recipe inside a picture file: where each format carries it, and how it is read back.

    PNG           iTXt chunk named `regrow`, JSON in UTF-8, readable by any tool that lists text chunks
    JPEG, WebP    EXIF UserComment (tag 0x9286), `regrow ` and JSON in ASCII escapes

The word in front of the JSON tells regrow's comment from a camera's.
"""

import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from regrow.media.files import MediaError, reason
from regrow.messages.message import say

KEY = "regrow"
MOST_BYTES = 1 << 20
MOST_JPEG_BYTES = 65_000
"""A JPEG segment holds 65,533 bytes; the EXIF tables around the comment take under 100."""

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_ASCII = b"ASCII\0\0\0"  # the character code that EXIF 2.32 puts before a UserComment


def png_chunk(recipe: Mapping[str, Any]) -> PngImagePlugin.PngInfo:
    """Return the recipe as the text chunk of a PNG.

    Raises:
        MediaError: the recipe is not JSON, or larger than 1 MiB.
    """
    text = to_text(recipe, ascii_only=False)
    info = PngImagePlugin.PngInfo()
    try:
        info.add_itxt(KEY, text)
    except UnicodeEncodeError:  # half a surrogate pair, as the shell passes bytes it cannot decode
        info.add_itxt(KEY, to_text(recipe, ascii_only=True))
    return info


def exif_comment(recipe: Mapping[str, Any], most: int = MOST_BYTES) -> Image.Exif:
    """Return the recipe as the EXIF block of a JPEG (`most=MOST_JPEG_BYTES`) or a WebP.

    Raises:
        MediaError: the recipe is not JSON, or larger than `most` bytes.
    """
    text = to_text(recipe, ascii_only=True, most=most)
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = _ASCII + f"{KEY} {text}".encode("ascii")
    return exif


def find(image: Image.Image) -> str | None:
    """Return the recipe's JSON in an opened picture, or None where there is none."""
    if isinstance(image, PngImagePlugin.PngImageFile):
        # Some tools move text behind the pixels; `.text` reads that far, at the price of decoding them.
        return image.info.get(KEY) or image.text.get(KEY)
    comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    if isinstance(comment, str):
        comment = comment.encode("utf-8", "replace")
    start = _ASCII + f"{KEY} ".encode("ascii")
    if not isinstance(comment, bytes) or not comment.startswith(start):
        return None
    return comment.removeprefix(start).decode("ascii", "replace").rstrip("\0 ")


def parse(text: str) -> dict[str, Any]:
    """Return the recipe as a dictionary.

    Raises:
        MediaError: larger than 1 MiB, no JSON, or JSON of something else than an object. The sentence lacks
            the path; the caller adds it.
    """
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise MediaError(say("recipe_too_large"))
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise MediaError(say("recipe_damaged", reason=reason(problem))) from problem
    if not isinstance(recipe, dict):
        raise MediaError(say("recipe_no_table"))
    return recipe


def to_text(recipe: Mapping[str, Any], ascii_only: bool = False, most: int = MOST_BYTES) -> str:
    """Return the recipe as JSON.

    Raises:
        MediaError: it is not JSON, or larger than `most` bytes.
    """
    try:
        text = json.dumps(dict(recipe), ensure_ascii=ascii_only, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise MediaError(say("recipe_not_json", reason=reason(problem))) from problem
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > most:
        advice = say("save_as_png") if most < MOST_BYTES else say("shorten_it")
        raise MediaError(say("recipe_beyond_format", size=size, most=most, advice=advice))
    return text
