"""Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952): the base model, without the refiner.

A UNet on latents, conditioned on the second-to-last layers of two text encoders, concatenated, on a pooled embedding,
and on sizes: those of the picture itself, uncropped (section 2.2 of the paper).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.messages.message import say
from regrow.models.adapters.embedding_files import in_tokens, spelt
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
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
from regrow.models.folder import network_size, read_json
from regrow.models.model import Model
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import CLIP, Source

WORDS = ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2")


@register(
    "stable-diffusion-xl",
    "Stable Diffusion XL (StableDiffusionXLPipeline)",
    pipelines=(
        "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
        "StableDiffusionXLInstructPix2PixPipeline",
    ),
    parts={"unet": ("UNet2DConditionModel",), "text_encoder_2": ("CLIPTextModelWithProjection",)},
    folders=("unet", "vae", *WORDS),
)
class StableDiffusionXL(Model):
    """See `Model`. Its parts are `unet`, `vae`, and two of `text_encoder` and `tokenizer` each."""

    shares_attention = True
    trainable = False
    lora_pipeline = "StableDiffusionXLPipeline"
    embedding_encoders = MappingProxyType(
        {"clip_l": ("tokenizer", "text_encoder"), "clip_g": ("tokenizer_2", "text_encoder_2")}
    )

    @classmethod
    def open(cls, source: Source) -> "StableDiffusionXL":
        if not source.has("text_encoder"):
            raise ModelError(say("sdxl_refiner_alone", folder=source.folder))
        unet_config_file = source.folder / "unet" / "config.json"
        if read_json(unet_config_file).get("addition_embed_type") != "text_time":
            raise ModelError(say("sdxl_without_sizes", file=unet_config_file))
        if (source.index or {}).get("is_cosxl_edit"):
            raise ModelError(say("sdxl_is_cosxl", file=source.index_file))
        height, width = network_size(unet_config_file, "addition_embed_type", "time_cond_proj_dim")
        kind = kind_of(unet_config_file, cls, StableDiffusionXLInpainting, XLInstructPix2Pix)
        schedule, prediction_type, scheduler_file = source.schedule()
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", CLIP),
                "tokenizer_2": source.tokenizer("tokenizer_2", CLIP),
                "text_encoder": source.part("text_encoder", "transformers", "CLIPTextModel"),
                "text_encoder_2": source.part("text_encoder_2", "transformers", "CLIPTextModelWithProjection"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "unet": source.part("unet", "diffusers", "UNet2DConditionModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = Autoencoder(parts, "vae", rounds=True, upcasts=True)
        if checked is None:
            _check_parts(source, codec, channels_of(kind, codec.latent_channels))
            source.remember(parts, files)
        return kind(
            name=source.name,
            folder=source.folder,
            family="stable-diffusion-xl",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(height * codec.factor, width * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            # sizes are part of the graph, so each size needs its own
            network_multiple=0,
            **sampling_of(kind, parts, scheduler_file),
        )

    @property
    def guidance_is_input(self) -> bool:
        return takes_guidance(self.parts)

    def condition(self, prompts: Sequence[str]) -> Condition:
        prompts = spelt(self.embeddings, prompts)
        tokens_of = in_tokens(self.embeddings, prompts, self.tokenizer)
        warn_of_cut_words(self.name, self.tokenizer, tokens_of, self.tokenizer.model_max_length)
        pipeline = prompt_pipeline("StableDiffusionXLPipeline", self.parts, WORDS)
        with torch.no_grad():
            tokens, _, pooled, _ = pipeline.encode_prompt(
                prompts, device=self.device, do_classifier_free_guidance=False
            )
        return without_guidance(self, Condition(tokens, extra={"pooled": pooled}))

    def unconditional(self, count: int) -> Condition:
        """Return zeros; if `force_zeros_for_empty_prompt` in the index is false, encode the empty prompt."""
        empty = self.condition([""] * count)
        if not read_json(self.folder / "model_index.json").get("force_zeros_for_empty_prompt", True):
            return empty
        tokens, pooled = (torch.zeros_like(tensor) for tensor in (empty.tokens, empty.extra["pooled"]))
        return replace(empty, tokens=tokens, extra={**empty.extra, "pooled": pooled})

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        height, width = self.codec.extent_of(x_t.shape[2:])
        sizes = torch.tensor([[height, width, 0, 0, height, width]], dtype=x_t.dtype, device=x_t.device)
        added: dict[str, Any] = {
            "text_embeds": condition.extra["pooled"].to(x_t),
            "time_ids": sizes.expand(x_t.shape[0], -1),  # not len, which tracing would fix
        }
        given = guidance_vector(self, condition)
        return self.parts["unet"](x_t, labels, condition.tokens.to(x_t), given, added_cond_kwargs=added).sample


@dataclass(eq=False, kw_only=True)
class StableDiffusionXLInpainting(Inpainting, StableDiffusionXL):
    """See `StableDiffusionXL` and `Inpainting`."""


@dataclass(eq=False, kw_only=True)
class XLInstructPix2Pix(Instructed, StableDiffusionXL):
    """See `StableDiffusionXL` and `Instructed`."""


def _check_parts(source: Source, codec: Autoencoder, beside: int) -> None:
    parts, folder = codec.parts, source.folder
    unet, first, second = (parts.config(name) for name in ("unet", "text_encoder", "text_encoder_2"))
    source.check_channels("unet", unet, codec.latent_channels, beside)
    words = first["hidden_size"] + second["hidden_size"]
    if unet["cross_attention_dim"] != words:
        raise ModelError(say("sdxl_text_vectors_differ", folder=folder, read=unet["cross_attention_dim"], made=words))
    added = second["projection_dim"] + 6 * unet["addition_time_embed_dim"]
    if unet["projection_class_embeddings_input_dim"] != added:
        raise ModelError(
            say(
                "sdxl_pooled_words_differ",
                folder=folder,
                taken=unet["projection_class_embeddings_input_dim"],
                usual=added,
            )
        )
