"""The kind of Stable Audio Open Small: a distilled flow that reads one duration, sampled by ping-pong.

The published weights are not in diffusers' layout, and its network normalises queries and keys, which diffusers' does
not; all else stands as there.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from checkpoints import edit_json
from diffusers import (
    AutoencoderOobleck,
    FlowMatchEulerDiscreteScheduler,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor
from transformers import T5EncoderModel, T5Tokenizer

from tiny.encoders import t5_encoder, t5_tokenizer
from tiny.fresh_noise import scheduler_draws
from tiny.tiny import Tiny

CELLS = 64  # latents that a tiny one is trained on; 256 in the published one


class PingPongScheduler(FlowMatchEulerDiscreteScheduler):
    """The sigmas of stable-audio-tools' `sample_rf`, and what diffusers' pipeline asks a scheduler for."""

    init_noise_sigma = 1.0

    def scale_model_input(self, sample: Tensor, _: Tensor) -> Tensor:
        return sample

    def set_timesteps(self, num_inference_steps: int, device: torch.device | str | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        sigmas = torch.sigmoid(-torch.linspace(-6, 2, num_inference_steps + 1, dtype=torch.float64))
        sigmas[0] = 1
        super().set_timesteps(sigmas=sigmas[:-1].tolist(), device=device)


class OneDurationPipeline(StableAudioPipeline):
    """diffusers' pipeline for a network that reads no beginning: `torch.cat` leaves an empty vector out."""

    def encode_duration(self, *arguments: object) -> tuple[Tensor, Tensor]:
        return torch.empty(0), super().encode_duration(*arguments)[1]


def stable_audio_small(folder: Path) -> Path:
    torch.manual_seed(37)
    words, width = t5_tokenizer(64), 16
    net = StableAudioDiTModel(
        sample_size=CELLS,
        in_channels=8,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        num_key_value_attention_heads=4,
        out_channels=8,
        cross_attention_dim=4 * 16,
        time_proj_dim=16,
        global_states_input_dim=width,
        cross_attention_input_dim=width,
    )
    codec = AutoencoderOobleck(
        encoder_hidden_size=16,  # twice the latent's channels: mean and spread
        downsampling_ratios=[4, 8, 8],
        channel_multiples=[1, 1, 2],
        decoder_channels=8,
        decoder_input_channels=8,
        audio_channels=2,
        sampling_rate=44100,
    )
    StableAudioPipeline(
        vae=codec,
        text_encoder=t5_encoder(words, width, "relu"),
        projection_model=StableAudioProjectionModel(width, width, min_value=0, max_value=256),
        tokenizer=words,
        transformer=calmer(net, 1.8, 0.3),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=True),  # pyright: ignore[reportArgumentType]
    ).save_pretrained(folder, safe_serialization=True)
    edit_json(folder / "model_index.json", tokenizer=["transformers", "T5TokenizerFast"])
    return folder


@cache
def _opened(folder: Path, dtype: torch.dtype) -> OneDurationPipeline:
    pipe = OneDurationPipeline(
        vae=AutoencoderOobleck.from_pretrained(folder, subfolder="vae"),
        text_encoder=T5EncoderModel.from_pretrained(folder, subfolder="text_encoder"),
        projection_model=StableAudioProjectionModel.from_pretrained(folder, subfolder="projection_model"),
        tokenizer=T5Tokenizer.from_pretrained(folder, subfolder="tokenizer"),
        transformer=StableAudioDiTModel.from_pretrained(folder, subfolder="transformer"),
        scheduler=PingPongScheduler.from_pretrained(folder, subfolder="scheduler"),
    ).to(dtype)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
) -> Float[Tensor, "b c n"]:
    """Run diffusers' pipeline by stable-audio-tools' levels and ping-pong, with the noise of `fresh_noise`."""
    pipe = _opened(folder, start.dtype)
    with scheduler_draws():
        return pipe(
            prompt=list(prompts),
            negative_prompt=None if negatives is None else list(negatives),
            guidance_scale=guidance,
            num_inference_steps=steps,
            latents=start,
            audio_end_in_s=start.shape[2] * pipe.vae.hop_length / pipe.vae.sampling_rate,
            output_type="latent",
        ).audios


TINY = {"stable-audio-small": Tiny(stable_audio_small, latents, (2, 8, CELLS))}
