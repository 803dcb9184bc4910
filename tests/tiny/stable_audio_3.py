"""Stable Audio 3: the base checkpoint, and the distilled one, which is sampled by ping-pong."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from checkpoints import livelier
from diffusers import (
    AutoencoderSAME,
    FlowMatchEulerDiscreteScheduler,
    StableAudio3DiTModel,
    StableAudio3DurationEmbedder,
    StableAudio3InpaintPipeline,
    StableAudio3Pipeline,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor
from transformers import GemmaTokenizer, T5GemmaConfig, T5GemmaEncoderModel

from tiny.encoders import gemma_tokenizer
from tiny.fresh_noise import scheduler_draws
from tiny.tiny import Tiny, loaded

CELLS = 96  # latents that a tiny one goes up to; 4134 in the published one
WIDTH = 16


def t5gemma(words: GemmaTokenizer) -> T5GemmaEncoderModel:
    module = {
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "query_pre_attn_scalar": 8,
        "max_position_embeddings": 64,
    }
    config = T5GemmaConfig(encoder=module, decoder=module, is_encoder_decoder=False, vocab_size=len(words))
    return T5GemmaEncoderModel(config)


@torch.no_grad()
def stable_audio_3(folder: Path, stochastic: bool = False) -> Path:
    """Like Stable Audio 3: stereo at 44.1 kHz, differential attention, memory tokens, seconds as a condition."""
    torch.manual_seed(29)
    words = gemma_tokenizer()
    net = StableAudio3DiTModel(
        io_channels=8,
        embed_dim=32,
        depth=2,
        num_heads=2,
        cond_token_dim=WIDTH,
        global_cond_dim=WIDTH,
        local_add_cond_dim=9,
        timestep_features_dim=16,
        num_memory_tokens=4,
    )
    codec = AutoencoderSAME(
        audio_channels=2,
        patch_size=64,
        encoder_channels=8,
        encoder_c_mults=[4],
        encoder_strides=[4],
        encoder_transformer_depths=[2],
        latent_dim=8,
        dim_heads=16,
        decoder_sinusoidal_blocks=[2],
    )
    for module in (net, codec):  # what fresh ones answer with zeros
        for parameter in module.parameters():
            if not parameter.any():
                parameter.normal_(std=0.2)
    net.prompt_padding_embedding.normal_()
    net.to_timestep_embed[0].weight.mul_(0.2)  # its waves of up to 10 kHz show how float32 rounds a level
    for block in net.transformer_blocks:
        block.cross_attn.to_out.weight.mul_(2)
    livelier(codec, 1.5)
    for block in (*codec.encoder.blocks, *codec.decoder.blocks):
        block.new_tokens.normal_()
    embedder = StableAudio3DurationEmbedder(WIDTH, 16, max_val=CELLS * codec.downsampling_ratio / 44100)
    StableAudio3Pipeline(
        vae=codec,
        text_encoder=t5gemma(words),
        tokenizer=words,
        duration_embedder=embedder,
        transformer=calmer(net, 1.0, 0.8),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=stochastic),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
    seconds: float | None = None,
) -> Float[Tensor, "b c n"]:
    """Run diffusers' own pipeline, with the noise of `fresh_noise` where its scheduler draws some."""
    pipe = loaded(StableAudio3Pipeline, folder, start.dtype)
    with scheduler_draws():
        return pipe(
            prompt=list(prompts),
            negative_prompt=None if negatives is None else list(negatives),
            guidance_scale=guidance,
            num_inference_steps=steps,
            latents=start,
            duration=seconds or start.shape[2] * pipe.vae.downsampling_ratio / pipe.vae.config.sampling_rate,
            output_type="latent",
        ).audios


def inpainted(
    folder: Path, prompts: Sequence[str], wave: Float[Tensor, "1 c n"], keep: Float[Tensor, "1 1 n"], steps: int,
    start: Float[Tensor, "b c n"],
) -> Float[Tensor, "b c n"]:  # fmt: skip
    """Run diffusers' pipeline for inpainting; `keep` is 1 where the wave stays."""
    pipe = StableAudio3InpaintPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    with scheduler_draws():
        return pipe(
            prompt=list(prompts),
            audio=wave.expand(len(prompts), -1, -1),
            mask=keep.expand(len(prompts), -1, -1),
            duration=wave.shape[-1] / pipe.vae.config.sampling_rate,
            num_inference_steps=steps,
            latents=start,
            output_type="latent",
        ).audios


TINY = {
    "stable-audio-3": Tiny(stable_audio_3, latents, (2, 8, CELLS), empty_negative=True),
    "stable-audio-3-distilled": Tiny(
        partial(stable_audio_3, stochastic=True), latents, (2, 8, CELLS), empty_negative=True
    ),
}
