"""Stable Audio Open 1.0."""

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from checkpoints import edit_json
from diffusers import (
    AutoencoderOobleck,
    EDMDPMSolverMultistepScheduler,
    EDMEulerScheduler,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
)
from jaxtyping import Float
from tame_networks import calmer
from torch import Tensor
from transformers import T5EncoderModel, T5Tokenizer

from tiny.encoders import t5_encoder, t5_tokenizer
from tiny.tiny import Tiny

COSINE = {
    "euler_at_final": False,
    "final_sigmas_type": "zero",
    "lower_order_final": True,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rho": 7.0,
    "sigma_data": 1.0,
    "sigma_max": 500,
    "sigma_min": 0.3,
    "sigma_schedule": "exponential",
    "solver_order": 2,
    "solver_type": "midpoint",
}
SOUND_LATENTS = 128  # latents of one place that a tiny Stable Audio is trained on; 1024 in the published one


def stable_audio(folder: Path) -> Path:
    """Like Stable Audio Open 1.0: stereo at 44.1 kHz, latents of one place, v on a cosine, seconds as a condition."""
    torch.manual_seed(23)
    words, width = t5_tokenizer(128), 16
    net = StableAudioDiTModel(
        sample_size=SOUND_LATENTS,
        in_channels=8,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        num_key_value_attention_heads=2,
        out_channels=8,
        cross_attention_dim=width,
        time_proj_dim=16,
        global_states_input_dim=2 * width,
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
        projection_model=StableAudioProjectionModel(width, width, min_value=0, max_value=512),
        tokenizer=words,
        transformer=calmer(net, 1.8, 0.2),
        scheduler=EDMDPMSolverMultistepScheduler(),
    ).save_pretrained(folder, safe_serialization=True)
    # the published class cannot be made without torchsde, which neither diffusers nor regrow brings
    kind = "CosineDPMSolverMultistepScheduler"
    edit_json(folder / "model_index.json", scheduler=["diffusers", kind], tokenizer=["transformers", "T5TokenizerFast"])
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps({"_class_name": kind, **COSINE}))
    return folder


class CosineEulerScheduler(EDMEulerScheduler):
    """Euler's steps along Stable Audio's levels: EDM's scheduler with the labels of the published one.

    `CosineDPMSolverMultistepScheduler` itself adds noise in every step, of first order too, and diffusers has it only
    where torchsde is installed.
    """

    def precondition_noise(self, sigma: Tensor) -> Tensor:
        return sigma.atan() / math.pi * 2


@cache
def _opened(folder: Path, dtype: torch.dtype) -> StableAudioPipeline:
    # part by part: without torchsde, `from_pretrained` fails at the published scheduler's class, given another or not
    pipe = StableAudioPipeline(
        vae=AutoencoderOobleck.from_pretrained(folder, subfolder="vae"),
        text_encoder=T5EncoderModel.from_pretrained(folder, subfolder="text_encoder"),
        projection_model=StableAudioProjectionModel.from_pretrained(folder, subfolder="projection_model"),
        tokenizer=T5Tokenizer.from_pretrained(folder, subfolder="tokenizer"),
        transformer=StableAudioDiTModel.from_pretrained(folder, subfolder="transformer"),
        scheduler=CosineEulerScheduler.from_config(CosineEulerScheduler.load_config(folder / "scheduler")),
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
    seconds: tuple[float, float] | None = None,
) -> Float[Tensor, "b c n"]:
    """Run Stable Audio by Euler's steps on its exponential grid of sigmas, 500 to 0.3 and then 0.

    Args:
        folder: the checkpoint.
        prompts: one a sample.
        negatives: one a sample; None is zeros for words and seconds alike, which an empty prompt is not.
        guidance: 1 is off.
        steps: evaluations, 2 or more: of one, the grid is its last level.
        start: noise of spread 1.
        seconds: start and end that the network is conditioned on; all that the latents hold if left out.
    """
    pipe = _opened(folder, start.dtype)
    first, last = seconds or (0.0, start.shape[2] * pipe.vae.hop_length / pipe.vae.sampling_rate)
    return pipe(
        prompt=list(prompts),
        negative_prompt=None if negatives is None else list(negatives),
        guidance_scale=guidance,
        num_inference_steps=steps,
        latents=start,
        audio_start_in_s=first,
        audio_end_in_s=last,
        output_type="latent",
    ).audios


TINY = {"stable-audio": Tiny(stable_audio, latents, (2, 8, SOUND_LATENTS))}
