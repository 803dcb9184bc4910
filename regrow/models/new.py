"""Create the parts of new, untrained models, sized for training on a CPU (see LOG.md)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.transformers.transformer_sd3 import SD3Transformer2DModel
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from regrow.core.names import NewSize, Objective

AnyEncoder = TypeVar("AnyEncoder", CLIPTextModel, CLIPTextModelWithProjection)
START, END = "<|startoftext|>", "<|endoftext|>"


def new_codec(seed: int, size: NewSize = "small", latent_channels: int = 16) -> AutoencoderTiny:
    """Return a picture codec that shrinks sides 8 times: tiny has 0.5 million parameters, the others 1.7."""
    width = 32 if size == "tiny" else 64
    return _codec(seed, width, latent_channels, 3, (0, 1, 2, 3), (3, 3, 1, 0))


def new_mel_codec(seed: int, size: NewSize = "small", latent_channels: int = 32) -> AutoencoderTiny:
    """Return a mel codec that shrinks sides 16 times: a second has few latents, each with many channels.

    Tiny has 0.5 million parameters, the others 1.9. Most of its blocks are at low resolution, where they cost nearly
    nothing (LOG.md).
    """
    width = 24 if size == "tiny" else 48
    return _codec(seed, width, latent_channels, 1, (0, 0, 1, 4, 6), (8, 6, 2, 1, 0))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the context, and restore its random state afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _codec(
    seed: int, width: int, latent_channels: int, channels: int, encoder: tuple[int, ...], decoder: tuple[int, ...]
) -> AutoencoderTiny:
    """Return a codec; encoder blocks are listed from the finest level to the coarsest, decoder blocks in reverse."""
    with _seeded(seed):
        codec = AutoencoderTiny(
            in_channels=channels,
            out_channels=channels,
            encoder_block_out_channels=(width,) * len(encoder),
            decoder_block_out_channels=(width,) * len(decoder),
            num_encoder_blocks=encoder,
            num_decoder_blocks=decoder,
            latent_channels=latent_channels,
        )
    # starts mid-range: outside of it, all outputs would be clamped to one value
    torch.nn.init.constant_(codec.decoder.get_parameter(f"layers.{len(codec.decoder.layers) - 1}.bias"), 0.5)
    return codec


def new_tokenizer(words: Sequence[str], length: int = 32, characters: Sequence[str] = ()) -> CLIPTokenizer:
    """Return a CLIP byte-pair tokenizer in which each of the words and of the characters is one token.

    Other words and characters are split into several tokens. As always in CLIP's vocabulary, a character has one token
    inside a word and another at its end ("猫" and "猫</w>"). The same arguments give the same tokenizer.

    Args:
        words: the words of a world, without punctuation.
        length: maximum number of tokens of a prompt, including its start and end.
        characters: characters of a script without spaces between words, such as Chinese, including its punctuation.
    """
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    endings = [symbol + "</w>" for symbol in symbols]
    trainer = trainers.BpeTrainer(
        vocab_size=100_000,
        min_frequency=0,
        # Without fixed ids for these, ties are broken at random, and a resumed training would get other tokens.
        special_tokens=endings,
        initial_alphabet=symbols,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    bpe.train_from_iterator(words, trainer)
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    merges += dict.fromkeys(pair for character in characters for pair in _character_merges(character))
    tokens = list(dict.fromkeys([*symbols, *endings, *("".join(pair) for pair in merges), START, END]))
    return CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)},
        merges=merges,  # pyright: ignore[reportArgumentType]  # pairs, as its own files hold them
        model_max_length=length,
    )


def _character_merges(character: str) -> list[tuple[str, str]]:
    """Return the merges that join the bytes of one character, inside a word and at its end.

    They cannot join two characters: every pair begins with a first byte of UTF-8 and ends with a later one.
    """
    [(spelt, _)] = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(character)
    pairs = [(spelt[:i], spelt[i]) for i in range(1, len(spelt))]
    return [*pairs, *((first, last + "</w>") for first, last in pairs[-1:])]


def new_text_encoder(
    tokenizer: CLIPTokenizer, seed: int, width: int = 128, layers: int = 2, kind: type[AnyEncoder] = CLIPTextModel
) -> AnyEncoder:
    """Return a CLIP text encoder with `layers` layers for a tokenizer; the class with a projection also pools."""
    with _seeded(seed):
        return kind(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=width,
                intermediate_size=4 * width,
                num_hidden_layers=layers,
                num_attention_heads=width // 32,
                max_position_embeddings=tokenizer.model_max_length,
                projection_dim=width,
                bos_token_id=tokenizer.convert_tokens_to_ids(START),  # pyright: ignore[reportArgumentType]
                eos_token_id=tokenizer.convert_tokens_to_ids(END),  # pyright: ignore[reportArgumentType]
                pad_token_id=tokenizer.convert_tokens_to_ids(END),  # pyright: ignore[reportArgumentType]
            )
        )


def new_unet(
    seed: int,
    latent_channels: int,
    latent_size: tuple[int, int],
    size: NewSize = "small",
    note_channels: int = 0,
    text_width: int = 128,
) -> UNet2DConditionModel:
    """Return a denoiser for latents of this height and width: tiny has 3 million parameters, small 10, medium 20.

    Besides the latent it takes `note_channels` channels of a piano roll; their kernels start at zero.

    Cross-attention is in the two lower levels on the way down and in the lowest on the way up; in the middle level on
    the way up it would cost a third of the speed. A vector pooled from the prompt's tokens is also added to the time
    embedding, through a last layer that starts at zero.
    """
    channels = {"tiny": (32, 64, 96), "small": (64, 128, 192), "medium": (96, 192, 256)}[size]
    with _seeded(seed):
        unet = UNet2DConditionModel(
            # a pair only if needed, as some diffusers pipelines take only a number
            sample_size=latent_size[0] if latent_size[0] == latent_size[1] else latent_size,
            in_channels=latent_channels + note_channels,
            out_channels=latent_channels,
            block_out_channels=channels,
            layers_per_block=1,
            cross_attention_dim=text_width,
            attention_head_dim=tuple(c // 32 for c in channels),  # pyright: ignore[reportArgumentType]
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
            addition_embed_type="text",
            addition_embed_type_num_heads=text_width // 32,
        )
    nn.init.zeros_(unet.get_submodule("add_embedding").get_submodule("norm2").get_parameter("weight"))
    with torch.no_grad():
        unet.conv_in.weight[:, latent_channels:] = 0
    return unet


def new_mmdit(
    seed: int, latent_channels: int, latent_side: int, size: NewSize, text_width: int, pooled_width: int
) -> SD3Transformer2DModel:
    """Return a Stable Diffusion 3 transformer for square latents: tiny has 2 million parameters, small 14, medium 29.

    Its blocks start as identities (adaLN-Zero: Peebles & Xie 2023, arXiv 2212.09748, section 3.2), and queries and keys
    are normalised, as in version 3.5. It has positions for latents of up to four times the side.
    """
    width, layers = {"tiny": (128, 4), "small": (256, 6), "medium": (320, 8)}[size]
    with _seeded(seed):
        network = SD3Transformer2DModel(
            sample_size=latent_side, patch_size=2, pos_embed_max_size=2 * latent_side, qk_norm="rms_norm",
            in_channels=latent_channels, out_channels=latent_channels, num_layers=layers,
            attention_head_dim=64, num_attention_heads=width // 64, caption_projection_dim=width,
            joint_attention_dim=text_width, pooled_projection_dim=pooled_width,
        )  # fmt: skip
    for name, parameter in network.named_parameters():
        if ("norm" in name and ".linear." in name) or name.startswith("proj_out."):
            nn.init.zeros_(parameter)
    return network


def new_pixel_unet(seed: int, extent: tuple[int, int], size: NewSize = "small", channels: int = 3) -> UNet2DModel:
    """Return an unconditional denoiser of pictures or mels of this size, in the layout of diffusers' DDPMPipeline.

    Full resolution costs most, so it has few features there; models of mels, which have more cells, have half as many
    at all levels. Attention is used where the shorter side is at most 16 cells.
    """
    width = {"tiny": 16, "small": 32, "medium": 64}[size] // (1 if channels == 3 else 2)
    side = min(extent)
    levels = max(2, min(5, side.bit_length() - 3))
    features = tuple(width * min(4, 2**level) for level in range(levels))
    attends = [side >> level <= 16 for level in range(levels)]
    with _seeded(seed):
        return UNet2DModel(
            sample_size=side if extent[0] == extent[1] else extent,
            in_channels=channels,
            out_channels=channels,
            block_out_channels=features,
            layers_per_block=1,
            attention_head_dim=32,
            norm_num_groups=min(32, width),
            down_block_types=tuple("AttnDownBlock2D" if attend else "DownBlock2D" for attend in attends),
            up_block_types=tuple("AttnUpBlock2D" if attend else "UpBlock2D" for attend in reversed(attends)),
        )


def new_scheduler(objective: Objective = "v") -> DDIMScheduler | FlowMatchEulerDiscreteScheduler:
    """Return a new model's scheduler: Stable Diffusion's betas with trailing spacing, or flow matching."""
    if objective == "flow":
        return FlowMatchEulerDiscreteScheduler()
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="epsilon" if objective == "epsilon" else "v_prediction",
        timestep_spacing="trailing",
        set_alpha_to_one=True,
        steps_offset=1,
        clip_sample=False,
    )
