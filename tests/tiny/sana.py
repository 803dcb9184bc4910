"""Sana."""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import (
    AutoencoderDC,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    SanaPipeline,
    SanaTransformer2DModel,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor

from tiny.encoders import gemma2, gemma_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 16


def sana(folder: Path) -> Path:
    """Like Sana: linear attention, Gemma 2's words behind an instruction, the deep codec, flow with shift 3."""
    torch.manual_seed(35)
    words = gemma_tokenizer(300)
    net = SanaTransformer2DModel(
        num_attention_heads=4,
        attention_head_dim=8,
        num_layers=2,
        num_cross_attention_heads=2,
        cross_attention_head_dim=16,
        cross_attention_dim=32,
        caption_channels=WIDTH,
        sample_size=8,
    )
    blocks = ("ResBlock", "EfficientViTBlock")
    SanaPipeline(
        tokenizer=words,
        text_encoder=gemma2(words, WIDTH),
        vae=AutoencoderDC(
            attention_head_dim=8,
            encoder_block_types=blocks,  # pyright: ignore[reportArgumentType]
            decoder_block_types=blocks,  # pyright: ignore[reportArgumentType]
            encoder_block_out_channels=(16, 32),
            decoder_block_out_channels=(16, 32),
            encoder_layers_per_block=(1, 1),
            decoder_layers_per_block=(1, 1),
            encoder_qkv_multiscales=((), (5,)),
            decoder_qkv_multiscales=((), (5,)),
            scaling_factor=0.41407,
        ),
        transformer=calmer(net, 3.0, 0.07),
        scheduler=DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, beta_schedule="linear"
        ),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c h w"],
) -> Float[Tensor, "b c h w"]:
    """Run Sana by Euler's steps on the levels of its file, whose own scheduler takes second-order steps.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is the empty prompt.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
    """
    pipe = loaded(SanaPipeline, folder, start.dtype)
    pipe.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    return pipe(
        prompt=list(prompts),
        negative_prompt="" if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        sigmas=[1 - step / steps for step in range(steps)],
        latents=start,
        height=32 * start.shape[2],  # of which the pipeline takes multiples only
        width=32 * start.shape[3],
        use_resolution_binning=False,
        output_type="latent",
    ).images


TINY = {"sana": Tiny(sana, latents, (2, 32, 8, 12), empty_negative=True)}
