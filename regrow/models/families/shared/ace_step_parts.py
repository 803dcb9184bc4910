"""Encode songs and melodies with the parts of ACE-Step 1.5, and check that the parts belong together."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.messages.message import say
from regrow.models.codecs.wave import WaveCodec
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.own_settings import OwnSettings
from regrow.models.parts import Parts
from regrow.models.pipelines import prompt_pipeline
from regrow.models.song import split_song
from regrow.models.source import Source

COVERS = ("audio_tokenizer", "audio_token_detokenizer")
NULL = "null_condition_emb"
STYLE_TOKENS, LYRICS_TOKENS = 256, 2048
"""Tokens that are read, as ACE-Step 1.5 was trained."""


@torch.no_grad()
def encoded_song(
    parts: Parts, name: str, prompt: str, task: str, seconds: float, reference: Float[Tensor, "1 c n"]
) -> Condition:
    """Encode one song by diffusers' own templates and the checkpoint's text and condition encoders.

    Args:
        parts: the checkpoint's parts.
        name: name of the model, for a warning about truncated text.
        prompt: a style, or a song (`models.song`).
        task: the task, whose instruction comes first.
        seconds: duration; the text holds it in whole seconds.
        reference: latents of a sound with the wanted timbre.
    """
    from diffusers.pipelines.ace_step.pipeline_ace_step import TASK_INSTRUCTIONS

    style, song = split_song(prompt)
    pipeline = prompt_pipeline("AceStepPipeline", parts, ("tokenizer", "text_encoder"))
    said: dict[str, Any] = {
        "prompt": style,
        "lyrics": song.lyrics,
        "vocal_language": song.sung_in,
        "audio_duration": seconds,
        "instruction": TASK_INSTRUCTIONS[task],
        "bpm": song.bpm or None,
        "keyscale": song.key or None,
        "timesignature": song.time_signature or None,
    }
    _warn_of_cut_words(name, pipeline, said)
    text, text_mask, lyrics, lyrics_mask = pipeline.encode_prompt(
        device=parts.device, max_text_length=STYLE_TOKENS, max_lyric_length=LYRICS_TOKENS, **said
    )
    tokens, _ = parts["condition_encoder"](
        text,
        text_mask,
        lyrics,
        lyrics_mask,
        reference.transpose(1, 2).to(text),
        torch.zeros(1, dtype=torch.long, device=text.device),
    )
    return Condition(tokens)


def three_parts(wave: Float[Tensor, "channels n"], samples: int) -> Float[Tensor, "channels samples"]:
    """Return `samples` samples from beginning, middle and end of a wave, repeated if it is too short."""
    wave, part = wave.repeat(1, math.ceil(samples / wave.shape[-1])), samples // 3
    starts = (0, wave.shape[-1] // 3, wave.shape[-1] - part)
    return torch.cat([wave[:, start : start + part] for start in starts], 1)


def require_covers(parts: Parts, name: str) -> None:
    """Raise a ValueError if a checkpoint lacks the parts that encode a melody."""
    if missing := [part for part in COVERS if part not in parts]:
        raise ValueError(say("no_parts_for_melody", name=name, missing=", ".join(missing)))


@torch.no_grad()
def through_tokens(parts: Parts, latents: Float[Tensor, "1 c n"]) -> Float[Tensor, "1 c n"]:
    """Encode latents as 5 semantic tokens per second, and decode these to latents."""
    first, second = (parts[name] for name in COVERS)
    each = latents.transpose(1, 2).to(parts.device, parts.dtype)
    tokens, _ = first.tokenize(each, parts["condition_encoder"].silence_latent)
    return second(tokens)[:, : latents.shape[-1]].transpose(1, 2).to(latents)


def without_padding(condition: Condition) -> Iterator[tuple[list[int], Float[Tensor, "rows tokens d"]]]:
    """Yield rows with equal numbers of tokens together with their tokens, without padding.

    A single token is repeated to the longest row's length: attention to its copies equals attention to itself.
    """
    tokens, mask = condition.tokens, condition.mask
    lengths = [tokens.shape[1]] * len(tokens) if mask is None else mask.sum(1).tolist()
    single = torch.tensor([length == 1 for length in lengths], device=tokens.device)
    tokens = torch.where(single[:, None, None], tokens[:, :1], tokens)
    lengths = [max(lengths) if length == 1 else length for length in lengths]
    for length in dict.fromkeys(lengths):
        rows = [i for i, other in enumerate(lengths) if other == length]
        yield rows, tokens[rows, :length]


def check_parts(source: Source, codec: WaveCodec, own: OwnSettings) -> None:
    parts, folder, latent = codec.parts, source.folder, codec.latent_channels
    network, encoder, text = (parts.config(name) for name in ("transformer", "condition_encoder", "text_encoder"))
    reads = network["encoder_hidden_size"] or network["hidden_size"]
    pairs = [
        ("vae", latent, "transformer", network["audio_acoustic_hidden_dim"]),
        ("vae", 3 * latent, "transformer", network["in_channels"]),
        ("vae", latent, "condition_encoder", encoder["timbre_hidden_dim"]),
        ("text_encoder", text["hidden_size"], "condition_encoder", encoder["text_hidden_dim"]),
        ("condition_encoder", encoder["hidden_size"], "transformer", reads),
    ]
    if all(name in parts for name in COVERS):
        first, second = (parts.config(name) for name in COVERS)
        pairs += [
            ("vae", latent, COVERS[0], first["audio_acoustic_hidden_dim"]),
            (COVERS[0], first["fsq_dim"], COVERS[1], second["hidden_size"]),
            (COVERS[1], second["audio_acoustic_hidden_dim"], "vae", latent),
        ]
    for giver, made, taker, taken in pairs:
        if made != taken:
            raise ModelError(
                say("vectors_of_parts_differ", taker=taker, folder=folder, taken=taken, giver=giver, made=made)
            )
    if len(parts["tokenizer"]) > text["vocab_size"]:
        raise ModelError(
            say("tokens_beyond_text_encoder", folder=folder, count=len(parts["tokenizer"]), known=text["vocab_size"])
        )
    if own.is_guided and parts["condition_encoder"].null_condition_emb is None:
        raise ModelError(say("null_condition_missing", folder=folder, null=NULL))


def _warn_of_cut_words(name: str, pipeline: Any, said: dict[str, Any]) -> None:
    rooms = (("a style with its bpm, metre, key and duration", STYLE_TOKENS), ("lyrics", LYRICS_TOKENS))
    for (what, room), text in zip(rooms, pipeline._format_prompt(**said), strict=True):
        ids = pipeline.tokenizer(text, verbose=False).input_ids
        if len(ids) > room:
            cut = " ".join(pipeline.tokenizer.decode(ids[room:], skip_special_tokens=True).split())
            warnings.warn(say("text_was_cut", name=name, room=room, what=what, cut=cut), stacklevel=5)
