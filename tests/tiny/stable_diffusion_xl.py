"""Stable Diffusion XL."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import SD_BETAS, edit_json, text_encoder, tokenizer, unet
from diffusers import DDIMScheduler, EulerDiscreteScheduler, StableDiffusionXLPipeline
from jaxtyping import Float
from tame_networks import TIME_IDS, fitted_to_noise
from torch import Tensor

from tiny.encoders import FIRST_WIDTH, SECOND_WIDTH, clip_with_projection, picture_codec, second_tokenizer
from tiny.tiny import Tiny, loaded


def sdxl(folder: Path) -> Path:
    """Like Stable Diffusion XL base 1.0: two encoders, pooled words and sizes, epsilon, an empty negative is zeros."""
    torch.manual_seed(21)
    words, words_2 = tokenizer(), second_tokenizer()
    net = unet(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=FIRST_WIDTH + SECOND_WIDTH,
        attention_head_dim=[2, 4],
        transformer_layers_per_block=[1, 2],
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=SECOND_WIDTH + TIME_IDS * 8,
    )
    StableDiffusionXLPipeline(
        vae=picture_codec(latent_channels=4, scaling_factor=0.13025),
        text_encoder=text_encoder(words, FIRST_WIDTH),
        text_encoder_2=clip_with_projection(words_2, SECOND_WIDTH, "gelu"),
        tokenizer=words,
        tokenizer_2=words_2,
        unet=fitted_to_noise(net, FIRST_WIDTH + SECOND_WIDTH, SECOND_WIDTH),
        scheduler=EulerDiscreteScheduler(  # pyright: ignore[reportArgumentType]
            **SD_BETAS, timestep_spacing="leading", steps_offset=1, prediction_type="epsilon"
        ),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    ).save_pretrained(folder, safe_serialization=True)
    # the published file carries these from the scheduler it once was; EulerDiscreteScheduler does not read them
    edit_json(
        folder / "scheduler" / "scheduler_config.json",
        clip_sample=False,
        sample_max_value=1.0,
        set_alpha_to_one=False,
        skip_prk_steps=True,
    )
    return folder


def latents(
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
    pipe = loaded(StableDiffusionXLPipeline, folder, start.dtype)
    # the three given ones: Euler's scheduler has none of them, so they would come from strays in its file
    pipe.scheduler = DDIMScheduler.from_config(
        pipe.scheduler.config, timestep_spacing="trailing", set_alpha_to_one=True, clip_sample=False
    )
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


TINY = {"sdxl": Tiny(sdxl, latents, (2, 4, 8, 12))}
