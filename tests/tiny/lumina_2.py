"""Lumina-Image 2.0."""

from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import livelier
from diffusers import FlowMatchEulerDiscreteScheduler, Lumina2Pipeline, Lumina2Transformer2DModel
from jaxtyping import Float
from torch import Tensor

from tiny.encoders import gemma2, gemma_tokenizer, picture_codec
from tiny.tiny import Tiny, loaded

WIDTH = 16


def lumina_2(folder: Path) -> Path:
    """Like Lumina-Image 2.0: Gemma 2's words but the last layer's, refiners, flow with shift 6."""
    torch.manual_seed(36)
    words = gemma_tokenizer(256)
    net = Lumina2Transformer2DModel(
        sample_size=8,
        hidden_size=48,
        num_layers=2,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=16,
        axes_dim_rope=(8, 8, 8),
        axes_lens=(300, 32, 32),
        cap_feat_dim=WIDTH,
    )
    livelier(net, 5.0)
    for name, parameter in net.named_parameters():
        if "norm_q" in name:  # sharper attention, else a prompt is little beside the system prompt
            parameter.data.mul_(4)
    net.get_parameter("norm_out.linear_2.weight").data.mul_(0.1)
    Lumina2Pipeline(
        transformer=net,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=6.0),
        vae=picture_codec(
            latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=gemma2(words, WIDTH),
        tokenizer=words,
    ).save_pretrained(folder, safe_serialization=True)  # fmt: skip
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Lumina-Image 2.0 by its own scheduler, its own sigmas and its own guidance.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
    """
    pipe = loaded(Lumina2Pipeline, folder, start.dtype)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        height=start.shape[2] * pipe.vae_scale_factor,
        width=start.shape[3] * pipe.vae_scale_factor,
        output_type="latent",
    ).images


TINY = {"lumina-2": Tiny(lumina_2, latents, (2, 16, 8, 12), empty_negative=True)}
