"""Networks that work on mels themselves, without words: the folders of diffusers' AudioDiffusionPipeline.

A UNet2DModel denoises mels of `y_res` bands and `x_res` frames, in the latent kind behind an AutoencoderKL ("vqvae").
Which mels, `mel/mel_config.json` says. They are librosa's, whose bands are divided by their width:

    theirs[k] = ours[k] + slope[k]        dB, see `media.mel.slope`; -top_db is black and 0 dB white

In the folders of others (teticio's audio-diffusion) 0 dB is the loudest cell of a clip, whatever its level, so such a
model knows no level. In those that regrow trains 0 dB is a full-scale sine in the narrowest band, and a `mel.json`
says so. Unlike diffusers' own Mel, which rounds to 8 bits, mels stay in float here, and silence stays silent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d import UNet2DModel
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, from_unit, slope, to_unit
from regrow.models.families.pixel import WEIGHTS, PixelUNet
from regrow.models.folder import part_class, read_json, refuse_inputs, sample_size
from regrow.models.mel_file import MEL_CONFIG, MEL_FILE, read_mel, read_mel_config
from regrow.models.model import ModelError
from regrow.models.part import load_part
from regrow.models.schedules import schedule_from_config

LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in a grey picture (ITU-R BT.601), as Pillow makes one."""


class MelUNet(PixelUNet):
    """See `Model`. Its latents are librosa's mels, or what an autoencoder makes of them."""

    def encode(self, pictures: Float[Tensor, "b 1 bands frames"]) -> Float[Tensor, "b c y x"]:
        self.latent_shape(*pictures.shape[-2:])
        settings = self._settings()
        theirs = to_unit(from_unit(pictures, settings) + _slope(settings, pictures), settings).clamp_min(-1)
        if self.codec is None:
            return theirs
        with torch.no_grad():
            seen = theirs.expand(-1, self.codec.config.in_channels, -1, -1).to(self.device, self.dtype)
            mean = self.codec.encode(seen).latent_dist.mean
        return (mean * self.codec.config.scaling_factor).to(pictures)

    def decode(self, latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b 1 bands frames"]:
        """As `Model.decode`, but where librosa's filters are wider than ours a full cell may come out above 1."""
        theirs, settings = latents, self._settings()
        if self.codec is not None:
            with torch.no_grad():
                scaled = latents.to(self.device, self.dtype) / self.codec.config.scaling_factor
                seen = self.codec.decode(scaled).sample.to(latents)
            grey = torch.tensor(LUMA if seen.shape[1] == 3 else (1.0,)).to(seen)
            theirs = torch.einsum("bcyx,c->byx", seen, grey)[:, None]
        # as powers, of which the floor is none: silence stays silent in every band
        floor = 10 ** (settings.floor / 10)
        power = 10 ** (from_unit(theirs.clamp(-1, 1), settings) / 10) - floor
        ours = power * 10 ** (-_slope(settings, theirs) / 10)
        return to_unit(10 * ours.clamp_min(floor).log10(), settings)

    def _settings(self) -> MelSettings:
        assert self.mel is not None
        return self.mel


def _slope(settings: MelSettings, like: Tensor) -> Float[Tensor, "bands 1"]:
    return slope(settings).to(like)[:, None]


def open_mel_unet(folder: Path, name: str, index: Mapping[str, Any], allow_pickle: bool, dtype: torch.dtype) -> MelUNet:
    """Open a folder with `unet`, `scheduler`, `mel` and, in the latent kind, `vqvae`.

    Args:
        folder: of the pipeline.
        name: for messages.
        index: the contents of its `model_index.json`.
        allow_pickle: whether pickled weights may be read.
        dtype: of the network.

    Raises:
        ModelError: a part is missing, damaged or unknown, or the mel's settings do not fit the network.
    """
    where = folder / "model_index.json"
    part_class(index, "unet", ("UNet2DModel",), where)
    part_class(index, "mel", ("Mel",), where)
    config_file = folder / "unet" / "config.json"
    config = read_json(config_file)
    refuse_inputs(config, config_file)
    height, width = sample_size(config, config_file)
    scheduler_file = folder / "scheduler" / "scheduler_config.json"
    schedule, prediction_type = schedule_from_config(read_json(scheduler_file), scheduler_file)
    unet, unet_files = load_part(UNet2DModel, folder / "unet", dtype, allow_pickle, WEIGHTS)
    codec, codec_files, factor, channels = None, (), 1, unet.config.in_channels
    if list(index.get("vqvae") or (None, None)) != [None, None]:
        part_class(index, "vqvae", ("AutoencoderKL",), where)
        codec, codec_files = load_part(AutoencoderKL, folder / "vqvae", dtype, allow_pickle, WEIGHTS)
        factor, channels = 2 ** (len(codec.config.block_out_channels) - 1), codec.config.in_channels
    made = codec.config.latent_channels if codec else 1
    if not unet.config.in_channels == unet.config.out_channels == made or channels not in (1, 3):
        raise ModelError(
            f"The network of {config_file} takes {unet.config.in_channels} channels and returns "
            f"{unet.config.out_channels}, where mels{' behind this vqvae' if codec else ''} have {made}."
        )
    extent = (height * factor, width * factor)
    heard = read_mel(folder, 1, extent) if (folder / MEL_FILE).is_file() else None
    settings = read_mel_config(folder, extent)
    if heard not in (None, settings):
        raise ModelError(
            f"{folder / MEL_FILE} and {folder / MEL_CONFIG} say different things: one is of another model."
        )
    return MelUNet(
        name=name,
        folder=folder,
        family="mel-unet",
        schedule=schedule,
        prediction_type=prediction_type,
        size=extent,
        multiple=factor * 2 ** (len(unet.config.block_out_channels) - 1),
        latent_channels=unet.config.in_channels,
        factor=factor,
        files=(
            where,
            scheduler_file,
            folder / MEL_CONFIG,
            *((folder / MEL_FILE,) if heard else ()),
            *codec_files,
            *unet_files,
        ),
        unet=unet,
        codec=codec,
        mel=settings,
        relative=heard is None,
    )
