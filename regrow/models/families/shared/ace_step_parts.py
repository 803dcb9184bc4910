"""What the parts of ACE-Step 1.5 make of songs and melodies, and whether the parts are of one model."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

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
"""That are read, as ACE-Step 1.5 was trained."""


@torch.no_grad()
def encoded_song(
    parts: Parts, name: str, prompt: str, task: str, seconds: float, reference: Float[Tensor, "1 c n"]
) -> Condition:
    """Encode one song by diffusers' own templates and the checkpoint's text and condition encoders.

    Args:
        parts: of the checkpoint.
        name: of the model, for a warning of words that are cut.
        prompt: a style, or a song (`models.song`).
        task: whose instruction comes first.
        seconds: that it lasts; the text holds the whole ones.
        reference: latents of a sound of the timbre.
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
    """Return as many samples as asked for of beginning, middle and end of a wave, repeated where it is too short."""
    wave, part = wave.repeat(1, math.ceil(samples / wave.shape[-1])), samples // 3
    starts = (0, wave.shape[-1] // 3, wave.shape[-1] - part)
    return torch.cat([wave[:, start : start + part] for start in starts], 1)


def require_covers(parts: Parts, name: str) -> None:
    """Refuse a melody for a checkpoint without the parts that it goes through, by a ValueError."""
    if missing := [part for part in COVERS if part not in parts]:
        raise ValueError(
            f"{name} has no {' and no '.join(missing)}, which a melody goes through: leave the melody out, or take a "
            "checkpoint of ACE-Step 1.5 that has both."
        )


@torch.no_grad()
def through_tokens(parts: Parts, latents: Float[Tensor, "1 c n"]) -> Float[Tensor, "1 c n"]:
    """Return what is left of latents in 5 semantic tokens a second, as latents again."""
    first, second = (parts[name] for name in COVERS)
    each = latents.transpose(1, 2).to(parts.device, parts.dtype)
    tokens, _ = first.tokenize(each, parts["condition_encoder"].silence_latent)
    return second(tokens)[:, : latents.shape[-1]].transpose(1, 2).to(latents)


def without_padding(condition: Condition) -> Iterator[tuple[list[int], Float[Tensor, "rows tokens d"]]]:
    """Yield the rows of each number of tokens with these tokens alone.

    A row of one token goes with the longest rows, as copies of it: attention to them is attention to one.
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
                f"The {taker} in {folder} takes vectors of {taken} numbers where those of its {giver} are of {made}; "
                "the two are not of the same model."
            )
    if len(parts["tokenizer"]) > text["vocab_size"]:
        raise ModelError(
            f"The tokenizer in {folder} has {len(parts['tokenizer'])} tokens, but its text_encoder knows "
            f"{text['vocab_size']}; the two are not of the same model."
        )
    if own.is_guided and parts["condition_encoder"].null_condition_emb is None:
        raise ModelError(
            f"The condition_encoder in {folder} lacks {NULL}, which a model that is no turbo is guided away from: take "
            "the files of a base or SFT checkpoint."
        )


def _warn_of_cut_words(name: str, pipeline: Any, said: dict[str, Any]) -> None:
    rooms = (("a style with its bpm, metre, key and duration", STYLE_TOKENS), ("lyrics", LYRICS_TOKENS))
    for (what, room), text in zip(rooms, pipeline._format_prompt(**said), strict=True):
        ids = pipeline.tokenizer(text, verbose=False).input_ids
        if len(ids) > room:
            cut = " ".join(pipeline.tokenizer.decode(ids[room:], skip_special_tokens=True).split())
            warnings.warn(f"{name} reads {room} tokens of {what}; this was cut: {cut}", stacklevel=5)
