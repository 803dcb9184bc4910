"""Strength found by itself, with a network whose answers at every level are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regrow.core.denoiser import Prediction
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.replay import replay, request_from
from regrow.editing.strength import COPIES, ENOUGH, STRENGTHS, settle
from regrow.media.image.picture import read_recipe, save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("reached", STRENGTHS)
def test_it_is_the_weakest_at_which_the_wish_sees_enough(
    model: Model, monkeypatch: pytest.MonkeyPatch, reached: float
) -> None:
    """A wish whose difference from the source is small below a strength, and full from there on."""

    def denoiser(condition, *_):
        def denoise(x_t: torch.Tensor, level) -> Prediction:
            share = sum(level.log_snr < each.log_snr for each in model.schedule.grid(100)) / 100
            x0 = torch.zeros_like(x_t)
            x0[: len(x0) // 2, :, 2:5, 2:5] = 1.0 if share > reached - 0.05 else 0.9 * ENOUGH
            return Prediction(x0, x_t)

        return denoise

    monkeypatch.setattr(model, "denoiser", denoiser)
    request = Edit(Path("in.png"), ("a dog",), "a cat", strength="auto")
    settled, why, evaluations = finish(settle(request, model, torch.zeros(1, *model.latent_shape(*model.size))))
    assert settled.strength == reached
    assert settled == replace(request, strength=reached)
    assert f"strength auto chose {reached:g}, where the target predicts 100 % of the full change" in why
    assert ("predicts 72 %" in why) is (reached != STRENGTHS[0])
    assert evaluations == 2 * COPIES * len(STRENGTHS)


def test_an_edit_says_what_it_took_and_is_made_again_without_looking(model: Model, image: Path, tmp_path: Path) -> None:
    edited = finish(edit(Edit(image, ("a dog",), "a cat", str(model.folder), steps=6, strength="auto"), model))
    taken = edited.recipes[0]["settings"]["strength"]
    assert taken in STRENGTHS
    assert any(f"strength auto chose {taken:g}" in note for note in edited.notes)
    assert edited.recipes[0]["figures"]["evaluations"]["strength"] == 2 * COPIES * len(STRENGTHS)
    save(tmp_path / "out.png", edited.items[0], edited.recipes[0])
    recipe = read_recipe(tmp_path / "out.png")
    assert recipe is not None
    replayed = finish(replay(recipe, request_from(recipe, image.parent), model))
    assert replayed.identical
    assert "strength" not in replayed.recipe["figures"]["evaluations"]


def test_a_model_without_words(checkpoint: Callable[[str], Path], image: Path) -> None:
    with pytest.raises(ValueError, match="takes no prompts, so strength auto cannot work: give a number"):
        finish(edit(Edit(image, ("",), guidance=1, strength="auto"), open_model(checkpoint("ddpm"))))


def test_where_it_is_not_known_yet_it_has_no_steps() -> None:
    with pytest.raises(ValueError, match=r"The number of steps depends on the model, .*: give a number"):
        _ = Edit(Path("in.png"), ("a dog",), strength="auto").steps_back
    with pytest.raises(ValueError, match="The strength depends on the picture and the prompts: give a number here"):
        _ = Edit(Path("in.png"), ("a dog",), strength="auto", steps=8).steps_back
    assert Edit(Path("in.png"), ("a dog",), strength="auto", start_step=5, steps=8).steps_back == 3
