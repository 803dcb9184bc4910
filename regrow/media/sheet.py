"""A comparison sheet: rows of pictures with captions, laid out on white as one picture.

Text is set in the typeface that ships with Pillow, so that a sheet looks the same on every machine. It covers
little more than ASCII; give `font` for other scripts.
"""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regrow.media.files import MediaError, readable
from regrow.media.image import from_uint8, to_uint8

INK, SOFT, RULE, PAPER, MOUNT = "#16181d", "#666c78", "#d9dce2", "#ffffff", "#f3f4f6"
MARGIN, GAP = 40, 20

Font = ImageFont.FreeTypeFont


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

    A small picture is enlarged by a whole factor with its pixels as squares; a large one is reduced by Lanczos.

    Args:
        rows: at least one, each with at least one cell.
        cell: side of the square that each picture is fitted into, in pixels, at least 64.
        title: heading of the sheet; empty for none.
        font: a TrueType file for the text; None takes Pillow's own.

    Returns:
        `3 h w` in [-1, 1].

    Raises:
        MediaError: there is nothing to lay out, `cell` is too small for text, or the font cannot be read.
    """
    if not rows or not all(row.cells for row in rows):
        raise MediaError("A sheet needs at least one row, and every row a picture: add one.")
    if cell < 64:
        raise MediaError(f"A cell of {cell} pixels is too small for its caption: use 64 or more.")
    type_ = _Type(None if font is None else os.fspath(readable(font)))
    columns = max(len(row.cells) for row in rows)
    width = 2 * MARGIN + columns * cell + (columns - 1) * GAP
    # Heights follow from wrapped text, so it is drawn on a sheet that is surely long enough and then cut.
    blocks = [_row(row, cell, width, type_, ruled=index > 0 or bool(title)) for index, row in enumerate(rows)]
    if title:
        blocks.insert(0, _text_block(title, width, 26, INK, type_))
    height = sum(block.height for block in blocks) + 2 * MARGIN
    page = Image.new("RGB", (width, height), PAPER)
    y = MARGIN
    for block in blocks:
        page.paste(block, (0, y))
        y += block.height
    return from_uint8(np.asarray(page))
