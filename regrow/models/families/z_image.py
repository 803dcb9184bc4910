"""Z-Image and Z-Image-Turbo (arXiv 2511.22699): a transformer on text and image tokens, which predicts the flow.

It reads a language model's tokens, without padding. Its time runs from 0 (noise) to 1 (the picture), and it returns the
velocity in that direction. diffusers' `guidance_scale` counts from the positive prompt, `v + scale (v - v_negative)`:
its 4 is 5 here.
"""

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_chat
from regrow.models.registry import register
from regrow.models.source import QWEN2, Source

TOKENS = 512
"""Tokens that are read, including those of the chat template."""
PATCH = 2
"""Patch size of the pipeline."""
BASE = OwnSettings(steps=50, guidance=5.0, solver="ddim")
"""From the card of Tongyi-MAI/Z-Image: 28 to 50 steps, a guidance_scale of 3 to 5, which is one more here."""
TURBO = OwnSettings(steps=8, guidance=1.0, solver="ddim", is_guided=False)
"""From the card of Tongyi-MAI/Z-Image-Turbo: 8 evaluations, a guidance_scale of 0."""
TURBO_SHIFT = 3.0
"""Shift of Turbo's scheduler; that of Z-Image is 6. Nothing else in the files tells the two apart."""


@register(
    "z-image",
    "Z-Image (ZImagePipeline)",
    pipelines=("ZImagePipeline", "ZImageImg2ImgPipeline"),
    parts={"transformer": ("ZImageTransformer2DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class ZImage(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    engine_graph = False  # prompts are lists of unequal lengths, and positions are complex numbers
    trainable = False
    lora_pipeline = "ZImagePipeline"

    @classmethod
    def open(cls, source: Source) -> "ZImage":
        schedule, _, scheduler_file = source.schedule()
        if not isinstance(schedule, Flow):
            raise ModelError(say("z_image_needs_flow", file=scheduler_file))
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", QWEN2._replace(chats=True)),
                "text_encoder": source.part("text_encoder", "transformers", "Qwen3Model", "Qwen3ForCausalLM"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "transformer": source.part("transformer", "diffusers", "ZImageTransformer2DModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = Autoencoder(parts, "vae", rounds=True)
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        side = parts.config("vae")["sample_size"]
        return cls(
            name=source.name,
            folder=source.folder,
            family="z-image",
            schedule=schedule,
            prediction_type="flow",
            size=(side, side),
            multiple=codec.factor * PATCH,
            parts=parts,
            codec=codec,
            files=files,
            own=TURBO if schedule.shift == TURBO_SHIFT else BASE,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        warn_of_cut_chat(self.name, self.tokenizer, prompts, TOKENS, partial(_chat, self.tokenizer))
        pipeline = prompt_pipeline("ZImagePipeline", self.parts, ("tokenizer", "text_encoder"))
        with torch.no_grad():
            each, _ = pipeline.encode_prompt(
                list(prompts), device=self.device, do_classifier_free_guidance=False, max_sequence_length=TOKENS
            )
        return reduce(Condition.cat, (Condition(tokens[None]) for tokens in each))

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        tokens, mask = condition.tokens.to(x_t), condition.mask
        words = [*tokens] if mask is None else [row[used] for row, used in zip(tokens, mask, strict=True)]
        assert isinstance(self.schedule, Flow)
        times = (self.schedule.labels - labels) / self.schedule.labels
        # each picture as a video of one frame
        velocities = self.parts["transformer"]([*x_t.unsqueeze(2)], times, words, patch_size=PATCH, return_dict=False)
        return -torch.stack(velocities[0]).squeeze(2)


def _chat(tokenizer: Any, prompt: str) -> str:
    """Return a prompt as a user's chat message, as in the pipeline."""
    messages = [{"role": "user", "content": prompt}]
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=True)


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts, folder = codec.parts, source.folder
    network, text = parts.config("transformer"), parts.config("text_encoder")
    if network["siglip_feat_dim"] is not None:
        raise ModelError(say("z_image_omni", folder=folder))
    if (PATCH, 1) not in zip(network["all_patch_size"], network["all_f_patch_size"], strict=False):
        raise ModelError(say("z_image_patches_differ", folder=folder, sizes=network["all_patch_size"], patch=PATCH))
    source.check_channels("transformer", {**network, "out_channels": network["in_channels"]}, codec.latent_channels)
    check_words(folder, parts, "transformer", network["cap_feat_dim"], text["hidden_size"], text["vocab_size"])
