"""FLUX.1: [dev], which takes guidance as an input, and [schnell], which has it in its weights."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from checkpoints import edit_json, text_encoder, tokenizer
from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor, nn

from tiny.encoders import picture_codec, t5_encoder, t5_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 24  # of T5's vectors


def flux(folder: Path, guided: bool = True) -> Path:
    """Like FLUX.1 [dev]: packed latents of 16 channels, levels shifted by size, guidance as an input."""
    torch.manual_seed(41)
    words, words_2 = tokenizer(), t5_tokenizer(512)
    net = FluxTransformer2DModel(
        in_channels=64,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=16,
        guidance_embeds=guided,
        axes_dims_rope=(4, 6, 6),
    )
    codec = picture_codec(
        latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False
    )
    FluxPipeline(
        transformer=calmer(net, 2.0, 0.3),
        scheduler=FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=1000, shift=3.0 if guided else 1.0, use_dynamic_shifting=guided
        ),
        vae=codec,
        text_encoder=text_encoder(words),
        tokenizer=words,
        text_encoder_2=t5_encoder(words_2, WIDTH, "gated-gelu"),
        tokenizer_2=words_2,  # pyright: ignore[reportArgumentType]
    ).save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "model_index.json", tokenizer_2=["transformers", "T5TokenizerFast"])
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
    **options: Any,
) -> Float[Tensor, "b c h w"]:
    """Run diffusers' pipeline, as it stands.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None and empty ones leave guidance to the network. With words, they are what true
            classifier-free guidance leads away from, and the network's own guidance is 1.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        options: further arguments of the pipeline, as `max_sequence_length`.
    """
    pipe = loaded(FluxPipeline, folder, start.dtype)
    away = negatives is not None and any(negatives)
    height, width = start.shape[2] * pipe.vae_scale_factor, start.shape[3] * pipe.vae_scale_factor
    packed = pipe(
        prompt=list(prompts),
        negative_prompt=list(negatives) if away else None,
        true_cfg_scale=guidance if away else 1.0,
        guidance_scale=1.0 if away else guidance,
        num_inference_steps=steps,
        latents=nn.functional.pixel_unshuffle(start, 2).flatten(2).transpose(1, 2),
        height=height,
        width=width,
        output_type="latent",
        **options,
    ).images
    return pipe._unpack_latents(packed, height, width, pipe.vae_scale_factor)


SHAPE = (2, 16, 8, 8)
TINY = {
    "flux": Tiny(flux, latents, SHAPE, True),
    "flux-schnell": Tiny(partial(flux, guided=False), partial(latents, max_sequence_length=256), SHAPE, guidance=1.0),
}
