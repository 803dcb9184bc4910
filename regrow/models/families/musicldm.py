"""MusicLDM (Chen et al. 2023, arXiv 2308.01546): AudioLDM's layout, trained on music, with a complete CLAP."""

from collections.abc import Sequence

import torch

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.models.condition import Condition
from regrow.models.families.audioldm import VocodedModel
from regrow.models.pipelines import warn_of_cut_words
from regrow.models.registry import register


@register(
    "musicldm",
    "MusicLDM (MusicLDMPipeline)",
    pipelines=("MusicLDMPipeline",),
    parts={"unet": ("UNet2DConditionModel",), "text_encoder": ("ClapModel",), "vocoder": ("SpeechT5HifiGan",)},
    folders=("unet", "vae", "vocoder", "tokenizer", "text_encoder"),
    medium=SOUND,
)
class MusicLDM(VocodedModel):
    """See `VocodedModel`."""

    FAMILY = "musicldm"

    def condition(self, prompts: Sequence[str]) -> Condition:
        tokenizer, length = self.tokenizer, self.tokenizer.model_max_length
        warn_of_cut_words(self.name, tokenizer, prompts, length)
        ids = tokenizer(
            list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        ).to(self.device)
        # the deprecated pipeline's encoding fails with transformers 5, where these features are an object, not a tensor
        with torch.no_grad():
            features = self.parts["text_encoder"].get_text_features(ids.input_ids, attention_mask=ids.attention_mask)
        return Condition(features.pooler_output[:, None])
