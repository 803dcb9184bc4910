"""LongCat-AudioDiT (Meituan 2026): a transformer on the latents of a wave codec, flow matching.

It is conditioned on the words of a UMT5 encoder. Clips are mono at 24 kHz, up to 30 s; longer ones are denoised in
windows. Its network counts its levels from noise to clean, and predicts `x0 - eps`.

A prompt is computed at its own length, whatever other prompts are beside it: diffusers' pipeline pads those of a batch
to the longest, which the convolutions and means over the words then answer differently.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance
from regrow.core.schedules import Flow
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.models.codecs.wave import LongCatCodec, WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import prompt_pipeline
from regrow.models.registry import register
from regrow.models.schedules import schedule_from_config
from regrow.models.source import T5, Source

WORDS = ("tokenizer", "text_encoder")
SECONDS = 30
"""That a clip lasts at most, in diffusers' pipeline, which no file says."""
SCHEDULER = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 1.0, "invert_sigmas": True}
"""Of the published folder, which has no scheduler's file: what diffusers' pipeline takes then."""


@register(
    "longcat-audio",
    "LongCat-AudioDiT (LongCatAudioDiTPipeline)",
    pipelines=("LongCatAudioDiTPipeline",),
    parts={"transformer": ("LongCatAudioDiTTransformer",)},
    folders=("transformer", "vae", *WORDS),
    medium=SOUND,
)
@dataclass(eq=False, kw_only=True)
class LongCatAudio(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`.

    Attributes:
        rising: whether its network counts its levels from noise, 0, to clean, 1, as the published one does.
    """

    NETWORK = "transformer"
    engine_graph = False
    trainable = False

    rising: bool = True

    @classmethod
    def open(cls, source: Source) -> "LongCatAudio":
        scheduler_file = source.folder / "scheduler" / "scheduler_config.json"
        is_there = scheduler_file.is_file()
        config = read_json(scheduler_file) if is_there else SCHEDULER
        schedule, prediction_type = schedule_from_config({**config, "invert_sigmas": False}, scheduler_file)
        if not isinstance(schedule, Flow):
            raise ModelError(f"{scheduler_file} describes no flow matching, which LongCat-AudioDiT is trained for.")
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", T5),
                "text_encoder": source.part("text_encoder", "transformers", "UMT5EncoderModel"),
                "vae": source.part("vae", "diffusers", "LongCatAudioDiTVae"),
                "transformer": source.part("transformer", "diffusers", "LongCatAudioDiTTransformer"),
            },
            (source.index_file, *([scheduler_file] if is_there else [])),
        )
        codec = LongCatCodec(parts, "vae")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="longcat-audio",
            schedule=schedule,
            prediction_type=prediction_type,
            size=(codec.channels, SECONDS * codec.rate // codec.factor * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            waves=WaveFrames(codec.rate, codec.channels),
            own=OwnSettings(steps=16, guidance=4.0, solver="ddim"),
            rising=bool(config.get("invert_sigmas", False)),
        )

    @property
    def text_encoders(self) -> Iterator[nn.Module]:
        yield self.parts["text_encoder"]

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    @property
    def output_weight(self) -> nn.Parameter:
        return self.network.proj_out.weight

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("LongCatAudioDiTPipeline", self.parts, (*WORDS, "vae", "transformer"))
        tokens, lengths = pipeline.encode_prompt([_plain(prompt) for prompt in prompts], self.device)
        return Condition(tokens, torch.arange(tokens.shape[1], device=self.device) < lengths[:, None])

    def unconditional(self, count: int) -> Condition:
        """Return zeros in place of words; `denoiser` makes them as long as the prompts that they stand against."""
        empty = self.condition([""] * count)
        return Condition(torch.zeros_like(empty.tokens), empty.mask)

    def denoiser(
        self, condition: Condition, negative: Condition | None = None, guidance: Guidance = 1.0, closed: bool = False
    ) -> Denoiser:
        """Return the network under these prompts; see `Model.denoiser`. Zeros lead away as from words as many."""
        if not isinstance(guidance, Tensor) and guidance == 1:
            return super().denoiser(condition, negative, guidance, closed)
        away = self.unconditional(1) if negative is None else negative
        return super().denoiser(condition, _as_long_as(condition, away), guidance, closed)

    def forward(
        self, x_t: Float[Tensor, "b c cells"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c cells"]:
        assert isinstance(self.schedule, Flow)
        assert condition.mask is not None, "every prompt is encoded with one"
        share, tokens = labels / self.schedule.labels, condition.tokens.to(x_t)
        cells, level = x_t.transpose(1, 2), (1 - share if self.rising else share).to(x_t)
        lengths, velocity = condition.mask.sum(1), torch.empty_like(cells)
        for length in lengths.unique().tolist():
            rows = lengths == length
            velocity[rows] = self.parts["transformer"](
                hidden_states=cells[rows],
                encoder_hidden_states=tokens[rows, :length],
                encoder_attention_mask=condition.mask[rows, :length],
                timestep=level[rows],
                latent_cond=torch.zeros_like(cells[rows]),
                return_dict=False,
            )[0]
        return (-velocity if self.rising else velocity).transpose(1, 2)


def _plain(prompt: str) -> str:
    """Return a prompt as the network was trained on them: in small letters, without quotes or spaces too many."""
    return " ".join(re.sub('["“”‘’]', " ", prompt.lower()).split())


def _as_long_as(condition: Condition, away: Condition) -> Condition:
    """Return the prompts to lead away from, those that are zeros with as many tokens as the other ones."""
    empty = ~away.tokens.flatten(1).any(1)
    if not empty.any():
        return away
    count = max(len(condition.tokens), len(away.tokens))
    zeros = Condition(torch.zeros_like(condition.tokens), condition.mask).expand(count)
    rows = [i + count * bool(none) for i, none in enumerate(empty.expand(count))]
    return away.expand(count).cat(zeros).rows(rows)


def _check_parts(source: Source, codec: LongCatCodec) -> None:
    parts, folder = codec.parts, source.folder
    network = parts.config("transformer")
    latents = {"in_channels": network["latent_dim"], "out_channels": network["latent_dim"]}
    source.check_channels("transformer", latents, codec.latent_channels)
    width = parts.config("text_encoder")["d_model"]
    if network["dit_text_dim"] != width:
        raise ModelError(
            f"The transformer in {folder} reads vectors of {network['dit_text_dim']} numbers, but its text_encoder "
            f"makes {width}; the two are not of the same model."
        )
    samples = codec.decode(torch.zeros(1, codec.latent_channels, 2)).shape[-1]
    if samples != 2 * codec.factor:
        raise ModelError(
            f"The vae in {folder} makes {samples / 2:g} samples of a latent, but its config says {codec.factor}: its "
            "strides and its downsampling_ratio are not of the same model."
        )
