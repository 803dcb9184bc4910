"""Sheets that compare an edit with source, codec, reconstruction and img2img, or show an interpolation."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.registry import method
from regrow.core.progress import Progress
from regrow.editing.edit import edit
from regrow.editing.interpolate import WORDS, kind_of
from regrow.editing.result import Result
from regrow.editing.steps import with_own_method
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit
from regrow.requests.interpolate import Interpolate


@dataclass(frozen=True, eq=False)
class Compared:
    """An edit, the reconstruction and img2img with the same settings, and the rows of their sheet."""

    edited: Result
    reconstructed: Result
    img2img: Result
    rows: tuple[Row, ...]


def compare(request: Edit, model: Model) -> Generator[Progress, None, Compared]:
    """Run an edit, its reconstruction and img2img, all with the same settings."""
    if method(with_own_method(request, model)[0].method).needs:
        raise ValueError(say("nothing_to_compare", name=model.name))
    edited = yield from edit(request, model)
    settings = edited.recipes[0]["settings"]  # numbers and words, where they were auto or the model's own
    request = replace(
        request,
        describer="",
        **{name: settings[name] for name in ("strength", "source", "steps", "method", "guidance", "frame")},
    )
    mask = None if request.mask == "auto" else request.mask  # source and source disagree nowhere
    own = replace(request, target=(request.source,), to_lyrics="", mask=mask, emphasis=())
    reconstructed = yield from edit(own, model)
    plain = yield from edit(replace(request, method="img2img", trajectory=None, attention="none", emphasis=()), model)
    medium, original = model.medium, edited.original

    def cell(frame: Float[Tensor, " channels *places"], name: str) -> Cell:
        apart = medium.distance_caption(medium.distance(frame, original, model))
        return Cell(medium.pictures(frame[None], model)[0], [name, apart])

    cells = [
        Cell(medium.pictures(original[None], model)[0], ["source", f'"{request.source}"']),
        cell(edited.codec, "codec only"),
        cell(reconstructed.frames[0], "reconstructed"),
    ]
    for target, grown, fresh in zip(request.target, edited.frames, plain.frames, strict=True):
        cells += [cell(grown, f'{request.method}: "{target}"'), cell(fresh, f'img2img: "{target}"')]
    title = (
        f"{request.image.name}: {request.steps_back} of {request.steps} steps back, guidance {request.guidance:g}; "
        f"{medium.layout.caption}"
    )
    return Compared(edited, reconstructed, plain, tuple(medium.layout.rows(title, cells)))


def interpolate_sheet(request: Interpolate, made: Result, model: Model) -> Float[Tensor, "3 h w"]:
    """Lay out all steps, in reading order, with their distances from both ends."""
    medium, cells = model.medium, []
    pictures = medium.pictures(made.frames, model)
    for picture, share, recipe in zip(pictures, made.shares, made.recipes, strict=True):
        near, far = (medium.distance_short(recipe["figures"][end]) for end in ("to_first", "to_second"))
        cells.append(Cell(picture, [f"{100 * share:.0f} %", f"{near} to the first", f"{far} to the second"]))
    of_words = kind_of(request) is WORDS
    between = "words between, from one noise" if of_words else "noises on the arc between"
    first, second = (end if of_words else Path(end).name for end in (request.first, request.second))
    title = f"{first} -> {second}: {request.steps} steps, {between}"
    return sheet(medium.layout.rows(title, cells), cell=medium.layout.cell, title="regrow interpolate")
