"""FLUX.1 (Black Forest Labs 2024, no paper): a transformer that predicts the flow on cells of 2 x 2 latents.

It is conditioned on T5's tokens and CLIP's pooled embedding. [dev] takes guidance as an input, as it was distilled from
guided predictions: one evaluation per step. [schnell] has guidance in its weights. Levels are shifted to the noisy end
by the size of the picture, except for [schnell]. Fill and Kontext take a picture as input (`flux_picture.py`).
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import AUTOENCODERS, Autoencoder
from regrow.models.condition import GUIDANCE, Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.shift_by_size import SIDE, LevelsBySize, check_shift
from regrow.models.folder import read_json
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import CLIP, T5, Source

WORDS = ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2")
INSTRUCTED = ("FluxKontextPipeline", "FluxKontextInpaintPipeline")
"""Pipelines of checkpoints that edit by instruction; nothing else tells these from [dev]."""
CELLS = 128
"""Latents along a side if the codec's config has no size: `default_sample_size` of diffusers' FluxPipeline."""
TOKENS, TOKENS_OF_SCHNELL = 512, 256
"""Tokens of a prompt: `max_sequence_length` of FluxPipeline, and its value for [schnell] in diffusers' docs."""
DEV = OwnSettings(steps=28, guidance=3.5, solver="ddim")
"""The defaults of diffusers' FluxPipeline, which are those of [dev]."""
SCHNELL = OwnSettings(steps=4, guidance=1.0, solver="ddim", is_guided=False)
"""4 steps without guidance: the example of [schnell] in diffusers' FluxPipeline."""


@register(
    "flux",
    "FLUX.1 (FluxPipeline)",
    pipelines=("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline", "FluxFillPipeline", *INSTRUCTED),
    parts={"transformer": ("FluxTransformer2DModel",)},
    folders=("transformer", "vae", *WORDS),
)
class Flux(LevelsBySize):
    """See `Model`. Its parts are `transformer`, `vae`, and two of `text_encoder` and `tokenizer` each."""

    NETWORK = "transformer"
    OWN: ClassVar[OwnSettings | None] = None
    """Its sampling settings; None to choose them by the checkpoint's parts."""
    trainable = False
    lora_pipeline = "FluxPipeline"

    @classmethod
    def open(cls, source: Source) -> "Flux":
        kind = _kind(source)
        schedule, prediction_type, scheduler_file = source.schedule(by_size=True)
        if not isinstance(schedule, Flow):
            raise ModelError(say("flux_needs_flow", file=scheduler_file))
        check_shift(read_json(scheduler_file), scheduler_file)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", CLIP),
                "tokenizer_2": source.tokenizer("tokenizer_2", T5),
                "text_encoder": source.part("text_encoder", "transformers", "CLIPTextModel"),
                "text_encoder_2": source.part("text_encoder_2", "transformers", "T5EncoderModel"),
                "vae": source.part("vae", "diffusers", *AUTOENCODERS, channels_last=True),
                "transformer": source.part("transformer", "diffusers", "FluxTransformer2DModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = Autoencoder(parts, "vae", rounds=True)
        if checked is None:
            _check_parts(source, codec, kind.channels_beside(codec))
            source.remember(parts, files)
        network, by_size = parts.config("transformer"), read_json(scheduler_file).get("use_dynamic_shifting")
        # shifted levels without guidance as an input: a de-distilled [dev], for classifier-free guidance
        own = DEV if network["guidance_embeds"] or by_size else SCHNELL
        side = read_json(source.folder / "vae" / "config.json").get("sample_size", CELLS * codec.factor)
        return kind(
            name=source.name,
            folder=source.folder,
            family="flux",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(side, side) if isinstance(side, int) else tuple(side),
            multiple=SIDE * codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            # positions are part of the graph, so each size needs its own
            network_multiple=0,
            own=kind.OWN or own,
        )

    @classmethod
    def channels_beside(cls, codec: Autoencoder) -> int:
        """Return how many extra channels its network takes besides those of a latent."""
        return 0

    @property
    def guidance_is_input(self) -> bool:
        return self.parts.config("transformer")["guidance_embeds"]

    def condition(self, prompts: Sequence[str]) -> Condition:
        length = TOKENS if self.own.is_guided else TOKENS_OF_SCHNELL
        warn_of_cut_words(self.name, self.parts["tokenizer_2"], prompts, length)
        pipeline = prompt_pipeline("FluxPipeline", self.parts, WORDS)
        with torch.no_grad():
            tokens, pooled, _ = pipeline.encode_prompt(list(prompts), device=self.device, max_sequence_length=length)
        extra = {"pooled": pooled}
        if self.guidance_is_input:
            extra[GUIDANCE] = torch.ones(len(prompts), device=self.device)
        return Condition(tokens, extra=extra)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        height, width = (side // SIDE for side in x_t.shape[2:])
        tokens, places = self.tokens_of(x_t)
        flow = self.parts["transformer"](
            tokens,
            encoder_hidden_states=condition.tokens.to(x_t),
            pooled_projections=condition.extra["pooled"].to(x_t),
            timestep=labels / self.schedule.label(self.schedule.noisiest),
            img_ids=places.to(x_t.device),
            txt_ids=torch.zeros(condition.tokens.shape[1], 3, device=x_t.device),
            guidance=condition.extra.get(GUIDANCE),
            return_dict=False,
        )[0][:, : height * width]
        return nn.functional.pixel_shuffle(flow.transpose(1, 2).unflatten(2, (height, width)), SIDE)

    def tokens_of(self, x_t: Float[Tensor, "b k y x"]) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "n 3"]]:
        """Return the network's tokens for latents with their extra channels, and the position of each token."""
        return packed(x_t), places_of(x_t.shape[2] // SIDE, x_t.shape[3] // SIDE)


def packed(latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b n d"]:
    """Pack cells of 2 x 2 latents into tokens, row by row."""
    return nn.functional.pixel_unshuffle(latents, SIDE).flatten(2).transpose(1, 2)


def places_of(height: int, width: int, picture: int = 0) -> Float[Tensor, "n 3"]:
    """Return picture, row and column of each token; in float32, as bfloat16 cannot represent 257."""
    places = torch.full((height, width, 3), 0.0)
    places[..., 0] += picture
    places[..., 1] += torch.arange(height)[:, None]
    places[..., 2] += torch.arange(width)
    return places.flatten(0, 1)


def _kind(source: Source) -> type[Flux]:
    """Return the class that opens a checkpoint, by its pipeline and the channels of its network."""
    from regrow.models.families.shared.flux_picture import FluxFill, FluxKontext

    if (source.index or {}).get("_class_name") in INSTRUCTED:
        return FluxKontext
    network = read_json(source.folder / "transformer" / "config.json")
    taken, returned = network.get("in_channels", 64), network.get("out_channels")
    # Fill takes two latents and a pixel mask, six times the channels that it returns; Control takes two latents
    return FluxFill if returned and taken > 2 * returned else Flux


def _check_parts(source: Source, codec: Autoencoder, beside: int) -> None:
    parts, folder = codec.parts, source.folder
    network, first, second = (parts.config(name) for name in ("transformer", "text_encoder", "text_encoder_2"))
    returned = network["patch_size"] ** 2 * (network["out_channels"] or network["in_channels"])
    cells = {"in_channels": network["in_channels"], "out_channels": returned}
    made, beside = SIDE**2 * codec.latent_channels, SIDE**2 * beside
    more = say("mask_and_picture_more", count=beside) if beside else ""
    source.check_channels("transformer", cells, made, beside, f" in 2 x 2 cells{more}")
    read = {
        "text_encoder": ("pooled_projection_dim", first["hidden_size"]),
        "text_encoder_2": ("joint_attention_dim", second["d_model"]),
    }
    for part, (key, width) in read.items():
        if network[key] != width:
            raise ModelError(say("flux_vectors_differ", folder=folder, read=network[key], part=part, made=width))
    if sum(network["axes_dims_rope"]) != network["attention_head_dim"]:
        raise ModelError(
            say(
                "rope_axes_differ",
                folder=folder,
                count=sum(network["axes_dims_rope"]),
                head=network["attention_head_dim"],
            )
        )
