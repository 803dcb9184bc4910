"""Stable Diffusion 1.x and 2.x (Rombach et al. 2022, arXiv 2112.10752), and small models of their layout.

A UNet on latents, conditioned on the last layer of a CLIP text encoder. The codec is AutoencoderKL or AutoencoderTiny.
Networks with extra input channels are inpainting checkpoints, or InstructPix2Pix (`picture_beside.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import torch
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor

from regrow.messages.message import say
from regrow.models.adapters.embedding_files import in_tokens
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.codecs.mel import MelFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.picture_beside import Inpainting, Instructed
from regrow.models.families.shared.unet_variants import (
    channels_of,
    guidance_vector,
    kind_of,
    sampling_of,
    takes_guidance,
    without_guidance,
)
from regrow.models.folder import mend, network_size, plain_json, reason
from regrow.models.model import Model
from regrow.models.parts import Parts
from regrow.models.pipelines import warn_of_cut_words
from regrow.models.probes.transcriber import FILE as TRANSCRIBER_FILE
from regrow.models.registry import register
from regrow.models.sidecars.mel_file import MEL_FILE, read_mel
from regrow.models.sidecars.piano_roll_file import PIANO_ROLL_FILE, read_piano_roll
from regrow.models.source import CLIP, Source

PROBES = ("", "a cat, on a beach", "An Orange CAT's hat!", "沙滩上的橘猫", "zxqj 12 naïve")
"""Texts on which the bare tokenizer file must agree with transformers' tokenizer made from it."""


PIPELINES = (
    "StableDiffusionPipeline",
    "StableDiffusionImg2ImgPipeline",
    "StableDiffusionInpaintPipeline",
    "StableDiffusionInstructPix2PixPipeline",
    "LatentConsistencyModelPipeline",
    "LatentConsistencyModelImg2ImgPipeline",
)


@register(
    "stable-diffusion",
    "Stable Diffusion 1.x and 2.x (StableDiffusionPipeline)",
    pipelines=PIPELINES,
    folders=("unet", "vae", "text_encoder", "tokenizer"),
    short="sd",
)
class StableDiffusion(Model):
    """See `Model`. Its parts are `unet`, `vae`, `text_encoder` and `tokenizer`."""

    shares_attention = True
    encodes_tokens_alone = True
    lora = True
    lora_pipeline = "StableDiffusionPipeline"
    embedding_encoders = MappingProxyType({"clip_l": ("tokenizer", "text_encoder")})
    new_objectives = ("v", "epsilon", "flow")
    new_media = ("picture", "sound")

    @classmethod
    def write_new(cls, folder: Path, **settings: Any) -> None:
        from regrow.models.saving import write_new

        write_new(folder, **settings)

    @classmethod
    def open(cls, source: Source) -> Self:
        folder = source.folder
        kind = _kind(cls, folder)
        height, width = network_size(folder / "unet" / "config.json", "time_cond_proj_dim")
        schedule, prediction_type, scheduler_file = source.schedule()
        piano_roll = read_piano_roll(folder)
        sidecars = [path for path in (folder / MEL_FILE,) if path.is_file()]
        if piano_roll is not None:
            sidecars += [folder / PIANO_ROLL_FILE, *(p for p in (folder / TRANSCRIBER_FILE,) if p.is_file())]
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", CLIP),
                "text_encoder": source.part("text_encoder", "transformers", "CLIPTextModel"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),  # codec 1.7 times as fast
                "unet": source.part("unet", "diffusers", "UNet2DConditionModel"),
            },
            (source.index_file, scheduler_file, *sidecars),
        )
        codec = Autoencoder(parts, "vae", rounds=True)
        factor = codec.factor
        size = (height * factor, width * factor)
        mel = read_mel(folder, parts.config("vae")["in_channels"], size)
        codec.rounds = mel is None
        if checked is None:
            note_channels = piano_roll.channels(factor) if piano_roll else 0
            more = channels_of(kind, codec.latent_channels) or note_channels
            _check_parts(source, note_channels, more, parts)
            tokenizer = parts["tokenizer"]
            room = min(tokenizer.model_max_length, parts.config("text_encoder")["max_position_embeddings"])
            source.remember(parts, files, plain_tokenizer=_agrees(folder, tokenizer), room=room)
        return kind(
            name=source.name,
            folder=folder,
            family="stable-diffusion",
            schedule=schedule,
            prediction_type=prediction_type,
            size=size,
            multiple=factor,
            parts=parts,
            codec=codec,
            files=files,
            network_multiple=2 ** (len(parts.config("unet")["block_out_channels"]) - 1),
            waves=None if mel is None else MelFrames(mel),
            piano_roll=piano_roll,
            **sampling_of(kind, parts, scheduler_file),
        )

    @property
    def _room(self) -> int:
        """Most tokens of a prompt, including its start and end."""
        if "room" in self.parts.facts:
            return self.parts.facts["room"]
        return min(self.tokenizer.model_max_length, self.parts.config("text_encoder")["max_position_embeddings"])

    @cached_property
    def _plain(self) -> Tokenizer | None:
        """The tokenizer without transformers, which takes seconds to import; None if the two differ."""
        return _plain_tokenizer(self.folder) if self.parts.facts.get("plain_tokenizer") else None

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return token ids, cut and padded to the text encoder's length; cut words are named in a warning."""
        return self._tokenized(prompts)["input_ids"]

    @property
    def guidance_is_input(self) -> bool:
        return takes_guidance(self.parts)

    def condition(self, prompts: Sequence[str]) -> Condition:
        return without_guidance(self, self._encoded(prompts))

    def _encoded(self, prompts: Sequence[str]) -> Condition:
        tokenized = self._tokenized(prompts)
        ids = tokenized["input_ids"].to(self.device)
        if self.engine and not self._masks:
            tokens = self.engine.encoded_words(ids)
            if tokens is not None:
                return Condition(tokens)
        mask = tokenized["attention_mask"].to(self.device) if self._masks else None
        with torch.no_grad():
            return Condition(self.parts["text_encoder"](ids, attention_mask=mask).last_hidden_state)

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        return Condition(self.parts["text_encoder"](ids).last_hidden_state)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        given = guidance_vector(self, condition)
        return self.parts["unet"](x_t, labels, condition.tokens.to(x_t), timestep_cond=given).sample

    @property
    def _masks(self) -> bool:
        return bool(self.parts.config("text_encoder").get("use_attention_mask", False))

    def _tokenized(self, prompts: Sequence[str]) -> Mapping[str, Tensor]:
        length = self._room
        if self._plain and not self.embeddings and "tokenizer" not in self.parts.opened:
            rows = [self._plain.encode(prompt).ids for prompt in prompts]
            if all(len(row) <= length for row in rows):
                padding = rows[0][-1]  # CLIP pads with the end token; otherwise `_agrees` is False
                ids = torch.tensor([row + [padding] * (length - len(row)) for row in rows])
                return {"input_ids": ids}
        prompts = in_tokens(self.embeddings, prompts, self.tokenizer)
        warn_of_cut_words(self.name, self.tokenizer, prompts, length)
        return self.tokenizer(prompts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")


@dataclass(eq=False, kw_only=True)
class StableDiffusionInpainting(Inpainting, StableDiffusion):
    """See `StableDiffusion` and `Inpainting`."""


@dataclass(eq=False, kw_only=True)
class InstructPix2Pix(Instructed, StableDiffusion):
    """See `StableDiffusion` and `Instructed`."""


def _kind(plain: Any, folder: Path) -> Any:
    """Return the class that opens a folder, by the channels of its network."""
    if plain is not StableDiffusion or (folder / PIANO_ROLL_FILE).is_file():
        return plain
    return kind_of(folder / "unet" / "config.json", plain, StableDiffusionInpainting, InstructPix2Pix)


def _plain_tokenizer(folder: Path) -> Tokenizer | None:
    file = folder / "tokenizer" / "tokenizer.json"
    if not file.is_file():
        return None
    try:
        with plain_json(file.parent) as readable:
            return Tokenizer.from_file(str(readable / file.name))
    except Exception as error:  # the library raises plain Exception
        raise ModelError(say("tokenizer_not_made", folder=file, reason=reason(error), mend=mend(file))) from error


def _agrees(folder: Path, tokenizer: Any) -> bool:
    """Return whether the bare tokenizer file gives the same tokens as transformers, including padding."""
    plain = _plain_tokenizer(folder)
    if plain is None or tokenizer.pad_token_id != tokenizer.eos_token_id:
        return False
    return all(plain.encode(text).ids == tokenizer(text).input_ids for text in PROBES)


def _check_parts(source: Source, note_channels: int, more: int, parts: Parts) -> None:
    folder, words = source.folder, len(parts["tokenizer"])
    unet, codec, text_encoder = (parts.config(name) for name in ("unet", "vae", "text_encoder"))
    beside = say("piano_roll_says_more", file=PIANO_ROLL_FILE, count=note_channels) if note_channels else ""
    source.check_channels("unet", unet, codec["latent_channels"], more, beside)
    if unet["cross_attention_dim"] != text_encoder["hidden_size"]:
        raise ModelError(
            say(
                "unet_text_vectors_differ",
                folder=folder,
                read=unet["cross_attention_dim"],
                made=text_encoder["hidden_size"],
            )
        )
    if words > text_encoder["vocab_size"]:
        raise ModelError(say("tokens_beyond_encoder", folder=folder, count=words, known=text_encoder["vocab_size"]))
