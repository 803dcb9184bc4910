"""The sheet of an interpolation: its steps beside each other, with their distances from both ends."""

from jaxtyping import Float
from torch import Tensor

from regrow.editing.interpolate import Interpolated, kind_of
from regrow.media.audio.mel import as_picture
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.requests.interpolate import Interpolate

PICTURE, MEL, WIDEST = 256, 384, 7
"""Pixels of a cell, and how many pictures stand in a row; of mels, which are wide, half as many."""


def interpolate_sheet(request: Interpolate, made: Interpolated) -> Float[Tensor, "3 h w"]:
    """All steps, in reading order."""
    frames = as_picture(made.frames) if made.rate else made.frames
    cells = []
    for frame, share, recipe in zip(frames, made.shares, made.recipes, strict=True):
        near, far = (_distance(recipe["figures"][end]) for end in ("to_first", "to_second"))
        cells.append(Cell(frame, [f"{100 * share:.0f} %", f"{near} to the first", f"{far} to the second"]))
    width = WIDEST // 2 if made.rate else WIDEST
    between = "words between, from one noise" if kind_of(request) == "words" else "noises on the arc between"
    title = f"{request.first} -> {request.second}: {request.steps} steps, {between}"
    rows = [Row(title if not i else "", cells[i : i + width]) for i in range(0, len(cells), width)]
    return sheet(rows, cell=MEL if made.rate else PICTURE, title="regrow interpolate")


def _distance(figures: dict[str, float | None]) -> str:
    if "mel" in figures:
        return f"{figures['mel']} dB of mel"
    return "equal" if figures["psnr"] is None else f"{figures['psnr']} dB"
