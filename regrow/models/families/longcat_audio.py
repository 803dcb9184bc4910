"""LongCat-AudioDiT (Meituan 2026): a transformer on the latents of a wave codec, flow matching.

It is conditioned on a UMT5 encoder's tokens. Clips are mono at 24 kHz, up to 30 s; longer ones are denoised in windows.
The network's time runs from 0 (noise) to 1 (clean), and it predicts `x0 - eps`.

Each prompt is computed at its own length. diffusers' pipeline pads a batch to its longest prompt, which changes the
result of convolutions and means over the tokens.
"""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.denoiser import Denoiser
from regrow.core.guidance import Guidance
from regrow.core.schedules import Flow
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.wave import LongCatCodec, WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.model import Model
from regrow.models.own_settings import OwnSettings
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import T5, Source

WORDS = ("tokenizer", "text_encoder")
SECONDS = 30
"""Longest clip in seconds, from diffusers' pipeline; no file of the checkpoint holds it."""
TOKENS = 512
"""Most tokens that diffusers' pipeline reads; the tokenizer itself names no limit."""
LEVELS = Flow(1000, 1.0)
"""The levels of diffusers' pipeline, which reads no scheduler config; the published folder has none."""


@register(
    "longcat-audio",
    "LongCat-AudioDiT (LongCatAudioDiTPipeline)",
    pipelines=("LongCatAudioDiTPipeline",),
    parts={"transformer": ("LongCatAudioDiTTransformer",)},
    folders=("transformer", "vae", *WORDS),
    medium=SOUND,
)
class LongCatAudio(Model):
    """See `Model`. Its parts are `transformer`, `vae`, `text_encoder` and `tokenizer`."""

    NETWORK = "transformer"
    engine_graph = False
    trainable = False

    @classmethod
    def open(cls, source: Source) -> "LongCatAudio":
        scheduler_file, notes = source.folder / "scheduler" / "scheduler_config.json", ()
        if scheduler_file.is_file():
            notes = (say("longcat_scheduler_unused", file=scheduler_file),)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", T5),
                "text_encoder": source.part("text_encoder", "transformers", "UMT5EncoderModel"),
                "vae": source.part("vae", "diffusers", "LongCatAudioDiTVae"),
                "transformer": source.part("transformer", "diffusers", "LongCatAudioDiTTransformer"),
            },
            (source.index_file,),
        )
        codec = LongCatCodec(parts, "vae")
        if checked is None:
            _check_parts(source, codec)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family="longcat-audio",
            schedule=LEVELS,
            prediction_type="flow",
            size=(codec.channels, SECONDS * codec.rate // codec.factor * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            waves=WaveFrames(codec.rate, codec.channels),
            own=OwnSettings(steps=16, guidance=4.0, solver="ddim"),
            notes=notes,
        )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    @property
    def plain_weights(self) -> tuple[nn.Parameter, ...]:
        return (self.network.proj_out.weight,)

    def condition(self, prompts: Sequence[str]) -> Condition:
        pipeline = prompt_pipeline("LongCatAudioDiTPipeline", self.parts, (*WORDS, "vae", "transformer"))
        plain = [_plain(prompt) for prompt in prompts]
        warn_of_cut_words(self.name, self.tokenizer, plain, min(self.tokenizer.model_max_length, TOKENS))
        tokens, lengths = pipeline.encode_prompt(plain, self.device)
        return Condition(tokens, torch.arange(tokens.shape[1], device=self.device) < lengths[:, None])

    def unconditional(self, count: int) -> Condition:
        """Return zeros in place of tokens; `denoiser` makes them as long as the prompts."""
        empty = self.condition([""] * count)
        return Condition(torch.zeros_like(empty.tokens), empty.mask)

    def denoiser(
        self, condition: Condition, negative: Condition | None = None, guidance: Guidance = 1.0, closed: bool = False
    ) -> Denoiser:
        """Return a denoiser; see `Model.denoiser`. Zeros as a negative prompt are as long as the prompt."""
        if not isinstance(guidance, Tensor) and guidance == 1:
            return super().denoiser(condition, negative, guidance, closed)
        away = self.unconditional(1) if negative is None else negative
        return super().denoiser(condition, _as_long_as(condition, away), guidance, closed)

    def forward(
        self, x_t: Float[Tensor, "b c cells"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c cells"]:
        assert condition.mask is not None, "every prompt is encoded with one"
        cells, shares = x_t.transpose(1, 2), (1 - labels / LEVELS.labels).to(x_t)
        lengths, velocity = condition.mask.sum(1), torch.empty_like(cells)
        for length in lengths.unique().tolist():
            rows = lengths == length
            velocity[rows] = self.parts["transformer"](
                hidden_states=cells[rows],
                encoder_hidden_states=condition.tokens[rows, :length].to(x_t),
                encoder_attention_mask=condition.mask[rows, :length],
                timestep=shares[rows],
                latent_cond=torch.zeros_like(cells[rows]),
                return_dict=False,
            )[0]
        return (-velocity).transpose(1, 2)


def _plain(prompt: str) -> str:
    """Return a prompt as in training: in lower case, without quotes and superfluous spaces."""
    return " ".join(re.sub('["“”‘’]', " ", prompt.lower()).split())


def _as_long_as(condition: Condition, away: Condition) -> Condition:
    """Return the negative prompts; those that are zeros get as many tokens as the positive prompts."""
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
        raise ModelError(say("transformer_vectors_differ", folder=folder, read=network["dit_text_dim"], made=width))
    samples = codec.decode(torch.zeros(1, codec.latent_channels, 2)).shape[-1]
    if samples != 2 * codec.factor:
        raise ModelError(say("vae_downsampling_differs", folder=folder, samples=samples / 2, said=codec.factor))
