"""Qwen-Image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from checkpoints import livelier
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2Tokenizer

from tiny.encoders import qwen2_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 16
MOST = 36
"""Tokens of the largest picture, which is the size that it is made for."""


def encoder(words: Qwen2Tokenizer, **tokens: Any) -> Qwen2_5_VLForConditionalGeneration:
    """Qwen2.5-VL with its tower for pictures.

    Args:
        words: its tokenizer.
        tokens: their ids, as of the one that a picture's patches stand in.
    """
    text = {
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
    }
    vision = {
        "depth": 1,
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_heads": 2,
        "out_hidden_size": WIDTH,
        "fullatt_block_indexes": [0],
    }
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, tie_word_embeddings=False, **tokens)
    return livelier(Qwen2_5_VLForConditionalGeneration(config), 3.0)  # pyright: ignore[reportReturnType]


def network() -> QwenImageTransformer2DModel:
    net = QwenImageTransformer2DModel(
        in_channels=64,
        out_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
    )
    calmer(net, 3.0, 0.4)
    # else what diffusers rounds in its levels, in float32, shows
    net.time_text_embed.timestep_embedder.linear_1.weight.data.mul_(0.05)
    for name, parameter in net.named_parameters():
        if "norm_q" in name:  # sharper attention, else a prompt is little beside its template
            parameter.data.mul_(4)
    return net


def pipeline(words: Qwen2Tokenizer, most: int, **tokens: Any) -> QwenImagePipeline:
    """Return Qwen-Image's parts, made at random.

    Args:
        words: its tokenizer.
        most: tokens of the largest picture.
        tokens: of `encoder`.
    """
    return QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=1000,
            shift=1.0,
            use_dynamic_shifting=True,
            base_shift=0.5,
            max_shift=0.9,
            base_image_seq_len=4,
            max_image_seq_len=most,
            shift_terminal=0.02,
        ),
        vae=AutoencoderKLQwenImage(base_dim=8, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[True]),
        text_encoder=encoder(words, **tokens),
        tokenizer=words,
        transformer=network(),
    )


def qwen_image(folder: Path) -> Path:
    """Like Qwen-Image: Qwen2.5-VL's words, latents of 16 channels of a codec of films, levels by size up to 0.02."""
    torch.manual_seed(32)
    pipeline(qwen2_tokenizer(), MOST).save_pretrained(folder, safe_serialization=True)
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Qwen-Image by its own scheduler and its own sigmas.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is a space, as its card has it.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
    """
    pipe = loaded(QwenImagePipeline, folder, start.dtype)
    height, width = (side * pipe.vae_scale_factor for side in start.shape[2:])
    packed = pipe(
        prompt=list(prompts),
        negative_prompt=[" "] * len(prompts) if negatives is None else list(negatives),
        true_cfg_scale=guidance,
        num_inference_steps=steps,
        latents=pipe._pack_latents(start, *start.shape),
        height=height,
        width=width,
        output_type="latent",
    ).images
    return pipe._unpack_latents(packed, height, width, pipe.vae_scale_factor)[:, :, 0]


TINY = {"qwen-image": Tiny(qwen_image, latents, (2, 16, 8, 12))}
