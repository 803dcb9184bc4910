"""LongCat-AudioDiT (Meituan 2026): a transformer on the latents of a wave codec, flow matching.

It is conditioned on the words of a UMT5 encoder. Clips are mono at 24 kHz, up to 30 s; longer ones are denoised in
windows. Its network counts its levels from noise to clean, and predicts `x0 - eps`.

A prompt is computed at its own length, whatever other prompts are beside it: diffusers' pipeline pads those of a batch
to the longest, which the convolutions and means over the words then answer differently.
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
"""That a clip lasts at most, in diffusers' pipeline, which no file says."""
TOKENS = 512
"""That diffusers' pipeline reads at most, whose tokenizer says of itself that it has no end."""
LEVELS = Flow(1000, 1.0)
"""Those of diffusers' pipeline, which reads no scheduler's file; the published folder has none."""


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
            notes = (
                f"{scheduler_file} was left aside: the levels of LongCat-AudioDiT are always the same, even ones.",
            )
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
