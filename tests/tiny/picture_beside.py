"""Stable Diffusion's checkpoints that take a picture beside the noise: inpainting and InstructPix2Pix, also of XL."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import PROMPT_TOKENS, SD_BETAS, codec_kl, edit_json, save_stable_diffusion, unet
from diffusers import (
    DDIMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from jaxtyping import Float
from tame_networks import TIME_IDS, fitted
from torch import Tensor

from tiny.encoders import FIRST_WIDTH, SECOND_WIDTH
from tiny.stable_diffusion_xl import sdxl
from tiny.tiny import Tiny, loaded

SCHEDULER = {**SD_BETAS, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}


def _plain(beside: int, seed: int) -> UNet2DConditionModel:
    """A network of Stable Diffusion's with further channels, fitted to the noise in its input."""
    torch.manual_seed(seed)
    net = unet(in_channels=4 + beside)

    def run(x_t: Tensor, labels: Tensor) -> None:
        more = torch.randn(len(x_t), beside, *x_t.shape[2:]) / 8
        net(torch.cat([x_t, more], 1), labels, 5 * torch.randn(len(x_t), PROMPT_TOKENS, 16))

    return fitted(net, (4, 8, 8), SD_BETAS, run)


def inpainting(folder: Path) -> Path:
    """Like Stable Diffusion's inpainting checkpoints: a mask and a masked picture's latents below the noise."""
    save_stable_diffusion(folder, _plain(5, 31), codec_kl(), DDIMScheduler(**SCHEDULER))
    edit_json(folder / "model_index.json", _class_name="StableDiffusionInpaintPipeline")
    return folder


def pix2pix(folder: Path) -> Path:
    """Like InstructPix2Pix: a picture's latents below the noise, in the codec's own scale."""
    save_stable_diffusion(folder, _plain(4, 32), codec_kl(), DDIMScheduler(**SCHEDULER))
    edit_json(folder / "model_index.json", _class_name="StableDiffusionInstructPix2PixPipeline")
    return folder


def _xl(folder: Path, beside: int, seed: int, pipeline: str) -> Path:
    sdxl(folder)
    config = dict(UNet2DConditionModel.load_config(folder / "unet"))
    torch.manual_seed(seed)
    net = UNet2DConditionModel(**{**config, "in_channels": 4 + beside})

    def run(x_t: Tensor, labels: Tensor) -> None:
        count = len(x_t)
        x = torch.cat([x_t, torch.randn(count, beside, *x_t.shape[2:]) / 8], 1)
        added = {"text_embeds": 3 * torch.randn(count, SECOND_WIDTH), "time_ids": 32 * torch.rand(count, TIME_IDS)}
        net(x, labels, 5 * torch.randn(count, PROMPT_TOKENS, FIRST_WIDTH + SECOND_WIDTH), added_cond_kwargs=added)

    fitted(net, (4, 8, 8), SD_BETAS, run).save_pretrained(folder / "unet")
    edit_json(folder / "model_index.json", _class_name=pipeline)
    return folder


def xl_inpainting(folder: Path) -> Path:
    """Like Stable Diffusion XL inpainting 0.1."""
    return _xl(folder, 5, 35, "StableDiffusionXLInpaintPipeline")


def xl_pix2pix(folder: Path) -> Path:
    """Like SDXL InstructPix2Pix."""
    return _xl(folder, 4, 34, "StableDiffusionXLInstructPix2PixPipeline")


def sampled(
    kind: Any,
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    **options: Any,
) -> Float[Tensor, "b c h w"]:
    """Run a pipeline by DDIM on a trailing grid; see `stable_diffusion_xl.latents`."""
    pipe = loaded(kind, folder, start.dtype)
    to_one = "XL" in kind.__name__  # as Euler's scheduler ends
    pipe.scheduler = DDIMScheduler.from_config(
        pipe.scheduler.config, timestep_spacing="trailing", set_alpha_to_one=to_one, clip_sample=False
    )
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        output_type="latent",
        **options,
    ).images


def filled_in(
    kind: Any,
    folder: Path,
    *sampling: Any,
    frame: Float[Tensor, "1 3 h w"] | None = None,
    mask: Float[Tensor, "1 1 h w"] | None = None,
) -> Tensor:
    """Fill in what a mask lets go of a picture, or all of a grey one, from pure noise.

    The pipeline draws the masked picture's latents; the mean of what it draws from is handed to it.
    """
    pipe, start = loaded(kind, folder, torch.float32), sampling[-1]
    height, width = (side * pipe.vae_scale_factor for side in start.shape[2:])
    frame = torch.zeros(1, 3, height, width) if frame is None else frame
    mask = torch.ones(1, 1, height, width) if mask is None else mask
    with torch.no_grad():
        known = pipe.vae.encode(frame * (mask < 0.5)).latent_dist.mean * pipe.vae.config.scaling_factor
    options = {"image": (frame + 1) / 2, "mask_image": mask, "masked_image_latents": known.repeat(len(start), 1, 1, 1)}
    return sampled(kind, folder, *sampling, **options, strength=1.0, height=height, width=width)


def instructed(
    kind: Any,
    folder: Path,
    *sampling: Any,
    frame: Float[Tensor, "1 3 h w"] | None = None,
    image_guidance: float = 1.5,
) -> Tensor:
    """Follow an instruction for a picture; without one, for latents of zeros."""
    pipe, start = loaded(kind, folder, torch.float32), sampling[-1]
    image = torch.zeros(1, *start.shape[1:])
    if frame is not None:
        with torch.no_grad():
            image = pipe.vae.encode(frame).latent_dist.mean
    return sampled(
        kind, folder, *sampling, image=image.repeat(len(start), 1, 1, 1), image_guidance_scale=image_guidance
    )


def sd_inpainted(*arguments: Any, **options: Any) -> Tensor:
    return filled_in(StableDiffusionInpaintPipeline, *arguments, **options)


def xl_inpainted(*arguments: Any, **options: Any) -> Tensor:
    return filled_in(StableDiffusionXLInpaintPipeline, *arguments, **options)


def sd_instructed(*arguments: Any, **options: Any) -> Tensor:
    return instructed(StableDiffusionInstructPix2PixPipeline, *arguments, **options)


def xl_instructed(*arguments: Any, **options: Any) -> Tensor:
    return instructed(StableDiffusionXLInstructPix2PixPipeline, *arguments, **options)


SHAPE = (2, 4, 8, 8)
TINY = {
    "sd-inpainting": Tiny(inpainting, sd_inpainted, SHAPE, True),
    "sd-pix2pix": Tiny(pix2pix, sd_instructed, SHAPE, True),
    "sdxl-inpainting": Tiny(xl_inpainting, xl_inpainted, SHAPE),
    "sdxl-pix2pix": Tiny(xl_pix2pix, xl_instructed, SHAPE),
}
