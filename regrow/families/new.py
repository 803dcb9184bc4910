"""New, untrained models in the Stable Diffusion folder layout, sized for training on a CPU (LOG.md has why)."""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"


def new_codec(seed: int, width: int = 64, latent_channels: int = 16) -> AutoencoderTiny:
    """An eightfold picture codec of about 1.7 million parameters with `latent_channels` latents."""
    torch.manual_seed(seed)
    return AutoencoderTiny(
        encoder_block_out_channels=(width,) * 4,
        decoder_block_out_channels=(width,) * 4,
        num_encoder_blocks=(0, 1, 2, 3),
        num_decoder_blocks=(3, 3, 1, 0),
        latent_channels=latent_channels,
    )


def new_tokenizer(words: Sequence[str], length: int = 32) -> CLIPTokenizer:
    """CLIP's byte-pair tokenizer in which each of the words is one token; other words fall into pieces.

    Args:
        words: the words of a world, without punctuation.
        length: tokens a prompt has room for, with its start and end.
    """
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=100_000, min_frequency=0, initial_alphabet=symbols, end_of_word_suffix="</w>", show_progress=False
    )
    bpe.train_from_iterator(words, trainer)
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    tokens = [*symbols, *(symbol + "</w>" for symbol in symbols)]
    tokens = list(dict.fromkeys([*tokens, *("".join(pair) for pair in merges), START, END]))
    return CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=merges,  # pyright: ignore[reportArgumentType]  # pairs, as its own files hold them
        model_max_length=length,
    )


def new_text_encoder(tokenizer: CLIPTokenizer, seed: int, width: int = 128) -> CLIPTextModel:
    """A CLIP text transformer of two layers for this tokenizer."""
    torch.manual_seed(seed)
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=2,
            num_attention_heads=width // 32,
            max_position_embeddings=tokenizer.model_max_length,
            projection_dim=width,
            bos_token_id=tokenizer.convert_tokens_to_ids(START),  # pyright: ignore[reportArgumentType]
            eos_token_id=tokenizer.convert_tokens_to_ids(END),  # pyright: ignore[reportArgumentType]
            pad_token_id=tokenizer.convert_tokens_to_ids(END),  # pyright: ignore[reportArgumentType]
        )
    )


def new_unet(seed: int, latent_channels: int, latent_size: int, text_width: int = 128) -> UNet2DConditionModel:
    """A denoiser of about 10 million parameters for latents of `latent_size` squared.

    Words enter at the two lower levels on the way down and at the lowest on the way up: attention on the middle
    level's way up would cost a third of the speed.
    """
    torch.manual_seed(seed)
    channels = (64, 128, 192)
    return UNet2DConditionModel(
        sample_size=latent_size,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=channels,
        layers_per_block=1,
        cross_attention_dim=text_width,
        attention_head_dim=tuple(c // 32 for c in channels),  # pyright: ignore[reportArgumentType]
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    )


def new_scheduler() -> DDIMScheduler:
    """Stable Diffusion's betas with v-prediction and trailing spacing."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        steps_offset=1,
        clip_sample=False,
    )


def save_stable_diffusion(
    folder: Path,
    unet: UNet2DConditionModel,
    codec: AutoencoderTiny,
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write the parts as a folder that `open_model` and diffusers' StableDiffusionPipeline open."""
    for name, part in (("unet", unet), ("vae", codec), ("text_encoder", text_encoder)):
        copy: Any = deepcopy(part)
        copy.to(dtype).save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    new_scheduler().save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderTiny"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
