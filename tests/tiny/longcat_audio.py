"""LongCat-AudioDiT."""

from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import livelier
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    LongCatAudioDiTPipeline,
    LongCatAudioDiTTransformer,
    LongCatAudioDiTVae,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor
from transformers import T5Tokenizer, UMT5Config, UMT5EncoderModel

from tiny.encoders import t5_tokenizer
from tiny.tiny import Tiny, loaded

WIDTH = 16
CELLS = 351  # latents of 30 s, as in the published one


def umt5(words: T5Tokenizer) -> UMT5EncoderModel:
    config = UMT5Config(
        vocab_size=len(words),
        d_model=WIDTH,
        d_kv=8,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
    )
    return livelier(UMT5EncoderModel(config), 2.0)  # pyright: ignore[reportReturnType]


@torch.no_grad()
def longcat_audio(folder: Path) -> Path:
    """Like LongCat-AudioDiT 1B, but at 6 kHz: mono, words by convolutions and attention, levels from noise to clean."""
    torch.manual_seed(31)
    words = t5_tokenizer(1 << 40)  # as the published one says, for which diffusers takes 512
    net = LongCatAudioDiTTransformer(dit_dim=32, dit_depth=2, dit_heads=2, dit_text_dim=WIDTH, latent_dim=8)
    codec = LongCatAudioDiTVae(
        channels=2,
        c_mults=[1, 2, 4, 4, 8],
        strides=[2, 4, 4, 4, 4],
        latent_dim=8,
        encoder_latent_dim=16,
        use_snake=True,
        downsampling_ratio=512,
        sample_rate=6000,
    )
    for parameter in net.parameters():  # what fresh ones answer with zeros
        if not parameter.any():
            parameter.normal_(std=0.2)
    LongCatAudioDiTPipeline(
        vae=codec,
        text_encoder=umt5(words),
        tokenizer=words,
        transformer=calmer(net, 1.5, 0.3),
        scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
) -> Float[Tensor, "b c n"]:
    """Run diffusers' own pipeline, each prompt by itself: it pads the shorter ones of a batch, which changes them."""
    pipe = loaded(LongCatAudioDiTPipeline, folder, start.dtype)
    found = [
        pipe(
            prompt,
            negative_prompt=None if negatives is None else [negatives[i]],
            guidance_scale=guidance,
            num_inference_steps=steps,
            latents=start[i : i + 1].transpose(1, 2),
            output_type="latent",
        ).audios.transpose(1, 2)
        for i, prompt in enumerate(prompts)
    ]
    return torch.cat(found)


TINY = {"longcat-audio": Tiny(longcat_audio, latents, (2, 8, CELLS))}
