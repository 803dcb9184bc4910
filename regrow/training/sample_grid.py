"""Sample grids: the same words and the same noise every time, so that what changes is the model."""

from collections.abc import Sequence
from pathlib import Path

from regrow.core.noise import noise
from regrow.core.solvers import make_step, solve
from regrow.editing.generate import guided
from regrow.media.audio.mel import as_picture
from regrow.media.image.picture import save
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.model import Model
from regrow.requests.generate import Generate

STEPS, COLUMNS = 20, 4


def sample_grid(model: Model, prompts: Sequence[str], path: Path, font: Path | None = None) -> None:
    """Generate a picture, or a mel to look at, for each prompt, with seeds 0, 1, ..., and write them as a sheet.

    Args:
        model: as it is now; it is left in the mode, training or not, that it was in.
        prompts: at least one; empty ones for a model without words.
        path: of the PNG file.
        font: for captions beyond ASCII.
    """
    asked = Generate("", steps=STEPS, guidance=Generate.guidance if model.text_encoder is not None else 1.0)
    levels = model.schedule.grid(asked.steps, asked.spacing)
    x = noise(model.latent_shape(*model.size), range(len(prompts))).to(model.device)
    denoise = guided(asked, model, model.condition(prompts), levels)
    for state in solve(make_step(asked.solver), denoise, x, levels):
        x = state.x
    made = model.decode(x) if model.mel is None else as_picture(model.decode(x))
    cells = [
        Cell(picture.cpu(), [prompt or f"seed {i}"])
        for i, (picture, prompt) in enumerate(zip(made, prompts, strict=True))
    ]
    rows = [Row("", cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, sheet(rows, cell=192, font=font))
