"""Chroma."""

from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import edit_json
from diffusers import ChromaPipeline, ChromaTransformer2DModel, FlowMatchEulerDiscreteScheduler
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor

from tiny.encoders import picture_codec, t5_encoder, t5_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 16


def chroma(folder: Path) -> Path:
    """Like Chroma1-HD: T5's words with a mask, modulations out of a network of their own, levels by size."""
    torch.manual_seed(37)
    words = t5_tokenizer(512)
    net = ChromaTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
        approximator_num_channels=16,
        approximator_hidden_dim=32,
        approximator_layers=2,
    )
    ChromaPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_image_seq_len=4, max_image_seq_len=64, base_shift=0.5, max_shift=1.15
        ),
        vae=picture_codec(
            latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=t5_encoder(words, WIDTH, "gated-gelu"),
        tokenizer=words,
        transformer=calmer(net, 3.0, 0.1),
    ).save_pretrained(folder, safe_serialization=True)  # fmt: skip
    edit_json(folder / "model_index.json", tokenizer=["transformers", "T5TokenizerFast"])
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Chroma by its own scheduler and its own sigmas.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
    """
    pipe = loaded(ChromaPipeline, folder, start.dtype)
    height, width = (side * pipe.vae_scale_factor for side in start.shape[2:])
    packed = pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=pipe._pack_latents(start, *start.shape),
        height=height,
        width=width,
        output_type="latent",
    ).images
    return pipe._unpack_latents(packed, height, width, pipe.vae_scale_factor)


TINY = {"chroma": Tiny(chroma, latents, (2, 16, 8, 12), empty_negative=True)}
