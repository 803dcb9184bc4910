"""FLUX.1 Fill and Kontext: what they are shown, beside diffusers' own pipelines, and how they edit."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES
from tiny.flux import flux
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.media.frame import Region
from regrow.media.image.picture import load, save
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE = 20, 1e-4
PROMPTS, NEGATIVES = ["a cat", "a dog"], ["a hat", "a fog"]
pytestmark = pytest.mark.usefixtures("home")


def picture(seed: int = 7) -> Tensor:
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(tmp_path / "in.png", picture()[0], None)
    return tmp_path / "in.png"


def walked(model: Model, x: Tensor, guidance: float, negatives: list[str] | None = None) -> Tensor:
    away = None if negatives is None else model.condition(negatives)
    denoise = model.denoiser(model.condition(PROMPTS), away, guidance)
    return last(solve(make_step("ddim"), denoise, x, model.grid(STEPS, shape=x.shape[1:])))


@pytest.mark.parametrize(("guidance", "negatives"), [(1.0, None), (30.0, None), (5.0, NEGATIVES)])
def test_a_mask_is_filled_in_as_diffusers_does(
    checkpoint: Checkpoint, guidance: float, negatives: list[str] | None
) -> None:
    folder = checkpoint("flux-fill")
    model, x = open_model(folder), noise((16, 8, 8), [1, 2])
    assert (model.own.steps, model.own.guidance, model.inpaints) == (50, 30.0, True)
    frame, mask = picture(), torch.zeros(1, 1, 16, 16)
    mask[..., 3:11, 5:] = 1  # through the middle of cells
    mask[..., 12:, :3] = 0.4  # a grey that counts as black
    known = model.with_known(frame, model.encode(frame), Region(latents=torch.ones(1, 1, 8, 8), frame=mask))
    reference = FAMILIES["flux-fill"].reference
    ours, alone = (walked(one, x, guidance, negatives) for one in (known, model))
    theirs = reference(folder, PROMPTS, negatives, guidance, STEPS, x, frame=frame, mask=mask)
    assert (ours - theirs).abs().max() < TOLERANCE
    assert (alone - reference(folder, PROMPTS, negatives, guidance, STEPS, x)).abs().max() < TOLERANCE
    assert (ours - alone).abs().max() > 0.1


def test_an_edit_of_a_region_is_filled_in_from_pure_noise(checkpoint: Checkpoint, file: Path) -> None:
    folder = checkpoint("flux-fill")
    model, box = open_model(folder), "0.25,0.25,0.75,0.75"
    edited = regrow.edit(file, PROMPTS, model=model, region=box, steps=STEPS, seed=1, feather=0.0)
    settings = edited.recipes[0]["settings"]
    assert (settings["method"], settings["strength"], settings["guidance"]) == ("inpaint", 1.0, 30.0)
    assert edited.recipes[0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": STEPS}
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    frame, x = load(file).pixels[None], noise((16, 8, 8), [1, 2])
    latents = FAMILIES["flux-fill"].reference(folder, PROMPTS, None, 30.0, STEPS, x, frame=frame, mask=mask)
    inside = mask[0, 0] > 0
    assert (edited.frames - model.decode(latents))[..., inside].abs().max() < TOLERANCE
    assert torch.equal(edited.items[0][:, ~inside], frame[0][:, ~inside])


def test_a_path_of_fill_is_walked_back_under_the_condition_it_was_inverted_under(
    checkpoint: Checkpoint, file: Path
) -> None:
    model = open_model(checkpoint("flux-fill"))
    whole = regrow.edit(file, "a cat", source="a cat", model=model, steps=6)
    assert whole.recipes[0]["settings"]["method"] == "direct_inversion"
    assert (whole.frames[0] - whole.codec).abs().max() < TOLERANCE


@pytest.mark.parametrize(("guidance", "negatives"), [(1.0, None), (2.5, None), (2.5, NEGATIVES)])
def test_an_instruction_is_followed_as_diffusers_does(
    checkpoint: Checkpoint, guidance: float, negatives: list[str] | None
) -> None:
    folder = checkpoint("flux-kontext")
    model, x, frame = open_model(folder), noise((16, 8, 8), [1, 2]), picture()
    assert (model.own.steps, model.own.guidance) == (28, 2.5)
    reference = FAMILIES["flux-kontext"].reference
    theirs = reference(folder, PROMPTS, negatives, guidance, STEPS, x, image=(frame + 1) / 2)
    ours = walked(model.with_source(frame, model.encode(frame)), x, guidance, negatives)
    assert (ours - theirs).abs().max() < TOLERANCE
    alone = walked(model, x, guidance, negatives)
    assert (alone - reference(folder, PROMPTS, negatives, guidance, STEPS, x)).abs().max() < TOLERANCE
    assert (ours - alone).abs().max() > 0.1


def test_an_edit_by_instruction_takes_the_words_as_typed_and_replays(
    checkpoint: Checkpoint, file: Path, tmp_path: Path
) -> None:
    folder = checkpoint("flux-kontext")
    model, frame = open_model(folder), load(file).pixels[None]
    prompts = ["make it a dog", "add a hat"]
    edited = regrow.edit(file, prompts, model=model, steps=STEPS, seed=1)
    settings = edited.recipes[0]["settings"]
    assert [settings[key] for key in ("method", "guidance", "source")] == ["instruction", 2.5, ""]
    assert edited.recipes[0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": STEPS}
    latents = FAMILIES["flux-kontext"].reference(
        folder,
        prompts,
        None,
        2.5,
        STEPS,
        noise((16, 8, 8), [1, 2]),
        image=(frame + 1) / 2,
        _auto_resize=False,
        max_area=16 * 16,
    )
    assert (edited.frames - model.decode(latents)).abs().max() < TOLERANCE
    first, _ = edited.save(tmp_path / "edited.png")
    assert regrow.replay(first).identical
    part = regrow.edit(file, "make it a dog", model=model, steps=3, region="0,0,0.5,1", feather=0.0)
    assert torch.equal(part.items[0][..., 8:], frame[0][..., 8:])


def test_what_they_cannot_do_is_refused(checkpoint: Checkpoint, file: Path) -> None:
    instructed, plain = open_model(checkpoint("flux-kontext")), open_model(checkpoint("flux"))
    with pytest.raises(ValueError, match="edits only by instruction, which naive cannot do: leave the method out"):
        regrow.edit(file, "make it a dog", model=instructed, method="naive")
    with pytest.raises(ValueError, match="has no image guidance: leave image_guidance out"):
        regrow.edit(file, "make it a dog", model=instructed, image_guidance=2.0)
    with pytest.raises(ValueError, match="flux was not trained to fill in masks, which inpaint needs"):
        regrow.edit(file, "a dog", model=plain, method="inpaint")


def test_a_fill_checkpoint_of_another_codec_is_one_sentence(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = flux(tmp_path / "mine", channels=4 * (16 + 16 + 8 * 8))
    with pytest.raises(ModelError, match="its codec makes 64 in 2 x 2 cells and its mask and picture 80 more"):
        open_model(folder)
