"""Tiny random checkpoints, built and saved with diffusers and transformers themselves."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

PROMPT_TOKENS = 12
SD_BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def livelier(module: nn.Module, gain: float = 1.3) -> nn.Module:
    """Scale the weight matrices up: fresh random networks answer nearly the same to everything."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(gain)
    return module


def tokenizer() -> CLIPTokenizer:
    """One token a letter, and one for "cat" at the end of a word."""
    symbols = sorted(ByteLevel.alphabet())
    merged = ["ca", "cat</w>"]
    tokens = [*symbols, *(symbol + "</w>" for symbol in symbols), *merged, "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=[("c", "a"), ("ca", "t</w>")],
        model_max_length=PROMPT_TOKENS,
    )


def text_encoder(words: CLIPTokenizer, width: int = 16) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=PROMPT_TOKENS,
        projection_dim=width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return livelier(CLIPTextModel(config), 3.0)  # pyright: ignore[reportReturnType]


def unet(latent_channels: int = 4, **changes: Any) -> UNet2DConditionModel:
    config = {
        "sample_size": 8,
        "in_channels": latent_channels,
        "out_channels": latent_channels,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "norm_num_groups": 4,
        **changes,
    }
    return livelier(UNet2DConditionModel(**config))  # pyright: ignore[reportReturnType]


def codec_kl() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
        scaling_factor=0.18215,
    )


def codec_tiny(latent_channels: int = 16) -> AutoencoderTiny:
    return AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
        latent_channels=latent_channels,
        scaling_factor=0.7,
    )


def save_stable_diffusion(
    folder: Path,
    net: UNet2DConditionModel,
    codec: AutoencoderKL | AutoencoderTiny,
    scheduler: DDIMScheduler,
    text: CLIPTextModel | None = None,
) -> Path:
    words = tokenizer()
    StableDiffusionPipeline(
        vae=codec,  # pyright: ignore[reportArgumentType]
        text_encoder=text or text_encoder(words),
        tokenizer=words,
        unet=net,
        scheduler=scheduler,  # pyright: ignore[reportArgumentType]
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def briefly_trained(net: UNet2DConditionModel) -> UNet2DConditionModel:
    """Teach an epsilon network that there is noise in its input.

    A random one does not find any, so its latents grow as x / alpha to a spread of 17, and absolute tolerances in
    float32 mean nothing there.
    """
    scheduler, optimizer = DDIMScheduler(**SD_BETAS), torch.optim.AdamW(net.parameters(), 4e-3)
    for _ in range(60):
        x0, eps, tokens = torch.randn(8, 4, 8, 8), torch.randn(8, 4, 8, 8), torch.randn(8, PROMPT_TOKENS, 16)
        labels = torch.randint(0, 1000, (8,))
        x_t = scheduler.add_noise(x0, eps, labels)  # pyright: ignore[reportArgumentType]
        optimizer.zero_grad()
        (net(x_t, labels, tokens).sample - eps).square().mean().backward()
        optimizer.step()
    return net


def sd1(folder: Path) -> Path:
    """Like Stable Diffusion 1: epsilon, AutoencoderKL, ends at the table's first alpha."""
    torch.manual_seed(1)
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return save_stable_diffusion(folder, briefly_trained(unet()), codec_kl(), scheduler)


def sd2(folder: Path) -> Path:
    """Like Stable Diffusion 2: v, linear projections, a list of attention heads."""
    torch.manual_seed(2)
    scheduler = DDIMScheduler(
        **SD_BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction"
    )
    net = unet(attention_head_dim=[2, 4], use_linear_projection=True)
    return save_stable_diffusion(folder, net, codec_kl(), scheduler)


def sd_tiny(folder: Path) -> Path:
    """Like regrow's own models: v, AutoencoderTiny with 16 channels, sample_size a pair, ends at alpha 1."""
    torch.manual_seed(3)
    scheduler = DDIMScheduler(**SD_BETAS, clip_sample=False, prediction_type="v_prediction", steps_offset=1)
    return save_stable_diffusion(folder, unet(16, sample_size=(8, 12)), codec_tiny(), scheduler)


def sd_zero_snr(folder: Path) -> Path:
    """v, and pure noise at the last label."""
    torch.manual_seed(4)
    scheduler = DDIMScheduler(
        **SD_BETAS, clip_sample=False, prediction_type="v_prediction", rescale_betas_zero_snr=True, steps_offset=1
    )
    return save_stable_diffusion(folder, unet(), codec_kl(), scheduler)


def pixel_unet() -> UNet2DModel:
    net = UNet2DModel(
        sample_size=16,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=4,
    )
    return livelier(net)  # pyright: ignore[reportReturnType]


def ddpm(folder: Path) -> Path:
    """A DDPMPipeline on pixels."""
    torch.manual_seed(5)
    DDPMPipeline(pixel_unet(), DDPMScheduler(clip_sample=False)).save_pretrained(folder)
    return folder


def bare_pixel(folder: Path) -> Path:
    """A UNet2DModel alone, without a scheduler."""
    torch.manual_seed(6)
    pixel_unet().save_pretrained(folder)
    return folder


def mel_unet(channels: int = 1, sample_size: int | tuple[int, int] = (32, 64)) -> UNet2DModel:
    net = UNet2DModel(
        sample_size=sample_size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=4,
    )
    return livelier(net)  # pyright: ignore[reportReturnType]


def audio_diffusion(folder: Path, latent: bool = False, channels: int = 1) -> Path:
    """Like teticio's audio-diffusion: a DDPM on mels, or behind an autoencoder, as its files are on the hub."""
    torch.manual_seed(7)
    index: dict[str, Any] = {
        "_class_name": "AudioDiffusionPipeline",
        "_diffusers_version": "0.11.0",
        "mel": ["audio_diffusion", "Mel"],
        "scheduler": ["diffusers", "DDPMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
        "vqvae": ["diffusers", "AutoencoderKL"] if latent else [None, None],
    }
    (mel_unet(4, (16, 32)) if latent else mel_unet()).save_pretrained(folder / "unet")
    DDPMScheduler().save_pretrained(folder / "scheduler")
    if latent:
        codec = codec_kl()
        AutoencoderKL(**{**codec.config, "in_channels": channels, "out_channels": channels}).save_pretrained(
            folder / "vqvae"
        )
    (folder / "mel").mkdir()
    mel = {"hop_length": 512, "n_fft": 2048, "n_iter": 32, "sample_rate": 22050, "top_db": 80}
    for path, table in (
        ("model_index.json", index),
        ("mel/mel_config.json", {"_class_name": "Mel", **mel, "x_res": 64, "y_res": 32}),
    ):
        (folder / path).write_text(json.dumps(table))
    return folder


def latent_audio_diffusion(folder: Path) -> Path:
    """Its latent kind, whose autoencoder here takes colours, as Stable Diffusion's does."""
    return audio_diffusion(folder, latent=True, channels=3)


def edit_json(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; None as a value stays None."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


FACTORIES = {
    "sd1": sd1,
    "sd2": sd2,
    "sd-tiny": sd_tiny,
    "sd-zero-snr": sd_zero_snr,
    "ddpm": ddpm,
    "bare-pixel": bare_pixel,
    "audio-diffusion": audio_diffusion,
    "latent-audio-diffusion": latent_audio_diffusion,
}
