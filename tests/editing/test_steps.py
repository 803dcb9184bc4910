"""The steps of an edit that leaves them open: its trajectory's, or its model's."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.invert import invert
from regrow.editing.trajectories import save_trajectory
from regrow.models.model import Model, ModelError
from regrow.models.open import open_model
from regrow.models.sidecars.edit_file import EDIT_FILE
from regrow.requests.edit import Edit
from regrow.requests.invert import Invert


@pytest.fixture
def model(checkpoint: Callable[[str], Path], tmp_path: Path) -> Model:
    folder = Path(shutil.copytree(checkpoint("sd-tiny"), tmp_path / "model"))
    (folder / EDIT_FILE).write_text('{"steps": 4}')
    return open_model(folder)


def test_without_a_number_they_are_the_models_own(model: Model, image: Path) -> None:
    request = Edit(image, ("a dog",), "a cat", strength=0.75, guidance_share=1.0, cache=False)
    (recipe,) = finish(edit(request, model)).recipes
    assert recipe["settings"]["steps"] == 4
    assert recipe["figures"]["evaluations"] == {"inversion": 3 + 1, "regrowth": 2 * 3}
    (asked,) = finish(edit(replace(request, steps=8), model)).recipes
    assert asked["figures"]["evaluations"]["regrowth"] == 2 * 6


def test_a_model_that_was_not_measured_has_a_number_too(checkpoint: Callable[[str], Path]) -> None:
    assert open_model(checkpoint("sd-tiny")).edit_steps == Model.edit_steps


def test_of_a_trajectory_they_are_its_own(model: Model, image: Path, tmp_path: Path) -> None:
    inverted = finish(invert(Invert(image, "a cat", steps=5, reference=0), model))
    save_trajectory(tmp_path / "path.safetensors", inverted.trajectory, inverted.made_of)
    request = Edit(image, ("a dog",), "a cat", prompt_expansion="off", trajectory=tmp_path / "path.safetensors")
    assert finish(edit(request, model)).recipes[0]["settings"]["steps"] == 5


def test_a_start_step_beyond_them_is_a_sentence(model: Model, image: Path) -> None:
    with pytest.raises(ValueError, match="start_step must be from 0 to steps - 1 = 3; got 4"):
        finish(edit(Edit(image, ("a dog",), "a cat", start_step=4), model))


@pytest.mark.parametrize("content", ['{"steps": 0}', '{"steps": "six"}', "{}"])
def test_a_damaged_file_is_a_sentence(model: Model, content: str) -> None:
    (model.folder / EDIT_FILE).write_text(content)
    with pytest.raises(ModelError, match='must hold "steps", a number from 1 to 1000'):
        open_model(model.folder)


@pytest.mark.parametrize("strengths", ['{"animal": 0}', '{"animal": 1.5}', '{"animal": "half"}', "[0.5]"])
def test_strengths_out_of_range_are_a_sentence(model: Model, strengths: str) -> None:
    (model.folder / EDIT_FILE).write_text(f'{{"steps": 4, "strengths": {strengths}}}')
    with pytest.raises(ModelError, match='must hold "strengths", by attribute, above 0 and at most 1; got'):
        open_model(model.folder)
