"""Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206): a transformer that predicts the flow.

It is conditioned on the words of three text encoders, one after the other, and on pooled words of two of them. The
third encoder, T5, may be missing: its words are then zeros, as its authors trained for (section 5.3.3).
"""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import CLIP, T5, Source

WORDS = ("tokenizer", "tokenizer_2", "tokenizer_3", "text_encoder", "text_encoder_2", "text_encoder_3")


@register(
    "stable-diffusion-3",
    "Stable Diffusion 3 and 3.5 (StableDiffusion3Pipeline)",
    pipelines=("StableDiffusion3Pipeline", "StableDiffusion3Img2ImgPipeline"),
    parts={"transformer": ("SD3Transformer2DModel",)},
    folders=("transformer", "vae", *WORDS),
)
class StableDiffusion3(Model):
    """See `Model`. Its parts are `transformer`, `vae`, and two or three of `text_encoder` and `tokenizer` each."""

    NETWORK = "transformer"
    trainable = False
    lora_pipeline = "StableDiffusion3Pipeline"

    @classmethod
    def open(cls, source: Source) -> "StableDiffusion3":
        found = {}
        for number in ("", "_2"):
            found[f"tokenizer{number}"] = source.tokenizer(f"tokenizer{number}", CLIP)
            place = f"text_encoder{number}"
            found[place] = source.part(place, "transformers", "CLIPTextModelWithProjection")
        notes = ()
        if source.has("text_encoder_3"):
            found["tokenizer_3"] = source.tokenizer("tokenizer_3", T5)
            found["text_encoder_3"] = source.part("text_encoder_3", "transformers", "T5EncoderModel")
        else:
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
            parts=parts,
            codec=codec,
            files=files,
            notes=notes,
            # positions are cut out of a table by the size, so each takes its own graph
            network_multiple=0,
        )

    @property
    def text_encoders(self) -> Iterator[nn.Module]:
        yield from (self.parts[name] for name in WORDS if name.startswith("text") and name in self.parts)

    def condition(self, prompts: Sequence[str]) -> Condition:
        names = WORDS
        if "text_encoder_3" not in self.parts:
            warn_of_cut_words(self.name, self.tokenizer, prompts, self.tokenizer.model_max_length)
            names = (*WORDS, "transformer")  # which says how long the zeros are that stand for T5's words
        pipeline = prompt_pipeline("StableDiffusion3Pipeline", self.parts, names)
        with torch.no_grad():
            tokens, _, pooled, _ = pipeline.encode_prompt(
                list(prompts), None, None, device=self.device, do_classifier_free_guidance=False
            )
        return Condition(tokens, extra={"pooled": pooled})

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        pooled = condition.extra["pooled"].to(x_t)
        return self.parts["transformer"](x_t, condition.tokens.to(x_t), pooled, labels, return_dict=False)[0]


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
