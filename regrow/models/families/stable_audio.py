"""Stable Audio Open (Evans et al. 2024, arXiv 2407.14358): a transformer on the latents of a wave codec.

It is conditioned on a T5 encoder's tokens and on seconds: where in a recording a clip begins, and how long it is. Clips
are stereo at 44.1 kHz, up to 47 s; longer ones are denoised in windows. Levels are those of EDM, and the network
predicts v.

Checkpoints like Stable Audio Open Small (Novack et al. 2025, arXiv 2505.08175) predict the flow, and may read only how
long a clip is. If their scheduler is stochastic, they are distilled, and sampled by ping-pong in 8 steps.
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
from regrow.messages.message import say
from regrow.models.codecs.wave import WaveCodec, WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import PING_PONG, OwnSettings
from regrow.models.parts import Parts
from regrow.models.pipelines import prompt_pipeline
from regrow.models.registry import register
from regrow.models.source import T5, Source

WORDS = ("tokenizer", "text_encoder", "projection_model")


@register(
    "stable-audio",
    "Stable Audio Open (StableAudioPipeline)",
    pipelines=("StableAudioPipeline",),
    parts={"transformer": ("StableAudioDiTModel",)},
    folders=("transformer", "vae", *WORDS),
    medium=SOUND,
)
@dataclass(eq=False, kw_only=True)
class StableAudio(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder`, `tokenizer` and `projection_model`.

    Attributes:
        seconds: duration that it is conditioned on; None for the longest that it was made for.
    """

    NETWORK = "transformer"
    engine_graph = False
    trainable = False

    seconds: float | None = None

    @classmethod
    def open(cls, source: Source) -> "StableAudio":
        schedule, prediction_type, scheduler_file = source.schedule()
        distilled = False
        if isinstance(schedule, Flow):
            schedule = LogSnrFlow(schedule.labels, schedule.shift, low=-6.0, high=2.0)
            distilled = read_json(scheduler_file).get("stochastic_sampling", False)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", T5),
                "text_encoder": source.part("text_encoder", "transformers", "T5EncoderModel"),
                "projection_model": source.part("projection_model", "diffusers", "StableAudioProjectionModel"),
                "vae": source.part("vae", "diffusers", "AutoencoderOobleck"),
                "transformer": source.part("transformer", "diffusers", "StableAudioDiTModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = WaveCodec(parts, "vae")
        network = parts.config("transformer")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="stable-audio",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(codec.channels, network["sample_size"] * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            waves=WaveFrames(codec.rate, codec.channels),
            own=PING_PONG if distilled else OwnSettings(),
            edit_steps=PING_PONG.steps if distilled else cls.edit_steps,
        )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        return (self.network.proj_out.weight,)

    def of_length(self, samples: int) -> "StableAudio":
        """Return the same opened checkpoint, conditioned on clips of this many samples at its rate."""
        other, rate = copy(self), self.sound.rate
        other.seconds = min(samples, self.size[1]) / rate
        return other

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("StableAudioPipeline", self.parts, (*WORDS, "transformer"))
        seconds = self.size[1] / self.sound.rate if self.seconds is None else self.seconds
        with torch.no_grad():
            words = pipeline.encode_prompt(list(prompts), self.device, do_classifier_free_guidance=False)
            times = pipeline.encode_duration(0.0, seconds, self.device, False, len(prompts))
        times = times if _reads_begin(self.parts) else times[1:]
        return Condition(torch.cat([words, *times], 1), extra={"duration": torch.cat(times, 2)})

    def unconditional(self, count: int) -> Condition:
        """Return zeros in place of all tokens; the global duration embedding stays."""
        empty = self.condition([""] * count)
        return Condition(torch.zeros_like(empty.tokens), extra=empty.extra)

    def forward(
        self, x_t: Float[Tensor, "b c n"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c n"]:
        from diffusers.models.embeddings import get_1d_rotary_pos_embed

        duration = condition.extra["duration"].to(x_t)
        head = self.parts.config("transformer")["attention_head_dim"]
        rotary = get_1d_rotary_pos_embed(
            head // 2, x_t.shape[2] + duration.shape[1], use_real=True, repeat_interleave_real=False
        )
        return self.parts["transformer"](
            x_t,
            labels,
            encoder_hidden_states=condition.tokens.to(x_t),
            global_hidden_states=duration,
            rotary_embedding=rotary,
            return_dict=False,
        )[0]


def _reads_begin(parts: Parts) -> bool:
    """Return whether the transformer is also conditioned on where a clip begins."""
    width = parts.config("projection_model")["conditioning_dim"]
    return parts.config("transformer")["global_states_input_dim"] != width


def _check_parts(source: Source, codec: WaveCodec) -> None:
    parts, folder = codec.parts, source.folder
    network, words = parts.config("transformer"), parts.config("projection_model")
    source.check_channels("transformer", network, codec.latent_channels)
    if network["cross_attention_input_dim"] != words["conditioning_dim"]:
        raise ModelError(
            say(
                "projection_vectors_differ",
                folder=folder,
                read=network["cross_attention_input_dim"],
                made=words["conditioning_dim"],
            )
        )
    if network["global_states_input_dim"] not in (words["conditioning_dim"], 2 * words["conditioning_dim"]):
        raise ModelError(
            say(
                "projection_durations_differ",
                folder=folder,
                read=network["global_states_input_dim"],
                made=words["conditioning_dim"],
            )
        )
