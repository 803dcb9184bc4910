"""Waves as latents of log-mels, and back by a vocoder: the codec of AudioLDM (Liu et al. 2023, arXiv 2301.12503).

    mel[b, 1, i, k] = ln max(sum_f W[k, f] |X[f, i]|, 1e-5)

X is the short-time Fourier transform with a Hann window, W are librosa's filters: triangles on Slaney's mel scale, each
divided by half its width in Hz. As in HiFi-GAN (Kong et al. 2020, arXiv 2010.05646), frame i is centred in its hop,
and the wave is mirrored at both ends. An autoencoder encodes the mels as latents; HiFi-GAN turns decoded mels into
waves.

In these mels time is the second-to-last axis. Latents are transposed here, so that time is last, as elsewhere in
regrow.
"""

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, librosa_filters
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.models.codecs.codec import CodecEngine
from regrow.models.errors import ModelError
from regrow.models.parts import Parts

FLOOR = 1e-5
"""The magnitude below which a cell is silent."""
WINDOW = 64
"""Longest window in milliseconds; the largest power of two of samples within it is used, 1024 at 16 kHz."""
PUBLISHED = (16_000, 160, 64)
"""Rate, hop and bands of the published checkpoints."""


def mel_settings(vocoder: Mapping[str, Any], file: Path) -> tuple[MelSettings, tuple[str, ...]]:
    """Return the mel settings of a HiFi-GAN, and messages on what had to be assumed.

    The config holds rate, hop and bands, but not the window and the range of frequencies. The published checkpoints
    have 1024 samples at 16 kHz, and all frequencies up to half the rate.

    Args:
        vocoder: the config of a `SpeechT5HifiGan`.
        file: its path, for messages.

    Raises:
        ModelError: no mels have these settings.
    """
    rate, hop, bands = vocoder["sampling_rate"], prod(vocoder["upsample_rates"]), vocoder["model_in_dim"]
    window = 1 << (rate * WINDOW // 1000).bit_length() - 1
    try:
        settings = MelSettings(rate, window, hop, bands, low=0.0, high=rate / 2)
        librosa_filters(settings)
    except MediaError as error:
        raise ModelError(say("vocoder_of_unknown_mels", file=file, problem=error)) from error
    if (rate, hop, bands) == PUBLISHED:
        return settings, ()
    said = say("mels_not_described", file=file, window=window)
    return settings, (said,)


def log_mel(waves: Float[Tensor, "b 1 n"], settings: MelSettings) -> Float[Tensor, "b 1 frames bands"]:
    """Return the mels of waves whose length is a multiple of the hop: one frame per hop."""
    margin = (settings.window - settings.hop) // 2
    mirrored = waves.shape[-1] > margin
    filled = F.pad(waves[:, 0].float(), (margin, margin), mode="reflect" if mirrored else "constant")
    window = torch.hann_window(settings.window, device=waves.device)
    transform = torch.stft(
        filled, settings.window, settings.hop, window=window, center=False, return_complex=True
    )  # fmt: skip
    magnitude = librosa_filters(settings).to(window) @ transform.abs()
    return magnitude.clamp_min(FLOOR).log().mT[:, None]


class VocoderCodec:
    """See `Codec`. Frames are waves `b 1 samples` at `rate` Hz in [-1, 1]; the posterior's mean is used.

    Args:
        parts: the checkpoint's parts: an AutoencoderKL of mels, and a SpeechT5HifiGan.
        part: name of the autoencoder.
        vocoder: name of the vocoder.
        settings: mel settings.
    """

    def __init__(self, parts: Parts, part: str, vocoder: str, settings: MelSettings) -> None:
        self.parts, self.vocoder, self.settings = parts, vocoder, settings
        self.part: str = part
        config = parts.config(part)
        self.latent_channels: int = config["latent_channels"]
        self.scale: float = config["scaling_factor"]
        shrinks = 2 ** (len(config["block_out_channels"]) - 1)
        self.factor: int = settings.hop * shrinks
        self.rows: int = settings.bands // shrinks

    @torch.no_grad()
    def encode(
        self, frames: Float[Tensor, "b 1 n"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b c rows cells"]:
        mels = log_mel(frames, self.settings).to(self.parts.device, self.parts.dtype)
        mean = self.parts[self.part].encode(mels).latent_dist.mean
        return (mean * self.scale).mT.to(frames).contiguous()

    @torch.no_grad()
    def decode(
        self, latents: Float[Tensor, "b c rows cells"], engine: CodecEngine | None = None
    ) -> Float[Tensor, "b 1 n"]:
        turned = latents.mT.contiguous().to(self.parts.device, self.parts.dtype)
        mels = self.parts[self.part].decode(turned / self.scale).sample
        # kernels that do not match their stride add some samples
        waves = self.parts[self.vocoder](mels[:, 0])[:, None, : latents.shape[-1] * self.factor]
        return waves.clamp(-1, 1).to(latents)

    def extent_of(self, places: Sequence[int]) -> tuple[int, ...]:
        return (self.factor * places[-1],)
