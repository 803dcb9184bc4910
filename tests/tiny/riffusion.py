"""Riffusion, a Stable Diffusion 1.5 on spectrograms."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import SD_BETAS, briefly_trained, codec_kl, save_stable_diffusion, unet
from diffusers import DDIMScheduler, StableDiffusionPipeline
from jaxtyping import Float
from torch import Tensor

from tiny.tiny import Tiny, loaded


def riffusion(folder: Path) -> Path:
    """Like riffusion-model-v1 as `regrow models pull` keeps it: Stable Diffusion 1.5's layout, 16 bands, 32 frames."""
    torch.manual_seed(31)
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    save_stable_diffusion(folder, briefly_trained(unet(sample_size=(8, 16))), codec_kl(), scheduler)
    (folder / "family.json").write_text(json.dumps({"family": "riffusion"}))
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Stable Diffusion by DDIM on a trailing grid.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: noise of the noisiest level.
    """
    pipe = loaded(StableDiffusionPipeline, folder, start.dtype, safety_checker=None)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    return pipe(  # pyright: ignore[reportAttributeAccessIssue]
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        output_type="latent",
    ).images


TINY = {"riffusion": Tiny(riffusion, latents, (2, 4, 8, 16), True)}
