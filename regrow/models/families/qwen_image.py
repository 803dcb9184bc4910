"""Qwen-Image (arXiv 2508.02324): a transformer on text tokens and cells of 2 x 2 latents, which predicts the flow.

It reads the tokens of a vision-language model, Qwen2.5-VL, for a prompt in a template that asks for a description.
Levels are shifted to the noisy end by the size of the picture, and stretched to end where its scheduler says.
"""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance, renormalised
from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.film_autoencoder import FilmAutoencoder
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.shift_by_size import SIDE, LevelsBySize, check_shift
from regrow.models.folder import read_json
from regrow.models.own_settings import OwnSettings
from regrow.models.parts import Part
from regrow.models.pipelines import check_words, prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import QWEN2, Source

TOKENS = 512
"""Tokens that are read, including those of the template that the pipeline keeps."""
LARGEST = 1328
"""Pixels along a side of its square pictures, from the card of Qwen/Qwen-Image."""
OWN = OwnSettings(steps=50, guidance=4.0, solver="ddim")
"""From the card of Qwen/Qwen-Image, and the defaults of the pipeline."""


@register(
    "qwen-image",
    "Qwen-Image (QwenImagePipeline)",
    pipelines=("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
    folders=("transformer", "vae", "text_encoder", "tokenizer"),
)
class QwenImage(LevelsBySize):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    FAMILY: ClassVar[str] = "qwen-image"
    LARGEST: ClassVar[int] = LARGEST
    OWN: ClassVar[OwnSettings] = OWN
    no_words: ClassVar[str] = " "
    """As on its card."""
    engine_graph = False  # positions are complex numbers
    trainable = False
    lora_pipeline = "QwenImagePipeline"

    @classmethod
    def open(cls, source: Source) -> "QwenImage":
        schedule, _, scheduler_file = source.schedule(by_size=True)
        if not isinstance(schedule, Flow):
            raise ModelError(say("qwen_needs_flow", file=scheduler_file))
        config = read_json(scheduler_file)
        check_shift(config, scheduler_file)
        parts, files, checked = source.parts(cls._parts_of(source), (source.index_file, scheduler_file))
        codec = FilmAutoencoder(parts, "vae")
        if checked is None:
            cls._check_parts(source, codec)
            source.remember(parts, files)
        kind = cls._kind(source.index or {})
        side = min(cls.LARGEST, isqrt(config.get("max_image_seq_len", 4096)) * SIDE * codec.factor)
        return kind(
            name=source.name,
            folder=source.folder,
            family=cls.FAMILY,
            schedule=schedule,
            prediction_type="flow",
            size=(side, side),
            multiple=SIDE * codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            own=kind.OWN,
        )

    @classmethod
    def _kind(cls, index: Mapping[str, Any]) -> type["QwenImage"]:
        return cls

    @classmethod
    def _parts_of(cls, source: Source) -> dict[str, Part]:
        encoder = "Qwen2_5_VLForConditionalGeneration"
        return {
            "tokenizer": source.tokenizer("tokenizer", QWEN2),
            "text_encoder": source.part("text_encoder", "transformers", encoder),
            "vae": source.part("vae", "diffusers", "AutoencoderKLQwenImage"),
            "transformer": source.part("transformer", "diffusers", "QwenImageTransformer2DModel"),
        }

    @classmethod
    def _check_parts(cls, source: Source, codec: FilmAutoencoder) -> None:
        parts, folder = codec.parts, source.folder
        network, text = parts.config("transformer"), parts.config("text_encoder")["text_config"]
        for key, what in (
            ("guidance_embeds", say("guidance_as_input")),
            ("use_additional_t_cond", say("makes_layers")),
        ):
            if network[key]:
                raise ModelError(say("qwen_variant_unsupported", folder=folder, what=what, key=key))
        packed = {
            "in_channels": network["in_channels"],
            "out_channels": network["patch_size"] ** 2 * (network["out_channels"] or network["in_channels"]),
        }
        source.check_channels("transformer", packed, SIDE**2 * codec.latent_channels, why=" in 2 x 2 cells")
        check_words(
            folder, parts, "transformer", network["joint_attention_dim"], text["hidden_size"], text["vocab_size"]
        )

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("QwenImagePipeline", self.parts, ("tokenizer", "text_encoder"))
        before = len(self.tokenizer(pipeline.prompt_template_encode.partition("{}")[0]).input_ids)
        room = TOKENS - max(before - pipeline.prompt_template_encode_start_idx, 0)
        warn_of_cut_words(self.name, self.tokenizer, prompts, room)
        with torch.no_grad():
            tokens, mask = pipeline.encode_prompt(list(prompts), device=self.device, max_sequence_length=TOKENS)
        return Condition(tokens, None if mask is None else mask.bool())

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        return renormalised(pair, guidance, _lengths)

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        height, width = (side // SIDE for side in x_t.shape[2:])
        tokens, pictures = self.tokens_of(x_t)
        velocity = self.parts["transformer"](
            tokens,
            encoder_hidden_states=condition.tokens.to(x_t),
            encoder_hidden_states_mask=condition.mask,
            timestep=labels / self.schedule.label(self.schedule.noisiest),
            img_shapes=[pictures] * len(x_t),
            return_dict=False,
        )[0][:, : height * width]
        return nn.functional.pixel_shuffle(velocity.transpose(1, 2).unflatten(2, (height, width)), SIDE)

    def tokens_of(self, x_t: Float[Tensor, "b c y x"]) -> tuple[Float[Tensor, "b n d"], list[tuple[int, int, int]]]:
        """Return the network's tokens for latents, and the frames, rows and columns of tokens of each picture.

        The first picture is the one that is denoised.
        """
        height, width = (side // SIDE for side in x_t.shape[2:])
        return packed(x_t), [(1, height, width)]


def packed(latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b n d"]:
    """Pack cells of 2 x 2 latents into tokens, row by row."""
    return nn.functional.pixel_unshuffle(latents, SIDE).flatten(2).transpose(1, 2)


def _lengths(v: Float[Tensor, "b c y x"]) -> Float[Tensor, "b 1 y x"]:
    """Return the norm of each token, at each of its latents."""
    of_tokens = torch.linalg.vector_norm(nn.functional.pixel_unshuffle(v, SIDE), dim=1, keepdim=True)
    return of_tokens.repeat_interleave(SIDE, 2).repeat_interleave(SIDE, 3)
