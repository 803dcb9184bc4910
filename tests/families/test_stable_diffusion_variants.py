"""Stable Diffusion's variants beside diffusers' own: few steps, consistency models, schedules, pipelines, float16."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import SD_BETAS, codec_kl, edit_json, save_stable_diffusion, unet
from diffusers import DDIMScheduler, EulerDiscreteScheduler, LatentConsistencyModelPipeline, LCMScheduler
from tame_networks import fitted
from tiny import FAMILIES
from tiny.fresh_noise import by_steps, scheduler_draws
from tiny.tiny import loaded
from torch import Tensor

import regrow
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import last, make_step, solve
from regrow.editing.grow import grow
from regrow.media.image.picture import save
from regrow.models.model import Model
from regrow.models.open import ModelError, open_model
from regrow.models.own_settings import CONSISTENCY, FEW_STEPS, GUIDED_CONSISTENCY, STABLE_DIFFUSION, OwnSettings
from regrow.requests.generate import Generate

Checkpoint = Callable[[str], Path]
STEPS, TOLERANCE, PROMPTS = 20, 1e-4, ["a cat", "a dog"]
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def copied(checkpoint: Checkpoint, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a tiny checkpoint whose JSON files say other things."""

    def copy(name: str, **changes: dict[str, Any]) -> Path:
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(checkpoint(name), folder)
        places = {"index": "model_index.json", "scheduler": "scheduler/scheduler_config.json"}
        for place, values in changes.items():
            edit_json(folder / places.get(place, f"{place}/config.json"), **values)
        return folder

    return copy


@pytest.fixture(scope="module")
def lcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Like LCM Dreamshaper: guidance is an input of the network."""
    torch.manual_seed(41)
    net = unet(time_cond_proj_dim=32)

    def run(x_t: Tensor, labels: Tensor) -> None:
        given = torch.randn(len(x_t), 32).sign() / 2
        net(x_t, labels, 5 * torch.randn(len(x_t), 12, 16), timestep_cond=given)

    net = fitted(net, (4, 8, 8), SD_BETAS, run)
    folder = tmp_path_factory.mktemp("lcm") / "model"
    save_stable_diffusion(folder, net, codec_kl(), DDIMScheduler(**SD_BETAS, clip_sample=False, steps_offset=1))
    LCMScheduler(**SD_BETAS, original_inference_steps=50).save_pretrained(folder / "scheduler")
    edit_json(
        folder / "model_index.json",
        _class_name="LatentConsistencyModelPipeline",
        scheduler=["diffusers", "LCMScheduler"],
    )
    return folder


@pytest.mark.parametrize("steps", [1, 3, 4, 20])
def test_a_consistency_model_s_latents_are_those_of_its_own_pipeline(
    lcm: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = open_model(lcm), noise((4, 8, 8), [1, 2])
    assert model.own == GUIDED_CONSISTENCY
    assert model.edit_steps == 4
    pipe = loaded(LatentConsistencyModelPipeline, lcm, torch.float32)
    with scheduler_draws("diffusers.schedulers.scheduling_lcm"):
        wanted = pipe(
            PROMPTS, guidance_scale=8.5, num_inference_steps=steps, latents=x, output_type="latent"
        ).images  # fmt: skip
    guided = model.denoiser(model.condition(PROMPTS), None, 8.5)
    monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    step = make_step(model.own.solver, seeds=(1, 2))
    ours = last(solve(step, guided, x, model.grid(steps)))
    assert (ours - wanted).abs().max() < TOLERANCE
    plain, level = model.denoiser(model.condition(PROMPTS)), model.grid(steps)[0]
    assert (plain(x, level).x0 - guided(x, level).x0).abs().max() > 1e-2
    assert model.evaluations(8.5, None) == 1


def test_a_consistency_model_generates_in_four_steps_with_its_own_guidance(
    lcm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = open_model(lcm), noise((4, 8, 8), [1])
    pipe = loaded(LatentConsistencyModelPipeline, lcm, torch.float32)
    with scheduler_draws("diffusers.schedulers.scheduling_lcm"):
        wanted = pipe(["a cat"], guidance_scale=8.5, num_inference_steps=4, latents=x, output_type="latent").images
    monkeypatch.setattr("regrow.core.solvers.noise", by_steps())
    ours, evaluations = finish(grow(Generate("a cat", seed=1), model, ["a cat"], (4, 8, 8)))
    assert (ours - wanted).abs().max() < TOLERANCE
    assert evaluations == 4


def test_a_consistency_model_is_edited_by_fresh_noise(lcm: Path, tmp_path: Path) -> None:
    save(tmp_path / "in.png", torch.rand(3, 16, 16) * 2 - 1, None)
    edited = regrow.edit(tmp_path / "in.png", "a dog", source="a cat", model=open_model(lcm))
    settings = edited.recipes[0]["settings"]
    assert (settings["method"], settings["steps"]) == ("edit_friendly", 4)
    assert edited.items[0].isfinite().all()


EULER = {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}


@pytest.mark.parametrize(
    ("scheduler", "own"),
    [
        (EULER, FEW_STEPS),
        ({**EULER, "_class_name": "EulerAncestralDiscreteScheduler"}, FEW_STEPS),
        ({"_class_name": "TCDScheduler"}, FEW_STEPS),
        ({"_class_name": "LCMScheduler"}, CONSISTENCY),
        ({**EULER, "timestep_spacing": "leading"}, STABLE_DIFFUSION),
        ({**EULER, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, STABLE_DIFFUSION),
        ({**EULER, "_class_name": "DDIMScheduler"}, STABLE_DIFFUSION),
    ],
)
def test_a_scheduler_says_how_few_steps_a_checkpoint_takes(
    copied: Callable[..., Path], scheduler: dict[str, Any], own: OwnSettings
) -> None:
    model = open_model(copied("sd1", scheduler=scheduler))
    assert model.own == own
    assert model.edit_steps == (30 if own == STABLE_DIFFUSION else own.steps)


def test_a_distilled_checkpoint_is_edited_without_guidance(copied: Callable[..., Path], tmp_path: Path) -> None:
    model = open_model(copied("sd1", scheduler=EULER))
    save(tmp_path / "in.png", torch.rand(3, 16, 16) * 2 - 1, None)
    for given, taken in ((None, 1.0), (2.0, 2.0)):
        edited = regrow.edit(tmp_path / "in.png", "a dog", source="a cat", model=model, guidance=given)
        settings = edited.recipes[0]["settings"]
        assert (settings["guidance"], settings["steps"]) == (taken, 4)


@pytest.mark.parametrize("steps", [1, 4])
def test_few_steps_of_a_distilled_checkpoint_are_eulers(copied: Callable[..., Path], steps: int) -> None:
    folder = copied("sdxl", scheduler=EULER)
    model, x = open_model(folder), noise((4, 8, 8), [1, 2])
    theirs = FAMILIES["sdxl"].reference(folder, PROMPTS, None, 1.0, steps, x)
    ours = last(solve(make_step("ddim"), model.denoiser(model.condition(PROMPTS)), x, model.grid(steps)))
    assert (ours - theirs).abs().max() < TOLERANCE
    euler = EulerDiscreteScheduler.from_pretrained(folder / "scheduler")
    euler.set_timesteps(steps)
    labels = [model.schedule.label(level) for level in model.grid(steps)[:-1]]
    assert labels == pytest.approx(euler.timesteps.tolist(), abs=1e-6)


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_v_and_a_schedule_that_ends_at_pure_noise_are_diffusers_own(
    copied: Callable[..., Path], guidance: float
) -> None:
    folder = copied("sdxl", scheduler={"prediction_type": "v_prediction", "rescale_betas_zero_snr": True})
    model, x = open_model(folder), noise((4, 8, 8), [1, 2])
    assert model.grid(STEPS)[0].alpha == 0
    negatives = None if guidance == 1 else ["a hat", "a fog"]
    theirs = FAMILIES["sdxl"].reference(folder, PROMPTS, negatives, guidance, STEPS, x)
    denoise = model.denoiser(model.condition(PROMPTS), model.condition(negatives or [""]), guidance)
    ours = last(solve(make_step("ddim"), denoise, x, model.grid(STEPS)))
    assert (ours - theirs).abs().max() < TOLERANCE


@pytest.mark.parametrize("upcast", [True, False])
def test_its_codec_is_computed_in_float32_where_half_overflows(copied: Callable[..., Path], upcast: bool) -> None:
    folder = copied("sdxl", vae={"force_upcast": upcast})
    model, plain = open_model(folder, dtype=torch.float16), open_model(folder)
    latents = noise((4, 8, 8), [1])
    with torch.no_grad():
        weights = plain.codec_network.half().float()
        wanted = weights.decode(latents / weights.config["scaling_factor"]).sample.clamp(-1, 1)
    error = (model.decode(latents) - wanted).abs().max()
    assert (error < 1e-5) == upcast
    assert error < 0.05
    assert model.encode(torch.zeros(1, 3, 16, 16)).dtype == torch.float32
    assert model.dtype == torch.float16


PLAIN = {
    "StableDiffusionPAGPipeline": ("sd1", "a StableDiffusionPipeline; perturbed-attention guidance is left out."),
    "StableDiffusionControlNetPipeline": ("sd1", "a StableDiffusionPipeline; its ControlNet is left out."),
    "StableDiffusionControlNetInpaintPipeline": ("sd1", "its ControlNet is left out."),
    "StableDiffusionControlNetPAGPipeline": ("sd1", "its ControlNet is left out; perturbed-attention guidance is"),
    "StableDiffusionAdapterPipeline": ("sd1", "its T2I-Adapter is left out."),
    "StableDiffusionPanoramaPipeline": ("sd1", "opened as a StableDiffusionPipeline."),
    "StableDiffusionXLPAGImg2ImgPipeline": ("sdxl", "a StableDiffusionXLPipeline; perturbed-attention guidance is"),
    "StableDiffusionXLControlNetUnionPipeline": ("sdxl", "a StableDiffusionXLPipeline; its ControlNet is left out."),
    "StableDiffusion3PAGPipeline": ("sd3", "a StableDiffusion3Pipeline; perturbed-attention guidance is left out."),
    "StableDiffusion3ControlNetInpaintingPipeline": ("sd3", "a StableDiffusion3Pipeline; its ControlNet is left out."),
    "StableDiffusionInpaintPipeline": ("sd1", ""),
    "StableDiffusionXLInpaintPipeline": ("sdxl", ""),
    "StableDiffusion3InpaintPipeline": ("sd3", ""),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_pipelines_whose_parts_are_plain_open_as_the_plain_one(copied: Callable[..., Path], kind: str) -> None:
    name, note = PLAIN[kind]
    folder = copied(name, index={"_class_name": kind, "controlnet": ["diffusers", "ControlNetModel"]})
    model: Model = open_model(folder)
    assert not model.inpaints
    assert model.notes == (() if not note else model.notes)
    assert not note or (f"It is a {kind}, opened as " in model.notes[-1] and note in model.notes[-1])


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        (
            "sd1",
            {"index": {"_class_name": "AltDiffusionPipeline"}},
            "describes a AltDiffusionPipeline, which regrow does",
        ),
        (
            "sd1",
            {"index": {"_class_name": "StableDiffusionUpscalePipeline"}},
            "describes a StableDiffusionUpscalePipel",
        ),
        (
            "sd1",
            {"index": {"_class_name": "KolorsPAGPipeline"}},
            "describes a KolorsPAGPipeline, which regrow does not",
        ),
        (
            "sdxl",
            {"index": {"text_encoder": [None, None], "tokenizer": [None, None]}},
            "is the refiner of Stable Diffusion XL, which only finishes pictures: open the base model.",
        ),
        ("sdxl", {"index": {"is_cosxl_edit": True}}, "describes CosXL, whose schedule regrow does not support"),
        ("sd1", {"unet": {"in_channels": 5}}, "models of depth and of upscaling are not supported"),
    ],
)
def test_what_is_another_thing_is_refused_by_name(
    copied: Callable[..., Path], name: str, changes: dict[str, Any], sentence: str
) -> None:
    folder = copied(name, **changes)
    if "unet" in changes:
        net = unet(in_channels=5)
        net.save_pretrained(folder / "unet")
    with pytest.raises(ModelError) as caught:
        open_model(folder)
    assert sentence in str(caught.value)
