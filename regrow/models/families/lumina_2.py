"""Lumina-Image 2.0 (arXiv 2503.21758): a transformer on text and image tokens in one stream, which predicts the flow.

It reads the tokens of Gemma 2 for a prompt after a system prompt; negative prompts have no system prompt. Its time runs
from 0 (noise) to 1 (the picture), and it returns the velocity in that direction.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance, renormalised
from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import GEMMA, Source

TOKENS = 256
"""Tokens that are read, including those of the system prompt."""
START = " <Prompt Start> "
"""Separator between the system prompt and a prompt, as in the pipeline."""
OWN = OwnSettings(steps=30, guidance=4.0, solver="ddim")
"""The defaults of diffusers' Lumina2Pipeline."""


@register(
    "lumina-2",
    "Lumina-Image 2.0 (Lumina2Pipeline)",
    pipelines=("Lumina2Pipeline", "Lumina2Text2ImgPipeline"),
    parts={"transformer": ("Lumina2Transformer2DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class Lumina2(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    engine_graph = False  # positions are complex numbers that depend on the number of text tokens
    trainable = False
    lora_pipeline = "Lumina2Pipeline"

    @classmethod
    def open(cls, source: Source) -> "Lumina2":
        schedule, _, scheduler_file = source.schedule()
        if not isinstance(schedule, Flow):
            raise ModelError(say("lumina_needs_flow", file=scheduler_file))
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", GEMMA),
                "text_encoder": source.part("text_encoder", "transformers", "Gemma2Model"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "transformer": source.part("transformer", "diffusers", "Lumina2Transformer2DModel"),
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
            family="lumina-2",
            schedule=schedule,
            prediction_type="flow",
            size=(side, side),
            multiple=codec.factor * network["patch_size"],
            parts=parts,
            codec=codec,
            files=files,
            own=OWN,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("Lumina2Pipeline", self.parts, ("tokenizer", "text_encoder"))
        before = len(self.tokenizer(pipeline.system_prompt + START).input_ids)
        warn_of_cut_words(self.name, self.tokenizer, prompts, TOKENS - before + len(self.tokenizer("").input_ids))
        with torch.no_grad():
            tokens, mask, _, _ = pipeline.encode_prompt(
                list(prompts), False, device=self.device, max_sequence_length=TOKENS
            )
        return Condition(tokens, mask.bool())

    def unconditional(self, count: int) -> Condition:
        """Encode the empty prompt without the system prompt."""
        return self.negative([""] * count)

    def negative(self, prompts: Sequence[str]) -> Condition:
        """Encode negative prompts, without the system prompt."""
        warn_of_cut_words(self.name, self.tokenizer, prompts, TOKENS)
        pipeline = prompt_pipeline("Lumina2Pipeline", self.parts, ("tokenizer", "text_encoder"))
        with torch.no_grad():
            tokens, mask = pipeline.encode_prompt(
                list(prompts), True, list(prompts), device=self.device, max_sequence_length=TOKENS
            )[2:]
        return Condition(tokens, mask.bool())

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        return renormalised(pair, guidance, _lengths)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        velocity = self.parts["transformer"](
            x_t,
            encoder_hidden_states=condition.tokens.to(x_t),
            encoder_attention_mask=condition.mask,
            timestep=1 - labels / self.schedule.label(self.schedule.noisiest),
            return_dict=False,
        )[0]
        return -velocity


def _lengths(v: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y 1"]:
    """Return the norm of each row of each channel, as in the pipeline."""
    return torch.linalg.vector_norm(v, dim=-1, keepdim=True)


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts = codec.parts
    network, text = parts.config("transformer"), parts.config("text_encoder")
    returned = network["out_channels"] or network["in_channels"]
    source.check_channels("transformer", {**network, "out_channels": returned}, codec.latent_channels)
    check_words(source.folder, parts, "transformer", network["cap_feat_dim"], text["hidden_size"], text["vocab_size"])
