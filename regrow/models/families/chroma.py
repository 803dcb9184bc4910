"""Chroma (lodestones, no paper): FLUX.1 [schnell] made smaller and de-distilled, which predicts the flow.

It reads T5's tokens only. Their mask is added to the attention logits, as diffusers does it, so that padding counts
less, but still counts.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.shift_by_size import SIDE, LevelsBySize, check_shift
from regrow.models.folder import read_json
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import T5, Source

TOKENS = 512
OWN = OwnSettings(steps=40, guidance=3.0, solver="ddim")
"""From the card of lodestones/Chroma1-HD."""


@register(
    "chroma",
    "Chroma (ChromaPipeline)",
    pipelines=("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
    parts={"transformer": ("ChromaTransformer2DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class Chroma(LevelsBySize):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    engine_graph = False  # tracing fixes the batch size in its modulations
    trainable = False
    lora_pipeline = "ChromaPipeline"

    @classmethod
    def open(cls, source: Source) -> "Chroma":
        schedule, _, scheduler_file = source.schedule(by_size=True)
        if not isinstance(schedule, Flow):
            raise ModelError(say("chroma_needs_flow", file=scheduler_file))
        check_shift(read_json(scheduler_file), scheduler_file)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", T5),
                "text_encoder": source.part("text_encoder", "transformers", "T5EncoderModel"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "transformer": source.part("transformer", "diffusers", "ChromaTransformer2DModel"),
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
            family="chroma",
            schedule=schedule,
            prediction_type="flow",
            size=(side, side),
            multiple=SIDE * codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            own=OWN,
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        warn_of_cut_words(self.name, self.tokenizer, prompts, TOKENS)
        pipeline = prompt_pipeline("ChromaPipeline", self.parts, ("tokenizer", "text_encoder"))
        with torch.no_grad():
            tokens, _, mask, *_ = pipeline.encode_prompt(
                list(prompts), device=self.device, do_classifier_free_guidance=False, max_sequence_length=TOKENS
            )
        return Condition(tokens, mask.bool())

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        assert condition.mask is not None, "see `condition`"
        height, width = (side // SIDE for side in x_t.shape[2:])
        latents = nn.functional.pixel_unshuffle(x_t, SIDE).flatten(2).transpose(1, 2)
        # in float32, as bfloat16 cannot represent 257
        places = torch.zeros(height, width, 3, device=x_t.device)
        places[..., 1] += torch.arange(height, device=x_t.device)[:, None]
        places[..., 2] += torch.arange(width, device=x_t.device)
        velocity = self.parts["transformer"](
            latents,
            encoder_hidden_states=condition.tokens.to(x_t),
            timestep=labels / self.schedule.label(self.schedule.noisiest),
            img_ids=places.flatten(0, 1),
            txt_ids=torch.zeros(condition.tokens.shape[1], 3, device=x_t.device),
            attention_mask=torch.cat([condition.mask.to(x_t), torch.ones_like(latents[..., 0])], 1),
            return_dict=False,
        )[0]
        return nn.functional.pixel_shuffle(velocity.transpose(1, 2).unflatten(2, (height, width)), SIDE)


def _check_parts(source: Source, codec: Autoencoder) -> None:
    parts = codec.parts
    network, text = parts.config("transformer"), parts.config("text_encoder")
    returned = network["patch_size"] ** 2 * (network["out_channels"] or network["in_channels"])
    packed = {"in_channels": network["in_channels"], "out_channels": returned}
    source.check_channels("transformer", packed, SIDE**2 * codec.latent_channels, why=" in 2 x 2 cells")
    reads = network["joint_attention_dim"]
    check_words(source.folder, parts, "transformer", reads, text["d_model"], text["vocab_size"])
