"""Stable Diffusion 3 with text encoders missing, and as an inpainting checkpoint, beside diffusers' own pipelines."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from diffusers import SD3Transformer2DModel, StableDiffusion3InpaintPipeline, StableDiffusion3Pipeline
from tame_networks import calmer
from tiny.encoders import FIRST_WIDTH
from tiny.tiny import loaded
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.media.frame import Region
from regrow.media.image.picture import load, save
from regrow.models.model import ModelError
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE, GUIDANCE = 20, 1e-4, 5.0
PROMPTS, NEGATIVES = ["a cat", "a dog"], ["a hat", "a fog"]
pytestmark = pytest.mark.usefixtures("home")


def without(checkpoint: Checkpoint, folder: Path, *numbers: str) -> Path:
    """A checkpoint that lacks some of its encoders."""
    shutil.copytree(checkpoint("sd3"), folder)
    for number in numbers:
        for part in (f"text_encoder{number}", f"tokenizer{number}"):
            shutil.rmtree(folder / part)
            edit_json(folder / "model_index.json", **{part: [None, None]})
    return folder


def encoded(pipe: Any, prompts: list[str], numbers: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """What diffusers makes of prompts, with zeros in place of what these encoders make."""
    with torch.no_grad():
        tokens, _, pooled, _ = pipe.encode_prompt(prompts, None, None, do_classifier_free_guidance=False)
    room = pipe.tokenizer.model_max_length
    places = {"": slice(FIRST_WIDTH), "_2": slice(FIRST_WIDTH, pooled.shape[1])}
    for number in numbers:
        if number in places:
            tokens[:, :room, places[number]] = 0
            pooled[:, places[number]] = 0
        else:
            tokens[:, room:] = 0
    return tokens, pooled


@pytest.mark.parametrize("numbers", [("",), ("_2",), ("", "_2"), ("", "_3"), ("_2", "_3")])
def test_zeros_stand_for_encoders_that_are_missing(
    checkpoint: Checkpoint, tmp_path: Path, numbers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # of the tiny tokenizers, which the family asks where one of them is there
    monkeypatch.setattr("regrow.models.families.stable_diffusion_3.ROOM", 12)
    model = open_model(without(checkpoint, tmp_path / "less", *numbers))
    assert len(model.notes) == len(numbers)
    pipe = loaded(StableDiffusion3Pipeline, checkpoint("sd3"), torch.float32)
    x = noise((16, 8, 8), [1, 2])
    positive, negative = encoded(pipe, PROMPTS, numbers), encoded(pipe, NEGATIVES, numbers)
    wanted = pipe(
        prompt_embeds=positive[0],
        pooled_prompt_embeds=positive[1],
        negative_prompt_embeds=negative[0],
        negative_pooled_prompt_embeds=negative[1],
        guidance_scale=GUIDANCE,
        sigmas=[1 - step / STEPS for step in range(STEPS)],
        num_inference_steps=STEPS,
        latents=x,
        height=16,
        width=16,
        output_type="latent",
    ).images
    denoise = model.denoiser(model.condition(PROMPTS), model.condition(NEGATIVES), GUIDANCE)
    ours = last(solve(make_step("ddim"), denoise, x, model.grid(STEPS, shape=x.shape[1:])))
    assert (ours - wanted).abs().max() < TOLERANCE
    again = open_model(model.folder)
    assert torch.equal(again.condition(PROMPTS).tokens, model.condition(PROMPTS).tokens)


def test_without_any_encoder_there_is_no_model(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="names no text encoder of Stable Diffusion 3"):
        open_model(without(checkpoint, tmp_path / "none", "", "_2", "_3"))


def test_words_of_too_many_numbers_are_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = without(checkpoint, tmp_path / "less", "")
    config = dict(SD3Transformer2DModel.load_config(folder / "transformer"))
    SD3Transformer2DModel(**{**config, "pooled_projection_dim": 8}).save_pretrained(folder / "transformer")
    with pytest.raises(ModelError, match="reads pooled embeddings of 8 numbers, but its text encoders make 24"):
        open_model(folder)


@pytest.fixture(scope="module")
def inpainting(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion 3 whose network takes a mask and the latents of a masked picture."""
    folder = tmp_path_factory.mktemp("sd3") / "inpainting"
    shutil.copytree(checkpoint("sd3"), folder)
    torch.manual_seed(51)
    config = dict(SD3Transformer2DModel.load_config(folder / "transformer"))
    net = SD3Transformer2DModel(**{**config, "in_channels": 33, "out_channels": 16})
    calmer(net, 2.0, 0.08).save_pretrained(folder / "transformer")
    edit_json(folder / "model_index.json", _class_name="StableDiffusion3InpaintPipeline")
    return folder


@pytest.mark.parametrize("guidance", [1.0, GUIDANCE])
def test_a_mask_is_filled_in_as_diffusers_does(inpainting: Path, guidance: float) -> None:
    model, x = open_model(inpainting), noise((16, 8, 8), [1, 2])
    frame = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(7)) * 2 - 1
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 3:11, 5:] = 1
    pipe = loaded(StableDiffusion3InpaintPipeline, inpainting, torch.float32)
    with torch.no_grad():
        known = pipe.vae.encode(frame * (mask < 0.5)).latent_dist.mean
    wanted = pipe(
        prompt=PROMPTS,
        negative_prompt=None if guidance == 1 else NEGATIVES,
        image=(frame + 1) / 2,
        mask_image=mask,
        masked_image_latents=known.repeat(2, 1, 1, 1),  # it scales what it is given
        strength=1.0,
        guidance_scale=guidance,
        sigmas=[1 - step / STEPS for step in range(STEPS)],
        num_inference_steps=STEPS,
        latents=x,
        height=16,
        width=16,
        output_type="latent",
    ).images
    shown = model.with_known(frame, model.encode(frame), Region(latents=torch.ones(1, 1, 8, 8), frame=mask))
    negative = None if guidance == 1 else model.condition(NEGATIVES)
    denoise = shown.denoiser(model.condition(PROMPTS), negative, guidance)
    ours = last(solve(make_step("ddim"), denoise, x, model.grid(STEPS, shape=x.shape[1:])))
    assert (ours - wanted).abs().max() < TOLERANCE


def test_a_region_is_inpainted_and_the_rest_stays(inpainting: Path, tmp_path: Path) -> None:
    save(tmp_path / "in.png", torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(7)) * 2 - 1, None)
    model = open_model(inpainting)
    assert model.inpaints
    edited = regrow.edit(tmp_path / "in.png", "a dog", model=model, region="0.5,0,1,1", steps=3, feather=0.0)
    assert edited.recipes[0]["settings"]["method"] == "inpaint"
    assert torch.equal(edited.items[0][..., :8], load(tmp_path / "in.png").pixels[..., :8])
    same = regrow.edit(tmp_path / "in.png", "a cat", source="a cat", model=model, steps=3)
    assert (same.frames[0] - same.codec).abs().max() < TOLERANCE
