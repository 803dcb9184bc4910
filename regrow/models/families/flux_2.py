"""FLUX.2 (Black Forest Labs 2025, no paper): a transformer that predicts the flow on normalised cells of 2 x 2 latents.

It is conditioned on three layers of a language model that reads the prompt as a chat message: Mistral 3 in [dev], which
takes guidance as an input, and Qwen 3 in [klein], whose distilled checkpoints have guidance in their weights. Levels
are shifted to the noisy end by the size of the picture and the number of steps. All checkpoints can also edit a picture
by instruction; it is then a reference, given as further tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.schedules import Flow
from regrow.messages.message import say
from regrow.models.codecs.batch_norm import SIDE, BatchNormAutoencoder
from regrow.models.condition import GUIDANCE, Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared.flux_2_tokens import tokens_and_places
from regrow.models.families.shared.shift_by_size import LevelsBySize, check_shift, measured_mu
from regrow.models.folder import read_json
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_chat
from regrow.models.registry import register
from regrow.models.source import PIXTRAL, QWEN2, Source, TokenizerKind

WORDS = ("tokenizer", "text_encoder")
FOLDERS = ("transformer", "vae", *WORDS)
TOKENS = 512
"""Tokens of a prompt with its template: `max_sequence_length` of both pipelines."""
KV = "Flux2KleinKVPipeline"
DEV = OwnSettings(steps=50, guidance=4.0, solver="ddim")
"""The defaults of diffusers' Flux2Pipeline and Flux2KleinPipeline, for [dev] and the undistilled [klein] base."""
REFERENCE = 10
"""Time coordinate of a reference; the result's is 0 (`_prepare_image_ids` of both pipelines)."""
DISTILLED = OwnSettings(steps=4, guidance=1.0, solver="ddim", is_guided=False)
"""For the distilled [klein]: the defaults of diffusers' Flux2KleinKVPipeline, which takes no guidance."""


@register(
    "flux-2",
    "FLUX.2 (Flux2Pipeline)",
    pipelines=("Flux2Pipeline",),
    parts={"transformer": ("Flux2Transformer2DModel",), "text_encoder": ("Mistral3ForConditionalGeneration",)},
    folders=FOLDERS,
)
@dataclass(eq=False, kw_only=True)
class Flux2(LevelsBySize):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`.

    Attributes:
        source: latents of the picture to edit by instruction; None to generate.
    """

    NETWORK = "transformer"
    FAMILY: ClassVar[str] = "flux-2"
    TOKENIZER: ClassVar[TokenizerKind] = PIXTRAL
    ENCODER: ClassVar[str] = "Mistral3ForConditionalGeneration"
    LAYERS: ClassVar[tuple[int, ...]] = (10, 20, 30)
    """Layers of the text encoder that `encode_prompt` of the pipeline concatenates."""
    trainable = False
    lora_pipeline = "Flux2Pipeline"
    edits_by_instruction: ClassVar[bool] = True

    source: Float[Tensor, "1 c y x"] | None = None

    @classmethod
    def open(cls, source: Source) -> "Flux2":
        schedule, prediction_type, scheduler_file = source.schedule(by_size=True)
        if not isinstance(schedule, Flow):
            raise ModelError(say("flux_2_needs_flow", file=scheduler_file))
        check_shift(read_json(scheduler_file), scheduler_file)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", cls.TOKENIZER),
                "text_encoder": source.part("text_encoder", "transformers", cls.ENCODER),
                "vae": source.part("vae", "diffusers", "AutoencoderKLFlux2", channels_last=True),
                "transformer": source.part("transformer", "diffusers", "Flux2Transformer2DModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = BatchNormAutoencoder(parts, "vae", rounds=True)
        if checked is None:
            cls._check_parts(source, codec)
            source.remember(parts, files)
        side = parts.config("vae")["sample_size"]
        return cls._kind(source.index or {})(
            name=source.name,
            folder=source.folder,
            family=cls.FAMILY,
            schedule=schedule,
            prediction_type=prediction_type,
            size=(side, side) if isinstance(side, int) else tuple(side),
            multiple=SIDE * codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            # positions are part of the graph, so each size needs its own
            network_multiple=0,
            own=cls._own(source.index or {}),
        )

    @classmethod
    def _kind(cls, index: Mapping[str, Any]) -> type["Flux2"]:
        return cls

    @classmethod
    def _own(cls, index: Mapping[str, Any]) -> OwnSettings:
        return DEV

    @classmethod
    def _check_parts(cls, source: Source, codec: BatchNormAutoencoder) -> None:
        parts, folder = codec.parts, source.folder
        network, words = parts.config("transformer"), parts.config("text_encoder")
        words = words.get("text_config", words)
        returned = network["patch_size"] ** 2 * (network["out_channels"] or network["in_channels"])
        packed = {"in_channels": network["in_channels"], "out_channels": returned}
        source.check_channels("transformer", packed, SIDE**2 * codec.latent_channels, why=" in 2 x 2 cells")
        if words["num_hidden_layers"] < max(cls.LAYERS):
            raise ModelError(
                say("flux_2_layers_missing", folder=folder, count=words["num_hidden_layers"], read=max(cls.LAYERS))
            )
        width = len(cls.LAYERS) * words["hidden_size"]
        if network["joint_attention_dim"] != width:
            raise ModelError(
                say(
                    "flux_2_vectors_differ",
                    folder=folder,
                    read=network["joint_attention_dim"],
                    layers=len(cls.LAYERS),
                    made=width,
                )
            )
        if sum(network["axes_dims_rope"]) != network["attention_head_dim"]:
            raise ModelError(
                say(
                    "rope_axes_differ",
                    folder=folder,
                    count=sum(network["axes_dims_rope"]),
                    head=network["attention_head_dim"],
                )
            )

    @property
    def guidance_is_input(self) -> bool:
        return self.parts.config("transformer")["guidance_embeds"]

    def mu(self, config: Mapping[str, Any], tokens: int, steps: int) -> float:
        return measured_mu(tokens, steps)

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline(self.lora_pipeline, self.parts, WORDS)
        warn_of_cut_chat(self.name, self.tokenizer, prompts, TOKENS, lambda prompt: self._chat(pipeline, prompt))
        with torch.no_grad():
            tokens, _ = pipeline.encode_prompt(list(prompts), device=self.device, max_sequence_length=TOKENS)
        at = {GUIDANCE: torch.ones(len(prompts), device=self.device)} if self.guidance_is_input else {}
        return Condition(tokens, extra=at)

    def _chat(self, pipeline: Any, prompt: str) -> str:
        """Return a prompt in the pipeline's chat template."""
        from diffusers.pipelines.flux2.pipeline_flux2 import format_input

        chat = format_input([prompt], pipeline.system_message)[0]
        return self.tokenizer.apply_chat_template(chat, tokenize=False)

    def with_source(
        self,
        frame: Float[Tensor, "1 channels *extent"],
        latents: Float[Tensor, "1 c *places"],
        image_guidance: float | None = None,
    ) -> "Flux2":
        """Return the same opened checkpoint with a source picture to edit by instruction, computed by torch.

        Raises:
            ValueError: it denoises in tiles, but the source picture must be seen whole.
        """
        if self.tiled:
            raise ValueError(say("no_tiles_by_instruction", name=self.name))
        other = self.using(None)
        other.source = latents
        return other

    def forward(
        self, x_t: Float[Tensor, "b c y x"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c y x"]:
        height, width = (side // SIDE for side in x_t.shape[2:])
        words = torch.zeros(condition.tokens.shape[1], 4)
        words[:, 3] += torch.arange(len(words))
        given = {
            "encoder_hidden_states": condition.tokens.to(x_t),
            "timestep": labels / self.schedule.label(self.schedule.noisiest),
            "txt_ids": words.to(x_t.device),
            "guidance": condition.extra.get(GUIDANCE),
            "return_dict": False,
        }
        tokens, places = tokens_and_places(x_t)
        if self.source is None:
            flow = self.parts["transformer"](tokens, img_ids=places, **given)[0]
        else:
            shown, behind = tokens_and_places(self.source.to(x_t), REFERENCE)
            flow = self._shown(tokens, places, shown.expand(len(x_t), -1, -1), behind, given)
        return nn.functional.pixel_shuffle(flow.transpose(1, 2).unflatten(2, (height, width)), SIDE)

    def _shown(self, tokens: Tensor, places: Tensor, shown: Tensor, behind: Tensor, given: dict[str, Any]) -> Tensor:
        """Return the network's output for tokens next to those of a reference."""
        both = torch.cat([tokens, shown], 1), torch.cat([places, behind])
        return self.parts["transformer"](both[0], img_ids=both[1], **given)[0][:, : tokens.shape[1]]


@register(
    "flux-2-klein",
    "FLUX.2 klein (Flux2KleinPipeline)",
    pipelines=("Flux2KleinPipeline", "Flux2KleinInpaintPipeline", KV),
    parts={"transformer": ("Flux2Transformer2DModel",), "text_encoder": ("Qwen3ForCausalLM",)},
    folders=FOLDERS,
)
class Flux2Klein(Flux2):
    """See `Flux2`. Undistilled checkpoints use classifier-free guidance."""

    FAMILY = "flux-2-klein"
    TOKENIZER = QWEN2._replace(chats=True)
    ENCODER = "Qwen3ForCausalLM"
    LAYERS = (9, 18, 27)
    lora_pipeline = "Flux2KleinPipeline"

    @classmethod
    def _kind(cls, index: Mapping[str, Any]) -> type[Flux2]:
        from regrow.models.families.shared.flux_2_picture import Flux2KleinKV

        return Flux2KleinKV if index.get("_class_name") == KV else cls

    @classmethod
    def _own(cls, index: Mapping[str, Any]) -> OwnSettings:
        distilled = index.get("is_distilled", index.get("_class_name") == KV)
        return DISTILLED if distilled else DEV

    @property
    def guidance_is_input(self) -> bool:
        """Return False: the pipeline passes no guidance to the network."""
        return False

    def _chat(self, pipeline: Any, prompt: str) -> str:
        chat = [{"role": "user", "content": prompt}]
        return self.tokenizer.apply_chat_template(
            chat, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
