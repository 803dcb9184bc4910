"""Explore: try several strengths and guidances from one inversion, on a sheet."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.methods.registry import method
from regrow.core.progress import Progress
from regrow.editing.edit import edit
from regrow.editing.edit_plan import EditCache, EditItem
from regrow.editing.result import Result
from regrow.media.image.sheet import Cell, Row
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.requests.edit import Edit


@dataclass(frozen=True)
class Variant:
    """One cell of the sheet.

    Attributes:
        request: that makes this picture alone.
        picture: the model's frame to look at, `3 y x`.
        to_source: distances to the input.
    """

    request: Edit
    picture: Float[Tensor, "3 y x"]
    to_source: dict[str, float | None]


@dataclass(frozen=True)
class Explored:
    """The results, as cells and as rows of a sheet.

    Attributes:
        cells: a target and a strength after the other, all guidances of each.
        rows: of the sheet, the input first.
        evaluations: network calls for one guidance and target: the inversion, and the walks back from all strengths.
        seconds: it took.
        notes: sentences on what was done to the picture.
    """

    cells: tuple[Variant, ...]
    rows: tuple[Row, ...]
    evaluations: int
    seconds: float
    notes: tuple[str, ...]


def explore(
    request: Edit, model: Model, strengths: Sequence[float], guidances: Sequence[float]
) -> Generator[Progress, None, Explored]:
    """Regenerate one inverted path from several strengths, with all guidances and targets of a strength in one batch.

    Args:
        request: its strength, start_step and guidance are ignored.
        model: the checkpoint.
        strengths: each above 0 and up to 1.
        guidances: 1 = off.

    Raises:
        MediaError: the picture or the trajectory cannot be used.
        ValueError: there is nothing to try, or a setting is out of range.
    """
    if not strengths or not guidances:
        raise ValueError(say("explore_needs_values"))
    chosen = method(request.method)
    if chosen.tune and len(set(guidances)) > 1:
        raise ValueError(say("explore_one_guidance", method=chosen.name))
    started = time.monotonic()
    items = [
        EditItem(target, guidance, request.seed + i)
        for i, target in enumerate(request.target)
        for guidance in guidances
    ]
    edit_cache, evaluations = EditCache(), 0
    edits: dict[float, Result] = {}
    for strength in sorted(set(strengths), reverse=True):  # the strongest first, for its path serves the others
        tried = replace(request, strength=strength, start_step=None)
        edits[strength] = yield from edit(tried, model, items, edit_cache)
        request = replace(request, source=edits[strength].recipes[0]["settings"]["source"], describer="")  # was it auto
        counted = edits[strength].recipes[0]["figures"]["evaluations"]
        evaluations += counted["inversion"] + counted["regrowth"] + counted.get("mask", 0)
    first = edits[max(edits)]
    # with one target alone its prompt might be expanded
    expansion = request.prompt_expansion if first.prompts else "off"
    medium, original = model.medium, first.original
    shown = medium.pictures(torch.stack([original, first.codec]), model)
    beside = [Cell(shown[0], ["source", f'"{request.source}"']), Cell(shown[1], ["codec only"])]
    rows, cells = [Row("", beside)], []
    seeded = chosen.stochastic or request.eta  # each target has its own seed; an inverted path has the request's
    for number, target in enumerate(request.target):
        for strength in sorted(edits):
            row = []
            for column, guidance in enumerate(guidances):
                frame = edits[strength].frames[number * len(guidances) + column]
                picture = medium.pictures(frame[None], model)[0]
                alone = replace(request, target=(target,), strength=strength, start_step=None, guidance=guidance)
                alone = replace(alone, prompt_expansion=expansion)
                alone = replace(alone, seed=request.seed + number) if seeded else alone
                cell = Variant(alone, picture, medium.distance(frame, original, model))
                far = medium.distance_caption(cell.to_source)
                row.append(Cell(picture, [f"strength {strength:g}, guidance {guidance:g}", far]))
                cells.append(cell)
            rows.append(Row(f'"{target}"' if strength == min(edits) else "", row))
    seconds = round(time.monotonic() - started, 2)
    return Explored(tuple(cells), tuple(rows), evaluations, seconds, first.notes)
