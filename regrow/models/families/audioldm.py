"""AudioLDM (Liu et al. 2023, arXiv 2301.12503): a UNet on latents of log-mels, and a vocoder.

It is conditioned on CLAP's embedding of the prompt (Wu et al. 2023, arXiv 2211.06687), a single vector that its UNet
takes as a class embedding. Sounds are mono, of 5 or 10 s at 16 kHz; longer ones are denoised in windows. The model
knows no levels: all its training sounds have a peak of 0.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
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
"""Peak of every sound that these models were trained on."""


@dataclass(eq=False, kw_only=True)
class VocodedModel(Model):
    """The base of AudioLDM, AudioLDM 2 and MusicLDM; see `Model`.

    Frames are mono waves, latents `b c rows cells`. Its parts are `unet`, `vae`, `vocoder` and the text encoders with
    their tokenizers.

    Attributes:
        rows: cells of a latent along frequency.
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
        # sample_size has time first; the network takes CLAP's vector as a class embedding
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
        """Return further parts that encode prompts, besides CLAP."""
        return {}

    @classmethod
    def check_words(cls, source: Source, codec: VocoderCodec) -> None:
        """Raise a ModelError if the network takes other vectors than its text encoders make."""
        unet, made = codec.parts.config("unet"), codec.parts.config("text_encoder")["projection_dim"]
        taken = unet["projection_class_embeddings_input_dim"]
        if taken != made:
            raise ModelError(say("unet_word_vector_differs", folder=source.folder, taken=taken, made=made))
        blocks, widths = unet["block_out_channels"], unet["cross_attention_dim"]
        attended = [widths] * len(blocks) if isinstance(widths, int) else widths
        each = zip(unet["down_block_types"], blocks, attended, strict=True)
        if any(kind.startswith("CrossAttn") and own != width for kind, own, width in each):
            raise ModelError(say("unet_attends_words", folder=source.folder))

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
            say("vae_is_not_of_mels", folder=folder, taken=vae["in_channels"], returned=vae["out_channels"])
        )
    shrinks = codec.factor // codec.settings.hop
    if codec.settings.bands % shrinks:
        raise ModelError(say("vocoder_bands_not_divisible", folder=folder, bands=codec.settings.bands, shrinks=shrinks))
