"""ACE-Step 1.5 (arXiv 2602.00744): turbo, base, SFT and XL; songs of up to 10 minutes at 48 kHz.

A transformer on the latents of a wave codec, 25 per second, conditioned on a style, lyrics and the timbre of a
reference. Each latent has extra channels: a source latent, and a mask of what is regenerated. For a new song the source
is silence and the mask covers all; to repaint a span, the source is the file around it; for a cover it comes from the
semantic tokens of a melody. Levels are those of flow matching, shifted by 3. All checkpoints but turbo, which has
guidance in its weights, are guided by `AdaptiveProjected`.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import AdaptiveProjected, Guidance
from regrow.core.levels import Level
from regrow.core.names import Spacing
from regrow.core.schedules import Flow
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.frame import Region
from regrow.messages.message import say
from regrow.models.codecs.wave import WaveCodec, WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.families.shared import ace_step_parts as ace
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.registry import register
from regrow.models.source import QWEN2, Source

CUSTOM = "diffusers.pipelines.ace_step"
"""Module of the classes that only this pipeline has."""
SHIFT = 3.0
"""The pipeline's shift, on top of the scheduler's own."""
USUAL, LONGEST = 60, 600
"""Default and longest duration of a song in seconds."""
TIMBRE = 30
"""Seconds of a reference sound that are used."""
PEAK = 10 ** (-1 / 20)
"""1 dB below full scale, the peak that the pipeline scales songs to."""
TURBO = OwnSettings(steps=8, guidance=1.0, solver="ddim", is_guided=False)
GUIDED = OwnSettings(steps=50, guidance=7.0, solver="ddim")


@register(
    "ace-step",
    "ACE-Step 1.5 (AceStepPipeline)",
    pipelines=("AceStepPipeline",),
    parts={"transformer": ("AceStepTransformer1DModel",)},
    folders=("transformer", "vae", "text_encoder", "tokenizer", "condition_encoder", *ace.COVERS),
    medium=SOUND,
)
@dataclass(eq=False, kw_only=True)
class AceStep(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder`, `tokenizer`, `condition_encoder`, and for covers
    `audio_tokenizer` and `audio_token_detokenizer`.

    Attributes:
        samples: length of the song, which is part of its prompts in seconds; None for `USUAL`.
        task: the task, whose instruction its prompts begin with.
        source: source latents beside those of the song; None for silence.
        changes: 1 where the song is regenerated, 0 where it keeps the source; None for 1 everywhere.
        reference: latents of 30 s of a sound with the wanted timbre; None for silence.
    """

    NETWORK = "transformer"
    engine_graph = False
    trainable = False
    lora_pipeline = "AceStepPipeline"
    sings = True

    samples: int | None = None
    task: Literal["text2music", "repaint", "cover"] = "text2music"
    source: Float[Tensor, "m c n"] | None = None
    changes: Float[Tensor, "m 1 n"] | None = None
    reference: Float[Tensor, "1 c n"] | None = None

    @classmethod
    def open(cls, source: Source) -> "AceStep":
        schedule, prediction_type, scheduler_file = source.schedule()
        if prediction_type != "flow":
            raise ModelError(say("ace_step_needs_flow", file=scheduler_file))
        kinds = dict(zip(ace.COVERS, ("AceStepAudioTokenizer", "AceStepAudioTokenDetokenizer"), strict=True))
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", QWEN2),
                "text_encoder": source.part("text_encoder", "transformers", "Qwen3Model"),
                "condition_encoder": source.part(
                    "condition_encoder", CUSTOM, "AceStepConditionEncoder", may_lack=(ace.NULL,)
                ),
                **{name: source.part(name, CUSTOM, kind) for name, kind in kinds.items() if source.has(name)},
                "vae": source.part("vae", "diffusers", "AutoencoderOobleck"),
                "transformer": source.part("transformer", "diffusers", "AceStepTransformer1DModel"),
            },
            (source.index_file, scheduler_file),
        )
        codec = WaveCodec(parts, "vae", clamps=False, piece=256)
        network = parts.config("transformer")
        own = TURBO if network["is_turbo"] or network["model_version"] == "turbo" else GUIDED
        if checked is None:
            ace.check_parts(source, codec, own)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="ace-step",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(codec.channels, USUAL * codec.rate // codec.factor * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            waves=WaveFrames(codec.rate, codec.channels, peak=PEAK),
            own=own,
        )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    @property
    def windows(self) -> tuple[int, ...]:
        """Cells of the whole song, which is denoised at once at any length; empty before its length is set."""
        return () if self.samples is None else (math.ceil(self.samples / self.factor),)

    def grid(self, steps: int, spacing: Spacing = "trailing", shape: Sequence[int] = ()) -> tuple[Level, ...]:
        """Return levels shifted by the pipeline, and once more where the scheduler's file says so.

        The file has num_train_timesteps 1, which does not limit the steps here.
        """
        assert isinstance(self.schedule, Flow)
        return Flow(shift=SHIFT * self.schedule.shift).grid(steps, spacing)

    def of_length(self, samples: int) -> "AceStep":
        """Return the same opened checkpoint for songs of this many samples; prompts hold the length in seconds.

        Raises:
            ValueError: they last longer than 10 minutes.
        """
        seconds = samples / self.sound.rate
        if seconds > LONGEST:
            raise ValueError(say("sound_too_long_for_model", name=self.name, longest=LONGEST, seconds=seconds))
        other = copy(self)
        other.samples = samples
        return other

    def with_known(
        self, frame: Float[Tensor, "1 channels samples"], latents: Float[Tensor, "1 c n"], region: Region
    ) -> "AceStep":
        """Return the same opened checkpoint, set to repaint: the source is the latents, with silence in the region."""
        other, changes = copy(self), (region.latents > 0.5).to(latents)
        other.task, other.changes = "repaint", changes
        other.source = torch.where(changes > 0, self._silence(latents.shape[-1]).to(latents), latents)
        return other

    def covering(self, frames: Float[Tensor, "channels n"]) -> "AceStep":
        """Return the same opened checkpoint, set to make a cover of a sound from its semantic tokens.

        The codec's posterior mean is used, where diffusers draws a sample.

        Raises:
            ValueError: the checkpoint has no parts for it.
        """
        ace.require_covers(self.parts, self.name)
        other, source = copy(self), ace.through_tokens(self.parts, self.encode(frames[None]))
        other.task, other.source, other.changes = "cover", source, None
        return other

    def sounding_like(self, frames: Float[Tensor, "channels n"]) -> "AceStep":
        """Return the same opened checkpoint, conditioned on 10 s from beginning, middle and end of a sound.

        A sound shorter than 30 s is repeated. The codec's posterior mean is used, where diffusers draws a sample.
        """
        other = copy(self)
        other.reference = self.encode(ace.three_parts(frames, TIMBRE * self.sound.rate)[None])
        return other

    def condition(self, prompts: Sequence[str]) -> Condition:
        """Encode songs one by one, without padding: the network has no mask to leave it out."""
        samples = self.size[1] if self.samples is None else self.samples
        cells = math.ceil(TIMBRE * self.sound.rate / self.factor)
        reference = self._silence(cells) if self.reference is None else self.reference
        seconds = samples / self.sound.rate
        each = {
            prompt: ace.encoded_song(self.parts, self.name, prompt, self.task, seconds, reference)
            for prompt in dict.fromkeys(prompts)
        }
        return reduce(Condition.cat, (each[prompt] for prompt in prompts))

    def unconditional(self, count: int) -> Condition:
        """Return the learned null condition, a single token: attention to any number of its copies is the same.

        Raises:
            ValueError: the checkpoint has none, as it is meant to be sampled at guidance 1.
        """
        null = self.parts["condition_encoder"].null_condition_emb
        if null is None:
            raise ValueError(say("guidance_in_weights", name=self.name))
        return Condition(null.expand(count, 1, -1))

    def guide(self, pair: Denoiser, guidance: Guidance) -> Denoiser:
        return AdaptiveProjected(pair, guidance, momentum=-0.75, threshold=2.5)

    def beside(self, x_t: Float[Tensor, "b c n"]) -> Float[Tensor, "b k n"]:
        """Return latents with the source latents and the mask of what is regenerated as further channels.

        Raises:
            ValueError: the source has another length, or the number of sources does not divide the batch.
        """
        source = self._silence(x_t.shape[-1]) if self.source is None else self.source
        if source.shape[-1] != x_t.shape[-1]:
            raise ValueError(say("source_of_other_length", cells=source.shape[-1], latent_cells=x_t.shape[-1]))
        if len(x_t) % len(source):
            raise ValueError(say("sources_do_not_fit_batch", count=len(source), batch=len(x_t)))
        changes = torch.ones_like(source) if self.changes is None else self.changes.expand_as(source)
        context = torch.cat([source, changes], 1).to(x_t)
        return torch.cat([x_t, context.repeat(len(x_t) // len(context), 1, 1)], 1)

    def forward(
        self, x_t: Float[Tensor, "b c n"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b k n"]:
        """Return the flow of each row, with its own tokens only, without padding."""
        latents, context = x_t.transpose(1, 2).split([self.latent_channels, 2 * self.latent_channels], 2)
        output, times = torch.empty_like(latents), labels.to(x_t)
        for rows, tokens in ace.without_padding(condition):
            output[rows] = self.parts["transformer"](
                latents[rows],
                times[rows],
                times[rows],
                encoder_hidden_states=tokens.to(x_t),
                context_latents=context[rows],
                return_dict=False,
            )[0]
        return output.transpose(1, 2)

    def _silence(self, cells: int) -> Float[Tensor, "1 c n"]:
        """Return latents of silence, repeated as often as needed."""
        silence = self.parts["condition_encoder"].silence_latent
        return silence.repeat(1, math.ceil(cells / silence.shape[1]), 1)[:, :cells].transpose(1, 2)
