"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206): a transformer that predicts the flow.

It is conditioned on the tokens of three text encoders, and on the pooled embeddings of two of them. Any encoder may be
missing and is then replaced by zeros, as in training (section 5.3.3: each was left out at random).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from regrow.messages.message import say
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.picture_beside import Inpainting
from regrow.models.families.shared.unet_variants import channels_of, kind_of
from regrow.models.model import Model
from regrow.models.own_settings import SD3, SD3_5_LARGE, SD3_5_MEDIUM, OwnSettings
from regrow.models.pipelines import warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import CLIP, T5, Source
from regrow.models.vocabulary import WORDS_FILE

SD3_5_MEDIUM_LAYERS = 24
"""Layers of 3.5 medium; 3.5 large has 38."""
WORDS = ("tokenizer", "tokenizer_2", "tokenizer_3", "text_encoder", "text_encoder_2", "text_encoder_3")
CLIPS, ENCODERS = WORDS[3:5], WORDS[3:]
ROOM = 77
"""Tokens of CLIP's encoders, if both are missing."""
THIRD_LENGTH = 256
"""Tokens of the third encoder: the default of diffusers' pipeline."""


@register(
    "stable-diffusion-3",
    "Stable Diffusion 3 and 3.5 (StableDiffusion3Pipeline)",
    pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline"),
    parts={"transformer": ("SD3Transformer2DModel",)},
    folders=("transformer", "vae", *WORDS),
    short="sd3",
)
@dataclass(eq=False, kw_only=True)
class StableDiffusion3(Model):
    """See `Model`. Its parts are `transformer`, `vae`, and one to three of `text_encoder` and `tokenizer` each.

    Attributes:
        third_length: tokens of the third encoder, or of the zeros in its place: `max_sequence_length` in the index,
            named after an argument of diffusers' pipeline; published folders do not have it.
    """

    NETWORK = "transformer"
    lora_pipeline = "StableDiffusion3Pipeline"
    new_objectives = ("flow",)

    third_length: int = THIRD_LENGTH

    @classmethod
    def write_new(cls, folder: Path, **settings: Any) -> None:
        from regrow.models.saving import write_new_sd3

        fixed = ("objective", "mel", "piano_roll")  # this family has one value for each
        write_new_sd3(folder, **{name: value for name, value in settings.items() if name not in fixed})

    @classmethod
    def open(cls, source: Source) -> "StableDiffusion3":
        found, notes, third_length = {}, (), _third_length(source)
        if not any(source.has(place) for place in ENCODERS):
            raise ModelError(say("sd3_has_no_text_encoder", file=source.index_file))
        for place in CLIPS:
            if source.has(place):
                words = place.replace("text_encoder", "tokenizer")
                found[words] = source.tokenizer(words, CLIP)
                found[place] = source.part(place, "transformers", "CLIPTextModelWithProjection")
            else:
                number = "second" if place.endswith("2") else "first"
                notes += (say("sd3_text_encoder_missing", folder=source.folder, number=number),)
        if source.has("text_encoder_3"):
            found["tokenizer_3"] = source.tokenizer("tokenizer_3", T5)
            found["text_encoder_3"] = source.part("text_encoder_3", "transformers", "T5EncoderModel")
        elif third_length:  # unless the checkpoint was made without one
            notes += (say("sd3_third_encoder_missing", folder=source.folder),)
        found["vae"] = source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True)
        found["transformer"] = source.part("transformer", "diffusers", "SD3Transformer2DModel")
        schedule, prediction_type, scheduler_file = source.schedule()
        parts, files, checked = source.parts(found, (source.index_file, scheduler_file))
        codec = Autoencoder(parts, "vae", rounds=True)
        network = parts.config("transformer")
        kind = kind_of(source.folder / "transformer" / "config.json", cls, StableDiffusion3Inpainting, cls)
        if checked is None:
            _check_parts(source, codec, channels_of(kind, codec.latent_channels))
            source.remember(parts, files)
        side = network["sample_size"] * codec.factor
        return kind(
            name=source.name,
            folder=source.folder,
            family="stable-diffusion-3",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(side, side),
            multiple=codec.factor * network["patch_size"],
            longest=network["pos_embed_max_size"] * network["patch_size"] * codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            notes=notes,
            # positions are cut out of a table by the size, so each size needs its own graph
            network_multiple=0,
            third_length=third_length,
            own=_own(source.folder, network),
        )

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        # the adaLN weights of each layer start at zero, where an orthogonalised step would be too large
        added = (p for name, p in self.network.named_parameters() if "norm" in name and name.endswith("linear.weight"))
        return (self.network.proj_out.weight, *added)

    @property
    def tokenizer(self) -> Any:
        return self.parts[next(name for name in WORDS[:3] if name in self.parts)]

    @property
    def _clips(self) -> tuple[str, ...]:
        """The CLIP encoders that are present."""
        return tuple(name for name in CLIPS if name in self.parts)

    @property
    def _room(self) -> int:
        """Tokens that each of CLIP's encoders reads."""
        return self.tokenizer.model_max_length if self._clips else ROOM

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return the ids of all tokenizers, one after the other, cut and padded as in diffusers' pipeline."""
        room = self._room
        lengths = {"tokenizer": room, "tokenizer_2": room, "tokenizer_3": self.third_length}
        read = (
            self.parts[name](list(prompts), padding="max_length", max_length=n, truncation=True, return_tensors="pt")
            for name, n in lengths.items()
            if name in self.parts
        )
        return torch.cat([one.input_ids for one in read], 1)

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        room, network = self._room, self.parts.config("transformer")
        width, all_words = network["pooled_projection_dim"], network["joint_attention_dim"]
        read = [
            self.parts[name](part, output_hidden_states=True)
            for name, part in zip(self._clips, ids.split(room, 1), strict=False)
        ]
        empty = torch.zeros(len(ids), 0, device=self.device, dtype=self.dtype)
        words = torch.cat([one.hidden_states[-2] for one in read], -1) if read else empty[:, None].expand(-1, room, 0)
        pooled = torch.cat([one.text_embeds for one in read], -1) if read else empty
        # width of the missing first encoder, whose tokens are as wide as its pooled embedding
        before = width - pooled.shape[-1] if read and "text_encoder" not in self.parts else 0
        words = nn.functional.pad(words, (before, all_words - before - words.shape[-1]))
        pooled = nn.functional.pad(pooled, (before, width - before - pooled.shape[-1]))
        if "text_encoder_3" in self.parts:
            third = self.parts["text_encoder_3"](ids[:, len(read) * room :])[0]
        else:
            third = words.new_zeros(len(words), self.third_length, all_words)
        return Condition(torch.cat([words, third], 1), extra={"pooled": pooled})

    def condition(self, prompts: Sequence[str]) -> Condition:
        if "text_encoder_3" not in self.parts:
            warn_of_cut_words(self.name, self.tokenizer, prompts, self._room)
        return super().condition(prompts)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        pooled = condition.extra["pooled"].to(x_t)
        return self.parts["transformer"](x_t, condition.tokens.to(x_t), pooled, labels, return_dict=False)[0]


def _third_length(source: Source) -> int:
    length = (source.index or {}).get("max_sequence_length", THIRD_LENGTH)
    if not isinstance(length, int) or not 0 <= length <= 512:
        raise ModelError(say("max_sequence_length_wrong", file=source.index_file, length=length))
    return length


@dataclass(eq=False, kw_only=True)
class StableDiffusion3Inpainting(Inpainting, StableDiffusion3):
    """See `StableDiffusion3` and `Inpainting`."""

    new_objectives = ()


def _own(folder: Path, network: Mapping[str, Any]) -> OwnSettings:
    """Return its authors' sampling settings: 3.5 normalises queries and keys, and its large version is deeper."""
    if (folder / WORDS_FILE).is_file():  # regrow trained it
        return OwnSettings()
    if network.get("qk_norm") is None:
        return SD3
    return SD3_5_LARGE if network["num_layers"] > SD3_5_MEDIUM_LAYERS else SD3_5_MEDIUM


def _check_parts(source: Source, codec: Autoencoder, beside: int) -> None:
    parts, folder = codec.parts, source.folder
    network, clips = parts.config("transformer"), [parts.config(name) for name in CLIPS if name in parts]
    source.check_channels("transformer", network, codec.latent_channels, beside)
    pooled = sum(clip["projection_dim"] for clip in clips)
    if network["pooled_projection_dim"] < pooled or (len(clips) == 2 and network["pooled_projection_dim"] > pooled):
        raise ModelError(
            say("sd3_pooled_words_differ", folder=folder, read=network["pooled_projection_dim"], made=pooled)
        )
