"""Train: grow a picture model from nothing on a world that is drawn by rule."""

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.families import new
from regrow.families.schedules import schedule_from_config
from regrow.media.home import home
from regrow.media.image import from_uint8
from regrow.operations.dataset import drawn
from regrow.operations.fitting import Fit, FitState
from regrow.operations.requests import Train
from regrow.operations.train_codec import CodecStage, train_codec
from regrow.operations.train_denoiser import DenoiserStage, Denoising, train_denoiser
from regrow.worlds.storybook import VOCABULARY, Scene, caption


@dataclass(frozen=True)
class Training:
    """Where a run stands: the stage ("draw", "codec", "encode", "denoiser") and, while it fits, the fit's state."""

    stage: str
    fit: FitState | None = None


def train(request: Train) -> Generator[Training, None, Path]:
    """Train codec and denoiser, and return the model's folder.

    Raises:
        ValueError: a model of this name is there already, or a run of this name had other settings.
    """
    folder, run = home() / "models" / request.name, home() / "runs" / request.name
    if folder.exists():
        raise ValueError(f"{folder} exists already and is never overwritten; choose another --name.")
    scenes = [Scene.random(seed) for seed in range(request.scenes)]
    yield Training("draw")
    codec = new.new_codec(request.seed)
    first = slice(0, max(2, request.scenes // 4))
    codec_settings = Fit(steps=request.codec_steps, rate=3e-3, flat=0.3, ema=0.995)
    stage = CodecStage(*drawn(scenes[first], request.size), seed=request.seed)
    for state in train_codec(codec, stage, codec_settings, run / "codec"):
        yield Training("codec", state)
    yield Training("encode")
    pictures, _ = drawn(scenes, request.size)
    latents, scale = _latents(codec, pictures)
    codec.register_to_config(scaling_factor=scale)
    tokenizer = new.new_tokenizer(VOCABULARY)
    unet = new.new_unet(request.seed, latents.shape[1], latents.shape[2])
    for parameter in unet.parameters():  # what convolutions on a CPU are fastest in
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    text_encoder = new.new_text_encoder(tokenizer, request.seed)
    module = Denoising(unet, text_encoder)

    def tokenize(prompts: list[str]) -> Tensor:
        return tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    schedule, prediction_type = schedule_from_config({"_class_name": "DDIMScheduler", **new.new_scheduler().config})
    denoiser_stage = DenoiserStage(
        latents,
        lambda i, seed: caption(scenes[i], seed),
        tokenize,
        schedule,
        prediction_type,
        request.batch,
        derive_seed(request.seed, "denoiser"),
    )
    settings = Fit(steps=request.denoiser_steps, rate=3e-3, flat=0.4, ema=0.998)
    for state in train_denoiser(module, denoiser_stage, settings, run / "denoiser"):
        yield Training("denoiser", state)
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    new.save_stable_diffusion(aside, unet, codec, text_encoder, tokenizer)
    aside.rename(folder)
    return folder


@torch.no_grad()
def _latents(codec: nn.Module, pictures: np.ndarray) -> tuple[np.ndarray, float]:
    """Latents of all pictures, float16 `n c h w`, scaled to standard deviation 1, and that scale."""
    parts = []
    for i in range(0, len(pictures), 32):
        x = from_uint8(np.array(pictures[i : i + 32]))
        parts.append(codec.get_submodule("encoder")(x).half().numpy())
    latents = np.concatenate(parts)
    scale = round(1 / float(latents[: 32 * 32].astype(np.float32).std()), 5)
    return latents * np.float16(scale), scale
