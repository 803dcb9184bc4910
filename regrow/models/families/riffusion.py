"""Riffusion (Forsgren & Martiros 2022, riffusion.com/about): Stable Diffusion 1.5 on pictures of spectrograms.

The folder is Stable Diffusion's, and nothing in its files says that its pictures are spectrograms. It is recognised by
its name (`riffusion/riffusion-model-v1`), by a `family.json` in it, or by `--as riffusion`; not by a hash of the
published weights, which were not available offline. Fine-tuned checkpoints are assumed to have the published scale,
too: see `regrow.models.codecs.riffusion`.
"""

from dataclasses import replace
from typing import Self

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.autoencoder import Autoencoder
from regrow.models.codecs.riffusion import RiffusionFrames, RiffusionPictures, filters
from regrow.models.errors import ModelError
from regrow.models.families.stable_diffusion import StableDiffusion
from regrow.models.registry import register
from regrow.models.sidecars.mel_file import MEL_FILE
from regrow.models.sidecars.piano_roll_file import PIANO_ROLL_FILE
from regrow.models.source import Source


@register(
    "riffusion",
    "riffusion (StableDiffusionPipeline on spectrograms)",
    pipelines=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
    folders=("unet", "vae", "text_encoder", "tokenizer"),
    medium=SOUND,
    named="riffusion",
)
class Riffusion(StableDiffusion):
    """See `Model` and `StableDiffusion`. Each row of its pictures is a band, each column a frame of 10 ms."""

    trainable = False
    lora = False
    new_objectives = ()

    @classmethod
    def open(cls, source: Source) -> Self:
        for name in (MEL_FILE, PIANO_ROLL_FILE):
            if (source.folder / name).exists():
                raise ModelError(say("riffusion_has_own_scale", folder=source.folder, name=name))
        model = super().open(source)
        bands = model.size[0]
        try:
            filters(bands)
        except ValueError as error:
            raise ModelError(say("riffusion_too_high", folder=source.folder, problem=error)) from error
        return replace(
            model,
            family="riffusion",
            waves=RiffusionFrames(bands),
            codec=RiffusionPictures(Autoencoder(model.parts, "vae", rounds=False)),
        )
