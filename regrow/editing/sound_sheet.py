"""Sheets of sounds: their mels as pictures, to be compared by eye."""

from collections.abc import Sequence
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from regrow.editing.edit_sounds import EditedSounds, mel_distance
from regrow.media.audio.mel import as_picture
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.model import Model
from regrow.requests.edit import Edit

COLUMNS, CELL = 2, 512


def mel_cell(mel: Float[Tensor, "1 bands frames"], captions: Sequence[str]) -> Cell:
    """A mel as a model sees it, as a picture: low below, late to the right."""
    return Cell(as_picture(mel[None])[0], captions)


def edit_row(request: Edit, edited: EditedSounds, model: Model) -> Row:
    """A sound, what the codec alone makes of it, and what each wish made of it."""
    source = edited.heard.mel
    cells = [
        mel_cell(source, ["source", f'"{request.source}"']),
        mel_cell(edited.codec, ["codec only", f"{mel_distance(edited.codec, source, model)} dB from the source"]),
        *(
            mel_cell(mel, [f'{request.method}: "{target}"', f"{mel_distance(mel, source, model)} dB from the source"])
            for target, mel in zip(request.target, edited.mels, strict=True)
        ),
    ]
    found = edited.recipes[0]["settings"]  # numbers, where they were auto or the model's own
    request = replace(request, strength=found["strength"], steps=found["steps"])
    title = (
        f"{request.image.name}: {request.steps_back} of {request.steps} steps back, guidance {request.guidance:g}; "
        "mean difference of the mels in dB"
    )
    return Row(title, cells)


def edit_sheet(request: Edit, edited: EditedSounds, model: Model) -> Float[Tensor, "3 h w"]:
    """The row as a sheet of its own."""
    row = edit_row(request, edited, model)
    cut = [Row(row.title if not i else "", row.cells[i : i + COLUMNS]) for i in range(0, len(row.cells), COLUMNS)]
    return sheet(cut, cell=CELL, title="regrow edit")
