"""Stable Audio 3 (Stability AI 2026, arXiv 2605.17991): a transformer on the latents of a wave codec, flow matching.

It is conditioned on a T5Gemma encoder's tokens and on a clip's duration in seconds. Clips are stereo at 44.1 kHz, up to
the longest of its duration embedder; longer ones are denoised in windows. For inpainting, its network takes the known
part of a clip as input. Distilled checkpoints, whose scheduler is stochastic, have guidance in their weights, and are
sampled by ping-pong in 8 steps.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.log_snr_flow import LogSnrFlow
from regrow.core.schedules import Flow
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.frame import Region
from regrow.messages.message import say
from regrow.models.codecs.wave import SameCodec, WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import PING_PONG, OwnSettings
from regrow.models.pipelines import prompt_pipeline
from regrow.models.registry import register
from regrow.models.source import GEMMA, Source

WORDS = ("tokenizer", "text_encoder", "duration_embedder")
USUAL_SECONDS = 10.0
"""Default duration of a clip, as in diffusers' pipeline."""


@register(
    "stable-audio-3",
    "Stable Audio 3 (StableAudio3Pipeline)",
    pipelines=("StableAudio3Pipeline", "StableAudio3InpaintPipeline", "StableAudio3AudioToAudioPipeline"),
    parts={"transformer": ("StableAudio3DiTModel",)},
    folders=("transformer", "vae", *WORDS),
    medium=SOUND,
)
@dataclass(eq=False, kw_only=True)
class StableAudio3(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder`, `tokenizer` and `duration_embedder`.

    Attributes:
        seconds: duration that it is conditioned on; None for the longest that it was made for.
        known: the known part of a clip: a mask, 1 where it stays, and its latents, 0 elsewhere; None to generate all of
            it.
    """

    NETWORK = "transformer"
    engine_graph = False
    trainable = False

    seconds: float | None = None
    known: Float[Tensor, "m k cells"] | None = None

    @classmethod
    def open(cls, source: Source) -> "StableAudio3":
        schedule, prediction_type, scheduler_file = source.schedule()
        if not isinstance(schedule, Flow):
            raise ModelError(say("stable_audio_3_needs_flow", file=scheduler_file))
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", GEMMA),
                "text_encoder": source.part("text_encoder", "transformers", "T5GemmaEncoderModel"),
                "duration_embedder": source.part("duration_embedder", "diffusers", "StableAudio3DurationEmbedder"),
                "vae": source.part("vae", "diffusers", "AutoencoderSAME"),
                "transformer": source.part("transformer", "diffusers", "StableAudio3DiTModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = SameCodec(parts, "vae")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        multiple = codec.factor * parts.config("transformer")["patch_size"]
        most = parts.config("duration_embedder")["max_val"] * codec.rate
        distilled = read_json(scheduler_file).get("stochastic_sampling", False)
        return cls(
            name=source.name,
            folder=source.folder,
            family="stable-audio-3",
            schedule=LogSnrFlow(schedule.labels, schedule.shift),
            prediction_type=prediction_type,
            size=(codec.channels, int(most // multiple) * multiple),
            multiple=multiple,
            parts=parts,
            codec=codec,
            files=files,
            waves=WaveFrames(codec.rate, codec.channels),
            own=PING_PONG if distilled else OwnSettings(steps=100, solver="ddim"),
            edit_steps=PING_PONG.steps if distilled else cls.edit_steps,
        )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    @property
    def usual_length(self) -> int:
        usual = round(USUAL_SECONDS * self.sound.rate)
        return min(self.size[1], -(-usual // self.multiple) * self.multiple)

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        return (self.network.proj_out.weight,)

    def of_length(self, samples: int) -> "StableAudio3":
        """Return the same opened checkpoint, conditioned on clips of this many samples at its rate."""
        other = copy(self)
        other.seconds = min(samples, self.size[1]) / self.sound.rate
        return other

    def with_known(
        self, frame: Float[Tensor, "1 channels n"], latents: Float[Tensor, "1 c cells"], region: Region
    ) -> "StableAudio3":
        """Return the same opened checkpoint with the kept part (mask 0) as input; itself if its network takes none."""
        network = self.parts.config("transformer")
        if network["patch_size"] > 1 or network["local_add_cond_dim"] != 1 + self.latent_channels:
            return self
        other, stays = copy(self), (region.latents == 0).to(latents)
        other.known = torch.cat([stays, stays * latents], 1)
        return other

    def beside(self, x_t: Float[Tensor, "b c cells"]) -> Float[Tensor, "b k cells"]:
        if self.known is None:
            return x_t
        # a guided batch holds all samples twice, one copy after the other
        known = self.known.to(x_t)
        return torch.cat([x_t, known.repeat(len(x_t) // len(known), 1, 1)], 1)

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("StableAudio3Pipeline", self.parts, WORDS)
        seconds = self.size[1] / self.sound.rate if self.seconds is None else self.seconds
        with torch.no_grad():
            words, mask = pipeline.encode_prompt(list(prompts), self.device, 1)
            duration = pipeline.encode_duration(seconds, self.device, 1, len(prompts))
            tokens, mask = pipeline.prepare_cross_attention(words, mask, duration)
        return Condition(tokens, mask.bool(), {"duration": duration})

    def forward(
        self, x_t: Float[Tensor, "b k cells"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c cells"]:
        latents, known = x_t[:, : self.latent_channels], x_t[:, self.latent_channels :]
        return self.parts["transformer"](
            latents,
            labels,
            encoder_hidden_states=condition.tokens.to(x_t),
            global_hidden_states=condition.extra["duration"].to(x_t),
            encoder_attention_mask=condition.mask,
            local_add_cond=known if known.shape[1] else None,
            return_dict=False,
        )[0]


def _check_parts(source: Source, codec: SameCodec) -> None:
    parts, folder = codec.parts, source.folder
    network = parts.config("transformer")
    latents = {"in_channels": network["io_channels"], "out_channels": network["io_channels"]}
    source.check_channels("transformer", latents, codec.latent_channels)
    seconds = parts.config("duration_embedder")["output_dim"]
    made = {"text_encoder": parts.config("text_encoder")["encoder"]["hidden_size"], "duration_embedder": seconds}
    for part, width in made.items():
        if network["cond_token_dim"] != width:
            raise ModelError(
                say("flux_vectors_differ", folder=folder, read=network["cond_token_dim"], part=part, made=width)
            )
    if network["global_cond_dim"] != seconds:
        raise ModelError(say("duration_embedder_differs", folder=folder, read=network["global_cond_dim"], made=seconds))
