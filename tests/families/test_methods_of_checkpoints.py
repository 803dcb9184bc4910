"""The table of methods in docs/reference/checkpoints.md: every cell is an edit on the tiny checkpoint of its column."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_tables import checkpoint_of, rows

import regrow
from regrow.core.methods.registry import names
from regrow.media.audio import sound
from regrow.media.image.picture import load, save
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model

ROWS = {row["method"].strip("`"): row for row in rows("Methods")}
COLUMNS = [column for column in next(iter(ROWS.values())) if column != "method"]
pytestmark = pytest.mark.usefixtures("home")


def source(model: Model, aside: Path) -> Path:
    generator = torch.Generator().manual_seed(7)
    if model.medium.sized:
        save(aside / "in.png", torch.rand(3, *model.size, generator=generator) * 2 - 1, None)
        return aside / "in.png"
    assert model.waves is not None
    waves = torch.rand(model.waves.channels, model.waves.rate // 2, generator=generator) - 0.5
    sound.save(aside / "in.wav", waves, model.waves.rate)
    return aside / "in.wav"


def test_every_method_has_a_row() -> None:
    assert set(ROWS) == set(names())


@pytest.mark.parametrize("column", COLUMNS)
def test_every_cell_of_methods_is_true(column: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    model = open_model(checkpoint(checkpoint_of(column)))
    file = source(model, tmp_path)
    wrong = [
        (name, is_so) for name, row in ROWS.items() if row[column] != (is_so := tried(model, file, name, tmp_path))
    ]
    assert not wrong


def tried(model: Model, file: Path, method: str, aside: Path) -> str:
    """Edit to two targets and keep the right half of a picture.

    Returns:
        "yes"; the method that it gave way to, as code; or "no" where one sentence refuses it.
    """
    settings: dict[str, Any] = {"guidance": 3.0 if model.own.is_guided else 1.0}
    if not model.only_by_instruction:
        settings["source"] = "a cat"
    if model.medium.sized:
        settings |= {"region": "0,0,0.5,1", "feather": 0.0}
    try:
        edited = regrow.edit(file, ("a dog", "a hat"), model=model, steps=4, method=method, **settings)
    except (ValueError, ModelError) as problem:
        return "no" if re.fullmatch(r"[^\n]+[.)]", str(problem)) else f"no sentence: {problem}"
    used = edited.recipes[0]["settings"]["method"]
    assert edited.frames.isfinite().all()
    assert not torch.equal(edited.frames[0], edited.frames[1]), method
    if model.medium.sized:
        before, half = load(file).pixels, model.size[1] // 2
        for item in edited.items:
            assert torch.equal(item[..., half:], before[..., half:]), method
            assert not torch.equal(item[..., :half], before[..., :half]), method
    return "yes" if used == method else f"`{used}`"
