"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206): a transformer that predicts the flow.

It is conditioned on the words of three text encoders, one after the other, and on pooled words of two of them. The
third encoder, T5, may be missing: its words are then zeros, as its authors trained for (section 5.3.3).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.pipelines import warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import CLIP, T5, Source

WORDS = ("tokenizer", "tokenizer_2", "tokenizer_3", "text_encoder", "text_encoder_2", "text_encoder_3")
THIRD_LENGTH = 256
"""The default of diffusers' pipeline."""


@register(
    "stable-diffusion-3",
    "Stable Diffusion 3 and 3.5 (StableDiffusion3Pipeline)",
    pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline"),
    parts={"transformer": ("SD3Transformer2DModel",)},
    folders=("transformer", "vae", *WORDS),
    short="sd3",
)
@dataclass(eq=False, kw_only=True)
class StableDiffusion3(Model):
    """See `Model`. Its parts are `transformer`, `vae`, and two or three of `text_encoder` and `tokenizer` each.

    Attributes:
        third_length: tokens of the third encoder, or zeros in its place. `max_sequence_length` in its index, which is
            an argument of diffusers' pipeline; published folders do not name it.
    """

    NETWORK = "transformer"
    lora_pipeline = "StableDiffusion3Pipeline"
    new_objectives = ("flow",)

    third_length: int = THIRD_LENGTH

    @classmethod
    def write_new(cls, folder: Path, **settings: Any) -> None:
        from regrow.models.saving import write_new_sd3

        fixed = ("objective", "mel", "piano_roll")  # of this family they have one value each
        write_new_sd3(folder, **{name: value for name, value in settings.items() if name not in fixed})

    @classmethod
    def open(cls, source: Source) -> "StableDiffusion3":
        found = {}
        for number in ("", "_2"):
            found[f"tokenizer{number}"] = source.tokenizer(f"tokenizer{number}", CLIP)
            place = f"text_encoder{number}"
            found[place] = source.part(place, "transformers", "CLIPTextModelWithProjection")
        notes, third_length = (), _third_length(source)
        if source.has("text_encoder_3"):
            found["tokenizer_3"] = source.tokenizer("tokenizer_3", T5)
            found["text_encoder_3"] = source.part("text_encoder_3", "transformers", "T5EncoderModel")
        elif third_length:  # it was trained with one
            notes = (f"{source.folder} has no third text encoder; long prompts are understood less well without it.",)
        found["vae"] = source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True)
        found["transformer"] = source.part("transformer", "diffusers", "SD3Transformer2DModel")
        schedule, prediction_type, scheduler_file = source.schedule()
        parts, files, checked = source.parts(found, (source.index_file, scheduler_file))
        codec = Autoencoder(parts, "vae", rounds=True)
        network = parts.config("transformer")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        side = network["sample_size"] * codec.factor
        return cls(
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
            # positions are cut out of a table by the size, so each takes its own graph
            network_multiple=0,
            third_length=third_length,
        )

    @property
    def text_encoders(self) -> Iterator[nn.Module]:
        yield from (self.parts[name] for name in WORDS if name.startswith("text") and name in self.parts)

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        # what the time and the words add to each layer begins at zero, where an orthogonalised step would be too large
        added = (p for name, p in self.network.named_parameters() if "norm" in name and name.endswith("linear.weight"))
        return (self.network.proj_out.weight, *added)

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b tokens"]:
        """Return the ids of all tokenizers, one after the other, cut and padded as in diffusers' pipeline."""
        room = self.tokenizer.model_max_length
        lengths = {"tokenizer": room, "tokenizer_2": room, "tokenizer_3": self.third_length}
        read = (
            self.parts[name](list(prompts), padding="max_length", max_length=n, truncation=True, return_tensors="pt")
            for name, n in lengths.items()
            if name in self.parts
        )
        return torch.cat([one.input_ids for one in read], 1)

    def encode_tokens(self, ids: Int[Tensor, "b tokens"]) -> Condition:
        room = self.tokenizer.model_max_length
        read = [
            self.parts[name](part, output_hidden_states=True)
            for name, part in zip(("text_encoder", "text_encoder_2"), ids.split(room, 1), strict=False)
        ]
        words = torch.cat([one.hidden_states[-2] for one in read], -1)
        if "text_encoder_3" in self.parts:
            third = self.parts["text_encoder_3"](ids[:, 2 * room :])[0]
        else:
            width = self.parts.config("transformer")["joint_attention_dim"]
            third = words.new_zeros(len(words), self.third_length, width)
        words = nn.functional.pad(words, (0, third.shape[-1] - words.shape[-1]))
        pooled = torch.cat([one.text_embeds for one in read], -1)
        return Condition(torch.cat([words, third], 1), extra={"pooled": pooled})

    def condition(self, prompts: Sequence[str]) -> Condition:
        if "text_encoder_3" not in self.parts:
            warn_of_cut_words(self.name, self.tokenizer, prompts, self.tokenizer.model_max_length)
        return super().condition(prompts)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        pooled = condition.extra["pooled"].to(x_t)
        return self.parts["transformer"](x_t, condition.tokens.to(x_t), pooled, labels, return_dict=False)[0]


def _third_length(source: Source) -> int:
    length = (source.index or {}).get("max_sequence_length", THIRD_LENGTH)
    if not isinstance(length, int) or not 0 <= length <= 512:
        raise ModelError(
            f"{source.index_file} says max_sequence_length {length!r}, but it must be a whole number from 0 to 512."
        )
    return length


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts, folder = codec.parts, source.folder
    network, first, second = (parts.config(name) for name in ("transformer", "text_encoder", "text_encoder_2"))
    source.check_channels("transformer", network, codec.latent_channels)
    pooled = first["projection_dim"] + second["projection_dim"]
    if network["pooled_projection_dim"] != pooled:
        raise ModelError(
            f"The transformer in {folder} reads pooled words of {network['pooled_projection_dim']} numbers, but its "
            f"text encoders make {pooled}; they are not of the same model."
        )
