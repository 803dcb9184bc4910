"""A comparison sheet: rows of pictures with captions, laid out on white as one picture.

Text is set in the typeface that ships with Pillow, so that a sheet looks the same on every machine. It covers
little more than ASCII; give `font` for other scripts.
"""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regrow.media.files import MediaError, readable
from regrow.media.image.picture import from_uint8, to_uint8
from regrow.messages.message import say

PAPER, MOUNT, RULE = "#ffffff", "#f3f4f6", "#dcdfe4"
MARGIN, GAP = 40, 20


@dataclass(frozen=True)
class Style:
    """A size and a line distance in pixels, and an ink."""

    size: int
    leading: int
    ink: str


TITLE = Style(26, 34, "#16181d")
HEADING = Style(18, 25, "#16181d")
NAME = Style(15, 21, "#16181d")
FIGURE = Style(13, 19, "#666c78")

_SPELLED = str.maketrans({"×": "x", "–": "-", "—": "-", "−": "-", "→": "->", "←": "<-", "≤": "<=", "≥": ">="})
_BEYOND_ASCII = "©«°±·»‘’“”…"


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture `3 h w` in [-1, 1] and the lines under it: the first names it, the others give figures."""

    pixels: Float[Tensor, "3 h w"]
    captions: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures to be compared with each other, and what they have in common."""

    title: str
    cells: Sequence[Cell]


def sheet(
    rows: Sequence[Row], cell: int = 256, title: str = "", font: str | os.PathLike[str] | None = None
) -> Float[Tensor, "3 h w"]:
    """Lays rows of pictures out as one picture, to be saved with `image.save`.

    A small picture is enlarged by a whole factor, its pixels as squares; a large one is reduced (Lanczos).

    Args:
        rows: at least one, each with at least one cell.
        cell: side of the square that each picture is fitted into, in pixels, at least 64; a row is as high as the
            tallest of its pictures.
        title: heading of the sheet; empty for none.
        font: a TrueType file for the text; None takes Pillow's own.

    Returns:
        `3 h w` in [-1, 1].

    Raises:
        MediaError: there is nothing to lay out, `cell` is too small for text, or the font cannot be read.
    """
    if not rows or not all(row.cells for row in rows):
        raise MediaError(say("sheet_is_empty"))
    if cell < 64:
        raise MediaError(say("sheet_cell_too_small", cell=cell))
    columns = max(len(row.cells) for row in rows)
    paper = _Paper(2 * MARGIN + columns * (cell + GAP) - GAP, None if font is None else readable(font))
    y = MARGIN
    if title:
        y = paper.write(title, MARGIN, y, paper.width - 2 * MARGIN, TITLE) + 10
    for index, row in enumerate(rows):
        if title or index:
            y = paper.rule(y + 20) + 24
        if row.title:
            y = paper.write(row.title, MARGIN, y, paper.width - 2 * MARGIN, HEADING) + 12
        pictures = [_fitted(item, cell) for item in row.cells]
        tallest = max(picture.height for picture in pictures)
        y = max(
            _draw(paper, picture, item.captions, MARGIN + column * (cell + GAP), y, (cell, tallest))
            for column, (picture, item) in enumerate(zip(pictures, row.cells, strict=True))
        )
    return from_uint8(np.asarray(paper.image.crop((0, 0, paper.width, y + MARGIN))))


def _fitted(item: Cell, cell: int) -> Image.Image:
    """The picture as it fits into a square."""
    picture = Image.fromarray(to_uint8(item.pixels))
    longest = max(picture.size)
    if longest <= cell:
        times = cell // longest
        return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
    return picture


def _draw(
    paper: "_Paper", picture: Image.Image, captions: Sequence[str], x: int, y: int, mount: tuple[int, int]
) -> int:
    """Puts a picture on its mount, and captions under it, at (x, y); returns where they end."""
    paper.mount(picture, x, y, mount)
    y += mount[1] + 10
    for index, caption in enumerate(captions):
        y = paper.write(caption, x, y, mount[0], FIGURE if index else NAME)
    return y


class _Paper:
    """A white page that grows downwards as it is drawn on."""

    def __init__(self, width: int, font: Path | None) -> None:
        self.width = width
        self.image = Image.new("RGB", (width, 1024), PAPER)
        self._font = font
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}

    def write(self, text: str, x: int, y: int, width: int, style: "Style") -> int:
        """Sets wrapped text from (x, y) on; returns where the next line would begin."""
        font = self._sized(style.size)
        for line in _wrapped(text if self._font else _covered(text), font, width):
            self._pen(y + style.leading).text((x, y), line, fill=style.ink, font=font)
            y += style.leading
        return y

    def rule(self, y: int) -> int:
        """Draws a thin line from margin to margin; returns where it ends."""
        self._pen(y + 1).line((MARGIN, y, self.width - MARGIN - 1, y), fill=RULE)
        return y + 1

    def mount(self, picture: Image.Image, x: int, y: int, size: tuple[int, int]) -> None:
        """Puts a picture in the middle of a faintly tinted rectangle of this width and height."""
        width, height = size
        pen = self._pen(y + height)
        if picture.size != size:
            pen.rectangle((x, y, x + width - 1, y + height - 1), fill=MOUNT)
        self.image.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))

    def _pen(self, bottom: int) -> ImageDraw.ImageDraw:
        """A pen for a page that reaches down to `bottom` and leaves room for the margin."""
        if bottom + 2 * MARGIN > self.image.height:
            longer = Image.new("RGB", (self.width, 2 * bottom + 2 * MARGIN), PAPER)
            longer.paste(self.image, (0, 0))
            self.image = longer
        return ImageDraw.Draw(self.image)

    def _sized(self, size: int) -> ImageFont.FreeTypeFont:
        if size not in self._sizes:
            try:
                font = ImageFont.truetype(self._font, size) if self._font else ImageFont.load_default(size)
            except OSError as problem:
                raise MediaError(say("font_unreadable", font=self._font)) from problem
            assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels all carry FreeType
            self._sizes[size] = font
        return self._sizes[size]


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines no wider than `width`, broken at spaces, and inside a word only where it is wider than a line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _covered(text: str) -> str:
    """The text in letters that Pillow's font has: accents dropped, signs spelled out, others as `?`."""
    bare = (c for c in unicodedata.normalize("NFKD", text.translate(_SPELLED)) if not unicodedata.combining(c))
    return "".join(c if c in _BEYOND_ASCII or " " <= c <= "~" else " " if c.isspace() else "?" for c in bare)
