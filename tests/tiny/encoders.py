"""Tokenizers, text encoders and picture codecs that tiny checkpoints share."""

from typing import Any

from checkpoints import PROMPT_TOKENS, livelier, tokenizer
from diffusers import AutoencoderKL
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Gemma2Config,
    Gemma2Model,
    GemmaTokenizer,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

FIRST_WIDTH, SECOND_WIDTH = 16, 24  # of the two CLIP encoders, unequal as in the published files


def second_tokenizer() -> CLIPTokenizer:
    """OpenCLIP's, which pads with token 0 instead of the end of text."""
    words = tokenizer()
    words.pad_token = "!"
    return words


def clip_with_projection(words: CLIPTokenizer, width: int, act: str) -> CLIPTextModelWithProjection:
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=PROMPT_TOKENS,
        projection_dim=width,
        hidden_act=act,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return livelier(CLIPTextModelWithProjection(config), 3.0)  # pyright: ignore[reportReturnType]


def t5_tokenizer(tokens: int) -> T5Tokenizer:
    """T5's three first tokens, one token a letter, and one for " cat"."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("▁cat", -3.0)]
    vocabulary += [(letter, -4.0) for letter in letters]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=tokens)


def t5_encoder(words: T5Tokenizer, width: int, feed_forward: str) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(words),
        d_model=width,
        d_kv=8,
        d_ff=2 * width,
        num_layers=2,
        num_heads=2,
        feed_forward_proj=feed_forward,
        pad_token_id=words.pad_token_id,
        eos_token_id=words.eos_token_id,
    )
    return T5EncoderModel(config)


def gemma_tokenizer(tokens: int = 24) -> GemmaTokenizer:
    """Gemma's special tokens, and one token a letter."""
    known = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *(chr(code) for code in range(ord("!"), ord("~") + 1))]
    vocab = {token: i for i, token in enumerate(known)}
    return GemmaTokenizer(vocab=vocab, merges=[], model_max_length=tokens)


def gemma2(words: GemmaTokenizer, width: int) -> Gemma2Model:
    config = Gemma2Config(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        query_pre_attn_scalar=8,
    )
    return livelier(Gemma2Model(config), 3.0)  # pyright: ignore[reportReturnType]


def qwen2_tokenizer() -> Qwen2Tokenizer:
    """One token a byte, and one for "cat"; it pads on the left, as Qwen3-Embedding's does."""
    tokens = [*sorted(ByteLevel.alphabet()), "ca", "cat", "<|endoftext|>"]
    merges = [("c", "a"), ("ca", "t")]
    return Qwen2Tokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges, padding_side="left")


def qwen3_encoder(words: Qwen2Tokenizer, width: int) -> Qwen3Model:
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=4096,
    )
    return livelier(Qwen3Model(config), 3.0)  # pyright: ignore[reportReturnType]


def picture_codec(**changes: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=16,
        force_upcast=True,
        **changes,
    )
