"""Exploring on a tiny random checkpoint: every cell is the edit that its command makes, and the path is walked once."""

from pathlib import Path

import pytest
import torch

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.explore import explore
from regrow.models.model import Model
from regrow.requests.edit import Edit

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("method", ["direct_inversion", "edit_friendly", "inversion_free", "uni_edit", "img2img"])
def test_every_cell_is_the_edit_that_it_names(model: Model, image: Path, method) -> None:
    request = Edit(image, ("a bird", "a dog"), "a cat", method=method, steps=4, seed=3)
    found = finish(explore(request, model, (1.0, 0.5), (1.0, 5.0)))
    settings = [(c.request.target[0], c.request.strength, c.request.guidance) for c in found.cells]
    assert settings == [(t, s, g) for t in ("a bird", "a dog") for s in (0.5, 1.0) for g in (1.0, 5.0)]
    for cell in found.cells[1::3]:
        alone = finish(edit(cell.request, model))
        assert torch.allclose(alone.frames[0], cell.picture, atol=1e-4)
        assert alone.recipes[0]["figures"]["to_source"]["psnr"] == pytest.approx(cell.to_source["psnr"], abs=0.02)
    assert [len(row.cells) for row in found.rows] == [2, 2, 2, 2, 2]


@pytest.mark.parametrize("cache", [True, False])
def test_one_inversion_and_one_mask_serve_all(model: Model, image: Path, cache: bool) -> None:
    request = Edit(image, ("a bird",), "a cat", steps=4, cache=cache, mask="auto", frame="pad")
    found = finish(explore(request, model, (0.5, 1.0), (2.0, 5.0)))
    assert found.evaluations == 5 + 24 + (4 + 2) + (2 + 1)


def test_what_cannot_be_explored(model: Model, image: Path) -> None:
    request = Edit(image, ("a bird",), "a cat", steps=4, method="null_text")
    with pytest.raises(ValueError, match="for one guidance"):
        finish(explore(request, model, (0.5,), (2.0, 5.0)))
    with pytest.raises(ValueError, match="at least one of --strengths"):
        finish(explore(request, model, (), (2.0,)))
