"""Latents that diffusers' own pipelines make from given noise, along the path that regrow's `ddim` takes.

Where a published scheduler draws noise or takes second-order steps, diffusers' scheduler of the same levels, the same
labels and deterministic first-order steps stands in for it.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from diffusers import (
    AutoencoderOobleck,
    DDIMScheduler,
    EDMEulerScheduler,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
)
from jaxtyping import Float
from torch import Tensor
from transformers import T5EncoderModel, T5Tokenizer


class CosineEulerScheduler(EDMEulerScheduler):
    """Euler's steps along Stable Audio's levels: EDM's scheduler with the labels of the published one.

    `CosineDPMSolverMultistepScheduler` itself adds noise in every step, of first order too, and diffusers has it only
    where torchsde is installed.
    """

    def precondition_noise(self, sigma: Tensor) -> Tensor:
        return sigma.atan() / math.pi * 2


def sdxl(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    **sizes: Any,
) -> Float[Tensor, "b c h w"]:
    """Run Stable Diffusion XL by DDIM on a trailing grid that ends at alpha 1, as Euler's scheduler does.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is zeros where the checkpoint says `force_zeros_for_empty_prompt`.
        guidance: 1 is off.
        steps: evaluations.
        start: noise of the noisiest level.
        sizes: `original_size`, `crops_coords_top_left`, `target_size` and their negatives; by default the picture's.
    """
    pipe = StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True, dtype=start.dtype)
    # the three given ones: Euler's scheduler has none of them, so they would come from strays in its file
    pipe.scheduler = DDIMScheduler.from_config(
        pipe.scheduler.config, timestep_spacing="trailing", set_alpha_to_one=True, clip_sample=False
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        output_type="latent",
        **sizes,
    ).images


def sd3(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    **options: Any,
) -> Float[Tensor, "b c h w"]:
    """Run Stable Diffusion 3 by its own Euler scheduler on even steps of sigma from 1, shifted by it as published.

    Left to itself, the pipeline takes its steps down to the last trained sigma, shifted twice: not `Flow.grid`.

    Args:
        folder: the checkpoint, with or without its third encoder.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        options: further arguments of the pipeline, as `max_sequence_length`.
    """
    absent = {} if (folder / "text_encoder_3").exists() else {"text_encoder_3": None, "tokenizer_3": None}
    pipe = StableDiffusion3Pipeline.from_pretrained(folder, local_files_only=True, dtype=start.dtype, **absent)
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        sigmas=[1 - step / steps for step in range(steps)],
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        output_type="latent",
        **options,
    ).images


def stable_audio(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
    seconds: tuple[float, float] | None = None,
) -> Float[Tensor, "b c n"]:
    """Run Stable Audio by Euler's steps on its exponential grid of sigmas, 500 to 0.3 and then 0.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is zeros for words and seconds alike, which an empty prompt is not.
        guidance: 1 is off.
        steps: evaluations, 2 or more: of one, the grid is its last level.
        start: noise of spread 1.
        seconds: start and end that the network is conditioned on; all that the latents hold if left out.
    """
    # part by part: without torchsde, `from_pretrained` fails at the published scheduler's class, given another or not
    pipe = StableAudioPipeline(
        vae=AutoencoderOobleck.from_pretrained(folder, subfolder="vae"),
        text_encoder=T5EncoderModel.from_pretrained(folder, subfolder="text_encoder"),
        projection_model=StableAudioProjectionModel.from_pretrained(folder, subfolder="projection_model"),
        tokenizer=T5Tokenizer.from_pretrained(folder, subfolder="tokenizer"),
        transformer=StableAudioDiTModel.from_pretrained(folder, subfolder="transformer"),
        scheduler=CosineEulerScheduler.from_config(CosineEulerScheduler.load_config(folder / "scheduler")),
    ).to(start.dtype)
    first, last = seconds or (0.0, start.shape[2] * pipe.vae.hop_length / pipe.vae.sampling_rate)
    pipe.set_progress_bar_config(disable=True)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        audio_start_in_s=first,
        audio_end_in_s=last,
        output_type="latent",
    ).audios


REFERENCES: dict[str, Callable[..., Tensor]] = {
    "sdxl": sdxl,
    "sd3": sd3,
    "sd3-without-t5": sd3,
    "stable-audio": stable_audio,
}
