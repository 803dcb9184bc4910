"""AudioLDM (Liu et al. 2023, arXiv 2301.12503): a UNet on latents of log-mels, and a vocoder.

It is conditioned on one vector of the words, which CLAP makes of them (Wu et al. 2023, arXiv 2211.06687): its UNet
takes it as a class. Sounds are mono, of 5 or 10 s at 16 kHz; longer ones are denoised in windows. The model knows no
level: each of its sounds has a peak of 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.models.codecs.vocoder import VocoderCodec, mel_settings
from regrow.models.codecs.wave import WaveFrames
from regrow.models.condition import Condition
from regrow.models.errors import ModelError
from regrow.models.folder import network_size
from regrow.models.model import Model
from regrow.models.parts import Part
from regrow.models.pipelines import prompt_pipeline, warn_of_cut_words
from regrow.models.registry import register
from regrow.models.source import ROBERTA, Source

PEAK = 0.5
"""Of every sound that these models were trained on."""


@dataclass(eq=False, kw_only=True)
class VocodedModel(Model):
    """What AudioLDM, AudioLDM 2 and MusicLDM share; see `Model`.

    Frames are mono waves, latents `b c rows cells`. Its parts are `unet`, `vae`, `vocoder` and those for words.

    Attributes:
        rows: of a latent: its cells along frequency.
    """

    FAMILY: ClassVar[str]
    UNET: ClassVar[str] = "UNet2DConditionModel"
    CLAP: ClassVar[str] = "ClapModel"
    FED: ClassVar[str] = "class_embed_type"
    engine_graph = False
    trainable = False

    rows: int

    @classmethod
    def open(cls, source: Source) -> Self:
        schedule, prediction_type, scheduler_file = source.schedule()
        # of sample_size the first is of time; a class is what CLAP's vector is to the network
        cells, _ = network_size(source.folder / "unet" / "config.json", cls.FED)
        parts, files, checked = source.parts(
            {
                "tokenizer": source.tokenizer("tokenizer", ROBERTA),
                "text_encoder": source.part("text_encoder", "transformers", cls.CLAP),
                **cls.more_words(source),
                "vocoder": source.part("vocoder", "transformers", "SpeechT5HifiGan"),
                "vae": source.part("vae", "diffusers", "AutoencoderKL"),
                "unet": source.part("unet", "diffusers", cls.UNET),
            },
            (source.index_file, scheduler_file),
        )
        settings, notes = mel_settings(parts.config("vocoder"), source.folder / "vocoder" / "config.json")
        codec = VocoderCodec(parts, "vae", "vocoder", settings)
        if checked is None:
            _check_codec(source, codec)
            cls.check_words(source, codec)
            source.remember(parts, files)
        return cls(
            name=source.name,
            folder=source.folder,
            family=cls.FAMILY,
            schedule=schedule,
            prediction_type=prediction_type,
            size=(1, cells * codec.factor),
            multiple=codec.factor,
            parts=parts,
            codec=codec,
            files=files,
            notes=notes,
            rows=codec.rows,
            waves=WaveFrames(settings.rate, 1, known_peak=PEAK),
        )

    @classmethod
    def more_words(cls, source: Source) -> Mapping[str, Part]:
        """Return the parts beside CLAP that encode words."""
        return {}

    @classmethod
    def check_words(cls, source: Source, codec: VocoderCodec) -> None:
        """Refuse a network that takes other vectors than its text encoders make, by a ModelError."""
        unet, made = codec.parts.config("unet"), codec.parts.config("text_encoder")["projection_dim"]
        taken = unet["projection_class_embeddings_input_dim"]
        if taken != made:
            raise ModelError(
                f"The unet in {source.folder} takes a vector of words of {taken} numbers, but its text encoder makes "
                f"{made}; the two are not of the same model."
            )
        blocks, widths = unet["block_out_channels"], unet["cross_attention_dim"]
        attended = [widths] * len(blocks) if isinstance(widths, int) else widths
        each = zip(unet["down_block_types"], blocks, attended, strict=True)
        if any(kind.startswith("CrossAttn") and own != width for kind, own, width in each):
            raise ModelError(
                f"The unet in {source.folder} attends to words one by one, which AudioLDM's does not; it is of "
                "another model."
            )

    @property
    def extent(self) -> tuple[int, ...]:
        return (self.size[1],)

    def latent_shape(self, *extent: int) -> tuple[int, ...]:
        channels, cells = super().latent_shape(*extent)
        return channels, self.rows, cells

    def forward(
        self, x_t: Float[Tensor, "b c rows cells"], labels: Float[Tensor, " b"], condition: Condition
    ) -> Float[Tensor, "b c rows cells"]:
        vector = condition.tokens[:, 0].to(x_t)
        return self.parts["unet"](x_t.mT, labels, None, class_labels=vector).sample.mT


@register(
    "audioldm",
    "AudioLDM (AudioLDMPipeline)",
    pipelines=("AudioLDMPipeline",),
    parts={"text_encoder": ("ClapTextModelWithProjection",), "vocoder": ("SpeechT5HifiGan",)},
    folders=("unet", "vae", "vocoder", "tokenizer", "text_encoder"),
    medium=SOUND,
)
class AudioLDM(VocodedModel):
    """See `VocodedModel`."""

    FAMILY = "audioldm"
    CLAP = "ClapTextModelWithProjection"

    def condition(self, prompts: Sequence[str]) -> Condition:
        warn_of_cut_words(self.name, self.tokenizer, prompts, self.tokenizer.model_max_length)
        pipeline = prompt_pipeline("AudioLDMPipeline", self.parts, ("tokenizer", "text_encoder"))
        with torch.no_grad():
            vectors = pipeline._encode_prompt(list(prompts), self.device, 1, False)
        return Condition(vectors[:, None])


def _check_codec(source: Source, codec: VocoderCodec) -> None:
    vae, folder = codec.parts.config("vae"), source.folder
    source.check_channels("unet", codec.parts.config("unet"), codec.latent_channels)
    if (vae["in_channels"], vae["out_channels"]) != (1, 1):
        raise ModelError(
            f"The vae in {folder} takes {vae['in_channels']} channels and returns {vae['out_channels']}; that of mels "
            "takes and returns 1."
        )
    shrinks = codec.factor // codec.settings.hop
    if codec.settings.bands % shrinks:
        raise ModelError(
            f"The vocoder in {folder} takes {codec.settings.bands} bands, which its vae cannot divide by {shrinks}; "
            "the two are not of the same model."
        )
