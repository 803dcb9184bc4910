"""ACE-Step 1.5: base, turbo with a narrower condition encoder as XL's, and base with the parts of covers."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from checkpoints import livelier
from diffusers import (
    AceStepPipeline,
    AceStepTransformer1DModel,
    AutoencoderOobleck,
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.pipelines.ace_step import (
    AceStepAudioTokenDetokenizer,
    AceStepAudioTokenizer,
    AceStepConditionEncoder,
)
from jaxtyping import Float
from torch import Tensor

from tiny.encoders import qwen2_tokenizer, qwen3_encoder
from tiny.tiny import Tiny

WIDTH, TEXT, LATENT = 32, 16, 8
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 4}
RATE, FACTOR = 1000, 200  # 5 latents a second; 48000 and 1920 in the published one


def ace_step(folder: Path, turbo: bool = False, covers: bool = False) -> Path:
    """Like ACE-Step 1.5 base: stereo, lyrics and timbre packed with the words, flow shifted by 3.

    Args:
        folder: to write it into.
        turbo: like XL turbo: guidance in its weights, a condition encoder narrower than the transformer.
        covers: with the two parts that a melody goes through.
    """
    torch.manual_seed(24)
    words, encoder = qwen2_tokenizer(), 24 if turbo else WIDTH
    narrow = {"hidden_size": encoder, "intermediate_size": 2 * encoder, **HEADS}
    net = AceStepTransformer1DModel(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        in_channels=3 * LATENT,
        audio_acoustic_hidden_dim=LATENT,
        encoder_hidden_size=encoder,
        is_turbo=turbo,
        model_version="turbo" if turbo else "base",
        **HEADS,
    )
    net = livelier(net, 2.4)
    net.condition_embedder.weight.data.mul_(5)
    net.proj_out_conv.weight.data.mul_(0.7)
    condition_encoder = AceStepConditionEncoder(
        text_hidden_dim=TEXT,
        timbre_hidden_dim=LATENT,
        num_lyric_encoder_hidden_layers=2,
        num_timbre_encoder_hidden_layers=2,
        **narrow,
    )
    condition_encoder = livelier(condition_encoder, 3.0)
    condition_encoder.silence_latent.normal_()
    both: dict[str, Any] = {}
    if covers:
        pool = {**narrow, "audio_acoustic_hidden_dim": LATENT, "num_attention_pooler_hidden_layers": 2}
        both["audio_tokenizer"] = livelier(AceStepAudioTokenizer(fsq_dim=encoder, **pool), 2.0)
        both["audio_token_detokenizer"] = livelier(AceStepAudioTokenDetokenizer(**pool), 2.0)
    codec = AutoencoderOobleck(
        encoder_hidden_size=2 * LATENT,  # twice the latent's channels: mean and spread
        downsampling_ratios=[2, 10, 10],
        channel_multiples=[1, 1, 2],
        decoder_channels=8,
        decoder_input_channels=LATENT,
        audio_channels=2,
        sampling_rate=RATE,
    )
    AceStepPipeline(
        vae=codec,
        text_encoder=qwen3_encoder(words, TEXT),
        tokenizer=words,
        transformer=net,
        condition_encoder=condition_encoder,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
        **both,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def ace_step_turbo(folder: Path) -> Path:
    """Like ACE-Step 1.5 XL turbo."""
    return ace_step(folder, turbo=True)


def ace_step_covers(folder: Path) -> Path:
    """Like ACE-Step 1.5 base with its audio tokenizer and detokenizer."""
    return ace_step(folder, covers=True)


def opened(folder: Path, dtype: torch.dtype = torch.float32) -> AceStepPipeline:
    """Return diffusers' own pipeline; of the codec's posterior it takes the mean, as regrow does, and no sample."""
    pipe = AceStepPipeline.from_pretrained(folder, local_files_only=True, dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    encode = pipe.vae.encode

    def without_chance(*arguments: Any) -> Any:
        encoded = encode(*arguments)
        encoded.latent_dist.sample = encoded.latent_dist.mode
        return encoded

    pipe.vae.encode = without_chance
    return pipe


_once = cache(opened)


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c n"],
    **options: Any,
) -> Float[Tensor, "b c n"]:
    """Run ACE-Step 1.5 as its pipeline does, one prompt at a time: it pads those of a batch, and masks nothing.

    Args:
        folder: the checkpoint.
        prompts: styles, one a sample.
        negatives: one a sample; None is the learned null condition. The pipeline takes none: they are put in its place.
        guidance: 1 is off.
        steps: evaluations.
        start: pure noise.
        options: further arguments of the pipeline, as `lyrics`.
    """
    pipe = _once(folder, start.dtype)
    duration = start.shape[2] * FACTOR / RATE
    made = []
    for i, prompt in enumerate(prompts):
        away = None if negatives is None else encoded(pipe, negatives[i], duration)
        with_away(pipe, away)
        options = {"audio_duration": duration, **options}
        audios = pipe(
            prompt=prompt,
            guidance_scale=guidance,
            num_inference_steps=steps,
            latents=start[i : i + 1].transpose(1, 2),
            output_type="latent",
            **options,
        ).audios
        made.append(audios.transpose(1, 2))
    return torch.cat(made)


@torch.no_grad()
def encoded(pipe: AceStepPipeline, prompt: str, duration: float) -> Float[Tensor, "1 tokens d"]:
    """Return what the pipeline's parts make of a style without lyrics."""
    device = torch.device("cpu")
    text = pipe.encode_prompt(prompt, "", device, audio_duration=duration)
    silence = pipe.condition_encoder.silence_latent[:, : 30 * RATE // FACTOR]
    return pipe.condition_encoder(*text, silence, torch.zeros(1, dtype=torch.long))[0]


def with_away(pipe: AceStepPipeline, away: Float[Tensor, "1 tokens d"] | None) -> None:
    """Put a condition in place of the null condition, which is the second half of each guided batch."""
    forward = type(pipe.transformer).forward.__get__(pipe.transformer)

    def guided(**inputs: Any) -> tuple[Tensor]:
        if away is None or len(inputs["hidden_states"]) == 1:
            return forward(**inputs)
        halves: list[dict[str, Any]] = [
            {name: value[i : i + 1] if isinstance(value, Tensor) else value for name, value in inputs.items()}
            for i in range(2)
        ]
        halves[1]["encoder_hidden_states"] = away
        return (torch.cat([forward(**half)[0] for half in halves]),)

    pipe.transformer.forward = guided


SHAPE = (2, LATENT, 101)
TINY = {
    "ace-step": Tiny(ace_step, latents, SHAPE),
    "ace-step-turbo": Tiny(ace_step_turbo, latents, SHAPE, guidance=1.0),
    "ace-step-covers": Tiny(ace_step_covers, latents, SHAPE, shared=False),
}
