"""Sana and Sana 1.5 (Xie et al. 2024, arXiv 2410.10629): a transformer with linear attention, which predicts the flow.

One of its latents spans 32 pixels. It reads the tokens of Gemma 2 for a prompt after an instruction to enhance it: the
pipeline's "complex human instruction". Negative prompts have no instruction. Sana-Sprint has other levels, which are
not supported.
"""

import inspect
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import DEEP, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import GEMMA, Source

TOKENS = 300
"""Tokens that are read; after the instruction, all but two of them are for the prompt."""
OWN = OwnSettings(steps=20, guidance=4.5)
"""The defaults of diffusers' SanaPipeline."""


@register(
    "sana",
    "Sana, Sana 1.5 (SanaPipeline)",
    pipelines=("SanaPipeline", "SanaPAGPipeline"),
    parts={"transformer": ("SanaTransformer2DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class Sana(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    trainable = False
    lora_pipeline = "SanaPipeline"

    @classmethod
    def open(cls, source: Source) -> "Sana":
        scheduler_file = source.folder / "scheduler" / "scheduler_config.json"
        if read_json(scheduler_file).get("_class_name") == "SCMScheduler":
            raise ModelError(say("sana_sprint_trigflow", file=scheduler_file))
        schedule, _, _ = source.schedule()
        if not isinstance(schedule, Flow):
            raise ModelError(say("sana_needs_flow", file=scheduler_file))
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", GEMMA),
                "text_encoder": source.part("text_encoder", "transformers", "Gemma2Model"),
                "vae": source.part("vae", "diffusers", DEEP, channels_last=True),
                "transformer": source.part("transformer", "diffusers", "SanaTransformer2DModel"),
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
            family="sana",
            schedule=schedule,
            prediction_type="flow",
            size=(side, side),
            multiple=codec.factor * network["patch_size"],
            parts=parts,
            codec=codec,
            files=files,
            network_multiple=0,
            own=OWN,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        warn_of_cut_words(self.name, self.tokenizer, prompts, TOKENS - 2 + len(self.tokenizer("").input_ids))
        return self._encoded(prompts, instructed=True)

    def unconditional(self, count: int) -> Condition:
        """Encode the empty prompt without the instruction."""
        return self.negative([""] * count)

    def negative(self, prompts: Sequence[str]) -> Condition:
        """Encode negative prompts, without the instruction."""
        warn_of_cut_words(self.name, self.tokenizer, prompts, TOKENS)
        return self._encoded(prompts, instructed=False)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        return self.parts["transformer"](
            x_t,
            encoder_hidden_states=condition.tokens.to(x_t),
            encoder_attention_mask=condition.mask,
            timestep=labels * self.parts.config("transformer")["timestep_scale"],
            return_dict=False,
        )[0]

    @torch.no_grad()
    def _encoded(self, prompts: Sequence[str], instructed: bool) -> Condition:
        pipeline = prompt_pipeline("SanaPipeline", self.parts, ("tokenizer", "text_encoder"))
        instruction = inspect.signature(type(pipeline).__call__).parameters["complex_human_instruction"].default
        tokens, mask, _, _ = pipeline.encode_prompt(
            list(prompts),
            False,
            device=self.device,
            max_sequence_length=TOKENS,
            complex_human_instruction=instruction if instructed else None,
        )
        return Condition(tokens, mask.bool())


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts = codec.parts
    network, text = parts.config("transformer"), parts.config("text_encoder")
    if network["guidance_embeds"]:
        raise ModelError(say("sana_sprint_guidance", folder=source.folder))
    source.check_channels("transformer", network, codec.latent_channels)
    check_words(
        source.folder, parts, "transformer", network["caption_channels"], text["hidden_size"], text["vocab_size"]
    )
