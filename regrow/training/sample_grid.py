"""Sample grids with the same prompts and noise every time, so that only the model changes."""

from collections.abc import Sequence
from pathlib import Path

from regrow.core.progress import finish
from regrow.editing.grow import grow
from regrow.media.image.picture import save
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.model import Model
from regrow.requests.generate import Generate

STEPS, COLUMNS = 20, 4


def sample_grid(model: Model, prompts: Sequence[str], path: Path, font: Path | None = None) -> None:
    """Generate a picture, or a mel as a picture, for each prompt, with seeds 0, 1, ..., and write them as a sheet.

    Args:
        model: in its present state; its training mode is restored afterwards.
        prompts: at least one; empty ones for a model without words.
        path: of the PNG file.
        font: for captions beyond ASCII.
    """
    guidance = Generate.guidance if model.takes_words else 1.0
    request = Generate("", steps=STEPS, guidance=guidance, count=len(prompts))
    latents, _ = finish(grow(request, model, prompts, model.latent_shape(*model.size)))
    pictures = model.medium.pictures(model.decode(latents), model)
    cells = [Cell(p, [prompt or f"seed {i}"]) for i, (p, prompt) in enumerate(zip(pictures, prompts, strict=True))]
    rows = [Row("", cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, sheet(rows, cell=192, font=font))
