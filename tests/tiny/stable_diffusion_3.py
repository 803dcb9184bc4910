"""Stable Diffusion 3, with and without its largest encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import edit_json, tokenizer
from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor

from tiny.encoders import (
    FIRST_WIDTH,
    SECOND_WIDTH,
    clip_with_projection,
    picture_codec,
    second_tokenizer,
    t5_encoder,
    t5_tokenizer,
)
from tiny.tiny import Tiny, loaded


def sd3(folder: Path, t5: bool = True) -> Path:
    """Like Stable Diffusion 3 medium: three encoders, flow with shift 3, MMDiT, 16 channels with a shifted mean."""
    torch.manual_seed(22)
    words, words_2, words_3 = tokenizer(), second_tokenizer(), t5_tokenizer(512)
    net = SD3Transformer2DModel(
        sample_size=8,
        patch_size=2,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=FIRST_WIDTH + SECOND_WIDTH + 8,  # wider than both, so that there is padding as in 4096
        caption_projection_dim=32,
        pooled_projection_dim=FIRST_WIDTH + SECOND_WIDTH,
        out_channels=16,
        pos_embed_max_size=24,
    )
    codec = picture_codec(
        latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False
    )
    third = t5_encoder(words_3, FIRST_WIDTH + SECOND_WIDTH + 8, "gated-gelu") if t5 else None
    StableDiffusion3Pipeline(
        transformer=calmer(net, 2.0, 0.08),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
        vae=codec,
        text_encoder=clip_with_projection(words, FIRST_WIDTH, "quick_gelu"),
        tokenizer=words,
        text_encoder_2=clip_with_projection(words_2, SECOND_WIDTH, "gelu"),
        tokenizer_2=words_2,
        text_encoder_3=third,  # pyright: ignore[reportArgumentType]
        tokenizer_3=words_3 if t5 else None,  # pyright: ignore[reportArgumentType]
    ).save_pretrained(folder, safe_serialization=True)
    if t5:
        edit_json(folder / "model_index.json", tokenizer_3=["transformers", "T5TokenizerFast"])
    return folder


def sd3_without_t5(folder: Path) -> Path:
    """Like Stable Diffusion 3 saved without its largest encoder, for which zeros stand in."""
    return sd3(folder, t5=False)


def latents(
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
    pipe = loaded(StableDiffusion3Pipeline, folder, start.dtype, **absent)
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


SHAPE = (2, 16, 8, 12)
TINY = {"sd3": Tiny(sd3, latents, SHAPE, True), "sd3-without-t5": Tiny(sd3_without_t5, latents, SHAPE, True)}
