"""Compare: an edit beside its source, the codec's limit, the reconstruction, and img2img at the same strength."""

from collections.abc import Generator
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.editing.edit import Edited, distances, edit
from regrow.media.image.sheet import Cell, Row
from regrow.models.model import Model
from regrow.requests.edit import Edit


@dataclass(frozen=True)
class Compared:
    """An edit, what the same settings make of the source's own words, img2img, and a row of them for a sheet."""

    edited: Edited
    reconstructed: Edited
    img2img: Edited
    row: Row


def compare(request: Edit, model: Model) -> Generator[Progress, None, Compared]:
    """Run an edit, its reconstruction and img2img, all with the same settings."""
    edited = yield from edit(request, model)
    found = edited.recipes[0]["settings"]  # numbers and words, where they were auto or the model's own
    found = {name: found[name] for name in ("strength", "source", "steps")}
    request = replace(request, **found, describer="")
    mask = None if request.mask == "auto" else request.mask  # source and source disagree nowhere
    own = replace(request, target=(request.source,), mask=mask, emphasis=())
    reconstructed = yield from edit(own, model)
    plain = yield from edit(replace(request, method="img2img", trajectory=None, attention="none", emphasis=()), model)
    original = edited.original
    cells = [
        Cell(original, ["source", f'"{request.source}"']),
        Cell(edited.codec, ["codec only", _figures(edited.codec, original)]),
        Cell(reconstructed.frames[0], ["reconstructed", _figures(reconstructed.frames[0], original)]),
    ]
    for target, grown, fresh in zip(request.target, edited.frames, plain.frames, strict=True):
        cells.append(Cell(grown, [f'{request.method}: "{target}"', _figures(grown, original)]))
        cells.append(Cell(fresh, [f'img2img: "{target}"', _figures(fresh, original)]))
    title = (
        f"{request.image.name}: {request.steps_back} of {request.steps} steps back, guidance {request.guidance:g}; "
        "distances are to the source"
    )
    return Compared(edited, reconstructed, plain, Row(title, cells))


def _figures(a: Float[Tensor, "3 h w"], b: Float[Tensor, "3 h w"]) -> str:
    figures = distances(a, b)
    decibels = "equal" if figures["psnr"] is None else f"PSNR {figures['psnr']:.1f} dB"
    return f"{decibels}, SSIM {figures['ssim']:.3f}"
