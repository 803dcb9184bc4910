"""librosa's mels as a codec: regrow's mels to those that diffusers' AudioDiffusionPipeline denoises, and back.

librosa divides each band by its width, regrow does not:

    theirs[k] = ours[k] + slope[k]        dB, see `media.audio.mel.slope`; -top_db is black and 0 dB white

Unlike diffusers' own Mel, which rounds to 8 bits, mels stay in float here, and silence stays silent.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, from_unit, slope, to_unit
from regrow.models.codecs.codec import CodecEngine
from regrow.models.parts import Parts

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601), as in Pillow."""


class LibrosaMels:
    """See `Codec`. Its latents are librosa's mels, or an AutoencoderKL's latents of them.

    Args:
        parts: the checkpoint's parts.
        part: the autoencoder; None where the latents are the mels.
        settings: mel settings.
    """

    def __init__(self, parts: Parts, part: str | None, settings: MelSettings) -> None:
        self.parts, self.part, self.settings = parts, part, settings
        config = parts.config(part) if part else {}
        self.latent_channels: int = config["latent_channels"] if part else 1
        self.factor = 2 ** (len(config["block_out_channels"]) - 1) if part else 1

    def encode(
        self, frames: Float[Tensor, "b 1 bands frames"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c y x"]:
        settings = self.settings
        theirs = to_unit(from_unit(frames, settings) + self._slope(frames), settings).clamp_min(-1)
        if self.part is None:
            return theirs
        config = self.parts.config(self.part)
        with torch.no_grad():
            pictures = theirs.expand(-1, config["in_channels"], -1, -1).to(self.parts.device, self.parts.dtype)
            mean = self.parts[self.part].encode(pictures).latent_dist.mean
        return (mean * config["scaling_factor"]).to(frames)

    def decode(
        self, latents: Float[Tensor, "b c y x"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b 1 bands frames"]:
        """Return mels; a cell at full scale may come out above 1 where librosa's filters are wider than regrow's."""
        theirs, settings = latents, self.settings
        if self.part is not None:
            with torch.no_grad():
                scaled = (
                    latents.to(self.parts.device, self.parts.dtype) / self.parts.config(self.part)["scaling_factor"]
                )
                pictures = self.parts[self.part].decode(scaled).sample.to(latents)
            grey = torch.tensor(LUMA if pictures.shape[1] == 3 else (1.0,)).to(pictures)
            theirs = torch.einsum("bcyx,c->byx", pictures, grey)[:, None]
        # as powers minus the floor's, so that silence stays silent in every band
        floor = 10 ** (settings.floor / 10)
        power = 10 ** (from_unit(theirs.clamp(-1, 1), settings) / 10) - floor
        ours = power * 10 ** (-self._slope(theirs) / 10)
        return to_unit(10 * ours.clamp_min(floor).log10(), settings)

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.factor * cells for cells in places)

    def _slope(self, like: Tensor) -> Float[Tensor, "bands 1"]:
        return slope(self.settings).to(like)[:, None]
