"""AudioLDM 2 (Liu et al. 2023, arXiv 2308.05734): AudioLDM's codec, and a UNet that attends to two sequences.

One is the output of a T5 encoder. The other is vectors that GPT-2 generates after CLAP's vector and T5's output, one by
one and without sampling. The variants for music and the large one have the same layout.

Each prompt is encoded by itself. diffusers pads a batch to its longest prompt, and pads or cuts a negative prompt to
the length of the prompt: GPT-2 counts the padding, so its vectors would depend on the other prompts.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.vocoder import VocoderCodec
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.audioldm import VocodedModel
from regrow.models.parts import Part
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import T5, Source

WORDS = ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2", "projection_model", "language_model")
GENERATED = 8
"""Vectors that GPT-2 generates if its config does not say: diffusers' default."""


@register(
    "audioldm2",
    "AudioLDM 2 (AudioLDM2Pipeline)",
    pipelines=("AudioLDM2Pipeline",),
    parts={"unet": ("AudioLDM2UNet2DConditionModel",)},
    folders=("unet", "vae", "vocoder", *WORDS),
    medium=SOUND,
)
class AudioLDM2(VocodedModel):
    """See `VocodedModel`."""

    FAMILY = "audioldm2"
    UNET = "AudioLDM2UNet2DConditionModel"
    FED = ""

    @classmethod
    def more_words(cls, source: Source) -> Mapping[str, Part]:
        # older folders name the class without generation; GPT2LMHeadModel opens its weights
        source.class_of("language_model", "GPT2LMHeadModel", "GPT2Model")
        return {
            "tokenizer_2": source.tokenizer("tokenizer_2", T5),
            "text_encoder_2": source.part("text_encoder_2", "transformers", "T5EncoderModel"),
            "projection_model": source.part("projection_model", "diffusers", "AudioLDM2ProjectionModel"),
            "language_model": source.network("transformers", "GPT2LMHeadModel", "language_model"),
        }

    @classmethod
    def check_words(cls, source: Source, codec: VocoderCodec) -> None:
        config = codec.parts.config
        clap, t5, gpt = (
            config(part)[width]
            for part, width in (
                ("text_encoder", "projection_dim"),
                ("text_encoder_2", "d_model"),
                ("language_model", "n_embd"),
            )
        )
        projection = config("projection_model")
        taken = tuple(projection[f"{name}_dim"] for name in ("text_encoder", "text_encoder_1", "langauge_model"))
        if taken != (clap, t5, gpt):
            raise ModelError(say("projection_parts_differ", folder=source.folder, taken=taken, given=(clap, t5, gpt)))
        blocks = config("unet")["cross_attention_dim"]
        for block in blocks if isinstance(blocks, list | tuple) else [blocks]:
            widths = block if isinstance(block, list | tuple) else [block]
            # in diffusers, a block's first two attentions read GPT-2's vectors, the others T5's
            wanted = [None if width is None else gpt if i < 2 else t5 for i, width in enumerate(widths)]
            if list(widths) != wanted:
                raise ModelError(say("unet_attention_differs", folder=source.folder, taken=list(widths), wanted=wanted))

    def condition(self, prompts: Sequence[str]) -> Condition:
        warn_of_cut_words(self.name, self.tokenizer, prompts, self.tokenizer.model_max_length)
        pipeline = prompt_pipeline("AudioLDM2Pipeline", self.parts, WORDS)
        count = self.parts.config("language_model").get("max_new_tokens") or GENERATED
        with torch.no_grad():
            encoded = (pipeline.encode_prompt([p], self.device, 1, False, max_new_tokens=count) for p in prompts)
            # a single prompt has no padding to mask
            each = [Condition(words, extra={"generated": generated}) for words, _, generated in encoded]
        return reduce(Condition.cat, each)

    def forward(
        self, x_t: Float[Tensor, "b c rows cells"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c rows cells"]:
        return self.parts["unet"](
            x_t.mT,
            labels,
            encoder_hidden_states=condition.extra["generated"].to(x_t),
            encoder_hidden_states_1=condition.tokens.to(x_t),
            encoder_attention_mask_1=condition.mask,
        ).sample.mT
