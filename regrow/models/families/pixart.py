"""PixArt-alpha (Chen et al. 2023, arXiv 2310.00426) and PixArt-Sigma (2024, arXiv 2403.04692).

A transformer on latents predicts the noise and, in further channels, its variance, which is not used. It reads T5's
tokens. PixArt-alpha for 1024 pixels is also conditioned on the size of the picture and its aspect ratio.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import T5, Source

PIPELINES = {"PixArtSigmaPipeline": 300, "PixArtAlphaPipeline": 120}
"""Tokens that each pipeline reads."""
CONDITIONED = 128
"""Latents along a side for which a network is conditioned on sizes if its config does not say, as in diffusers."""
OWN = OwnSettings(steps=20, guidance=4.5)
"""The defaults of diffusers' PixArtSigmaPipeline and PixArtAlphaPipeline."""


@register(
    "pixart",
    "PixArt-alpha, PixArt-Sigma (PixArtAlphaPipeline, PixArtSigmaPipeline)",
    pipelines=tuple(PIPELINES),
    parts={"transformer": ("PixArtTransformer2DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class PixArt(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    trainable = False

    @classmethod
    def open(cls, source: Source) -> "PixArt":
        schedule, prediction_type, scheduler_file = source.schedule()
        kind = "PixArtTransformer2DModel"
        source.class_of("transformer", kind, "Transformer2DModel")  # the latter is its name in files from before 2024
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", T5),
                "text_encoder": source.part("text_encoder", "transformers", "T5EncoderModel"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "transformer": source.network("diffusers", kind, "transformer"),
            },
            (source.index_file, scheduler_file),
        )
        codec = Autoencoder(parts, "vae", rounds=True)
        network = parts.config("transformer")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        side = network["sample_size"] * codec.factor
        return cls(
            name=source.name,
            folder=source.folder,
            family="pixart",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(side, side),
            multiple=codec.factor * network["patch_size"],
            parts=parts,
            codec=codec,
            files=files,
            # positions depend on the size, so each size needs its own graph
            network_multiple=0,
            own=OWN,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        kind = _pipeline(self.folder)
        warn_of_cut_words(self.name, self.tokenizer, prompts, PIPELINES[kind])
        pipeline = prompt_pipeline(kind, self.parts, ("tokenizer", "text_encoder"))
        with torch.no_grad():
            tokens, mask, _, _ = pipeline.encode_prompt(list(prompts), False, device=self.device)
        return Condition(tokens, mask.bool())

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        config = self.parts.config("transformer")
        added: dict[str, Any] = {"resolution": None, "aspect_ratio": None}
        if config["use_additional_conditions"] or (
            config["use_additional_conditions"] is None and config["sample_size"] == CONDITIONED
        ):
            height, width = self.codec.extent_of(x_t.shape[2:])
            sizes = torch.tensor([[height, width]], dtype=x_t.dtype, device=x_t.device).expand(x_t.shape[0], -1)
            added = {"resolution": sizes, "aspect_ratio": sizes[:, :1] / sizes[:, 1:]}
        noise_and_spread = self.parts["transformer"](
            x_t,
            encoder_hidden_states=condition.tokens.to(x_t),
            encoder_attention_mask=condition.mask,
            timestep=labels,
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return noise_and_spread[:, : self.latent_channels]


def _pipeline(folder: Path) -> str:
    """Return the pipeline class that encodes a folder's prompts: Sigma's, unless the folder names Alpha's."""
    kind = read_json(folder / "model_index.json").get("_class_name")
    return kind if kind in PIPELINES else next(iter(PIPELINES))


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts = codec.parts
    network, text = parts.config("transformer"), parts.config("text_encoder")
    taken, returned = network["in_channels"], network["out_channels"] or network["in_channels"]
    spreads = {**network, "out_channels": returned // 2 if returned == 2 * taken else returned}
    source.check_channels("transformer", spreads, codec.latent_channels)
    reads = network["caption_channels"] or network["cross_attention_dim"]
    check_words(source.folder, parts, "transformer", reads, text["d_model"], text["vocab_size"])
