"""Unconditional networks on mels: the folders of diffusers' AudioDiffusionPipeline.

A UNet2DModel denoises librosa's mels of `y_res` bands and `x_res` frames (`mel/mel_config.json`), or an AutoencoderKL's
latents of them ("vqvae"). In folders of others (teticio's audio-diffusion) 0 dB is the loudest cell of each clip, so
such a model knows no absolute level. In those that regrow trains, 0 dB is a full-scale sine in the narrowest band, and
a `mel.json` says so.
"""

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.messages.message import say
from regrow.models.codecs.librosa_mel import LibrosaMels
from regrow.models.codecs.mel import MelFrames
from regrow.models.errors import ModelError
from regrow.models.families.pixel import PixelUNet
from regrow.models.folder import network_size
from regrow.models.registry import register
from regrow.models.sidecars.mel_file import MEL_CONFIG, MEL_FILE, read_mel, read_mel_config
from regrow.models.source import Source


@register(
    "mel-unet",
    "mel UNets (AudioDiffusionPipeline)",
    pipelines=("AudioDiffusionPipeline",),
    folders=("unet", "vqvae"),
    medium=SOUND,
)
class MelUNet(PixelUNet):
    """See `Model`. Its latents are librosa's mels, or an autoencoder's latents of them."""

    @classmethod
    def open(cls, source: Source) -> "MelUNet":
        """Open a folder with `unet`, `scheduler`, `mel` and, for a latent model, `vqvae`."""
        folder, latent = source.folder, source.has("vqvae")
        source.class_of("mel", "Mel")
        config_file = folder / "unet" / "config.json"
        height, width = network_size(config_file)
        schedule, prediction_type, scheduler_file = source.schedule()
        found = {"unet": source.part("unet", "diffusers", "UNet2DModel")}
        if latent:
            found["vqvae"] = source.part("vqvae", "diffusers", "AutoencoderKL")
        has_mel_file = (folder / MEL_FILE).is_file()
        others = [
            source.index_file,
            scheduler_file,
            folder / MEL_CONFIG,
            *([folder / MEL_FILE] if has_mel_file else []),
        ]
        if not (folder / MEL_CONFIG).is_file():
            others.remove(folder / MEL_CONFIG)  # read_mel_config says what is missing
        parts, files, checked = source.parts(found, others)
        unet = parts.config("unet")
        factor, channels, made = 1, unet["in_channels"], 1
        if latent:
            codec = parts.config("vqvae")
            factor, channels = 2 ** (len(codec["block_out_channels"]) - 1), codec["in_channels"]
            made = codec["latent_channels"]
        if not unet["in_channels"] == unet["out_channels"] == made or channels not in (1, 3):
            raise ModelError(
                say(
                    "mel_network_channels_differ",
                    file=config_file,
                    taken=unet["in_channels"],
                    returned=unet["out_channels"],
                    behind=say("behind_this_vqvae") if latent else "",
                    made=made,
                )
            )
        extent = (height * factor, width * factor)
        absolute = read_mel(folder, 1, extent) if has_mel_file else None
        settings = read_mel_config(folder, extent)
        if absolute not in (None, settings):
            raise ModelError(say("folders_disagree", folder=folder / MEL_FILE, other=folder / MEL_CONFIG))
        if checked is None:
            source.remember(parts, files)
        network_multiple = 2 ** (len(unet["block_out_channels"]) - 1)
        return cls(
            name=source.name,
            folder=folder,
            family="mel-unet",
            schedule=schedule,
            prediction_type=prediction_type,
            size=extent,
            multiple=factor * network_multiple,
            parts=parts,
            codec=LibrosaMels(parts, "vqvae" if latent else None, settings),
            files=files,
            network_multiple=network_multiple,
            waves=MelFrames(settings, relative=absolute is None),
        )
