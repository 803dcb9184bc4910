"""Inpainting and instruction checkpoints of Stable Diffusion's kinds, beside diffusers' own pipelines."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.media.frame import Region
from regrow.media.image.picture import load, save
from regrow.models.model import Model
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
INPAINTING, INSTRUCTED = ["sd-inpainting", "sdxl-inpainting"], ["sd-pix2pix", "sdxl-pix2pix"]
STEPS, TOLERANCE = 20, 1e-4
PROMPTS, NEGATIVES = ["a cat", "a dog"], ["a hat", "a fog"]
pytestmark = pytest.mark.usefixtures("home")


def picture(seed: int = 7) -> Tensor:
    return torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(tmp_path / "in.png", picture()[0], None)
    return tmp_path / "in.png"


def walked(model: Model, x: Tensor, guidance: float) -> Tensor:
    negative = None if guidance == 1 else model.condition(NEGATIVES)
    denoise = model.denoiser(model.condition(PROMPTS), negative, guidance)
    return last(solve(make_step("ddim"), denoise, x, model.grid(STEPS)))


@pytest.mark.parametrize("name", INPAINTING)
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_a_mask_is_filled_in_as_diffusers_does(checkpoint: Checkpoint, name: str, guidance: float) -> None:
    model, x = open_model(checkpoint(name)), noise((4, 8, 8), [1, 2])
    frame, mask = picture(), torch.zeros(1, 1, 16, 16)
    mask[..., 3:11, 5:] = 1  # through the middle of cells
    mask[..., 12:, :3] = 0.4  # a grey that counts as black
    known = model.with_known(frame, model.encode(frame), Region(latents=torch.ones(1, 1, 8, 8), frame=mask))
    negatives = None if guidance == 1 else NEGATIVES
    wanted = FAMILIES[name].reference(checkpoint(name), PROMPTS, negatives, guidance, STEPS, x, frame=frame, mask=mask)
    ours = walked(known, x, guidance)
    assert (ours - wanted).abs().max() < TOLERANCE
    assert (ours - walked(model, x, guidance)).abs().max() > 0.1


@pytest.mark.parametrize("name", INSTRUCTED)
@pytest.mark.parametrize(("guidance", "image_guidance"), [(1.0, 1.5), (5.0, 1.0), (5.0, 2.5)])
def test_an_instruction_is_followed_as_diffusers_does(
    checkpoint: Checkpoint, name: str, guidance: float, image_guidance: float
) -> None:
    model, x, frame = open_model(checkpoint(name)), noise((4, 8, 8), [1, 2]), picture()
    shown = model.with_source(frame, model.encode(frame), image_guidance)
    negatives = None if guidance == 1 else NEGATIVES
    wanted = FAMILIES[name].reference(
        checkpoint(name), PROMPTS, negatives, guidance, STEPS, x, frame=frame, image_guidance=image_guidance
    )
    ours = walked(shown, x, guidance)
    assert (ours - wanted).abs().max() < TOLERANCE
    assert (ours - walked(model, x, guidance)).abs().max() > 0.1


@pytest.mark.parametrize("name", INPAINTING)
def test_an_edit_of_a_region_is_inpainted_from_pure_noise(checkpoint: Checkpoint, name: str, file: Path) -> None:
    model, box = open_model(checkpoint(name)), "0.25,0.25,0.75,0.75"
    edited = regrow.edit(file, PROMPTS, model=model, region=box, steps=STEPS, seed=1, guidance=5.0, feather=0.0)
    settings = edited.recipes[0]["settings"]
    assert (settings["method"], settings["strength"], settings["guidance"]) == ("inpaint", 1.0, 5.0)
    assert any("was trained to fill in masks, so the method inpaint was used" in note for note in edited.notes)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    frame, x = load(file).pixels[None], noise((4, 8, 8), [1, 2])
    wanted = model.decode(
        FAMILIES[name].reference(checkpoint(name), PROMPTS, None, 5.0, STEPS, x, frame=frame, mask=mask)
    )
    inside = mask[0, 0] > 0
    assert (edited.frames - wanted)[..., inside].abs().max() < TOLERANCE
    assert torch.equal(edited.items[0][:, ~inside], frame[0][:, ~inside])


def test_a_path_is_walked_back_under_the_condition_it_was_inverted_under(checkpoint: Checkpoint, file: Path) -> None:
    model, box = open_model(checkpoint("sd-inpainting")), "0.25,0.25,0.75,0.75"
    whole = regrow.edit(file, "a cat", source="a cat", model=model, steps=6)
    assert (whole.frames[0] - whole.codec).abs().max() < TOLERANCE
    part = regrow.edit(file, "a cat", source="a cat", model=model, steps=6, region=box, strength=0.9)
    assert part.recipes[0]["settings"]["method"] == "direct_inversion"
    assert part.reused
    assert (part.frames[0] - part.codec)[:, 5:11, 5:11].abs().max() < TOLERANCE


@pytest.mark.parametrize("name", INSTRUCTED)
def test_an_edit_by_instruction_takes_the_words_as_typed_and_replays(
    checkpoint: Checkpoint, name: str, file: Path, tmp_path: Path
) -> None:
    model, frame = open_model(checkpoint(name)), load(file).pixels[None]
    edited = regrow.edit(file, ["make it a dog", "add a hat"], model=model, steps=STEPS, seed=1)
    settings = edited.recipes[0]["settings"]
    assert [settings[key] for key in ("method", "guidance", "image_guidance", "source")] == [
        "instruction",
        7.5,
        1.5,
        "",
    ]
    wanted = FAMILIES[name].reference(
        checkpoint(name), ["make it a dog", "add a hat"], None, 7.5, STEPS, noise((4, 8, 8), [1, 2]), frame=frame
    )
    assert (edited.frames - model.decode(wanted)).abs().max() < TOLERANCE
    assert edited.recipes[0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": 3 * STEPS}
    first, _ = edited.save(tmp_path / "edited.png")
    assert regrow.replay(first).identical
    other = regrow.edit(file, "make it a dog", model=model, steps=STEPS, seed=1, image_guidance=1.0)
    assert (other.frames[0] - edited.frames[0]).abs().max() > 1e-2
    part = regrow.edit(file, "make it a dog", model=model, steps=3, region="0,0,0.5,1", feather=0.0)
    assert torch.equal(part.items[0][..., 8:], frame[0][..., 8:])


def test_methods_and_settings_that_do_not_go_with_it_are_refused(checkpoint: Checkpoint, file: Path) -> None:
    instructed, plain = open_model(checkpoint("sd-pix2pix")), open_model(checkpoint("sd1"))
    for method in ("naive", "img2img", "edit_friendly"):
        with pytest.raises(ValueError, match=rf"only by instruction, which {method} cannot do: leave the method out"):
            regrow.edit(file, "make it a dog", model=instructed, method=method)
    with pytest.raises(ValueError, match="instruction starts from pure noise: leave strength and start_step out"):
        regrow.edit(file, "make it a dog", model=instructed, strength=0.5)
    with pytest.raises(ValueError, match="instruction has no inverted path to share attention with"):
        regrow.edit(file, "make it a dog", model=instructed, attention="p2p")
    with pytest.raises(ValueError, match="sd1 was not trained to edit by instruction, which instruction needs"):
        regrow.edit(file, "make it a dog", model=plain, method="instruction")
    with pytest.raises(ValueError, match="sd1 was not trained to fill in masks, which inpaint needs"):
        regrow.edit(file, "a dog", model=plain, method="inpaint")
    with pytest.raises(ValueError, match="sd1 has no image guidance: leave image_guidance out"):
        regrow.edit(file, "a dog", model=plain, image_guidance=2.0)
    with pytest.raises(ValueError, match="naive has no image guidance"):
        regrow.edit(file, "a dog", model=plain, image_guidance=2.0, method="naive")
    said = regrow.edit(file, "make it a dog", source="a cat", model=instructed, steps=2)
    assert any("reads only instructions, so the source prompt was not used" in note for note in said.notes)
