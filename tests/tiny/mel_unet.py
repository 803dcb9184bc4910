"""audio-diffusion (teticio): UNets on mels, and on the latents of an autoencoder of mels."""

from collections.abc import Sequence
from pathlib import Path

import torch
from checkpoints import audio_diffusion, codec_kl, livelier
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DModel
from jaxtyping import Float
from tame_networks import fitted
from torch import Tensor

from tiny.tiny import Tiny


def mel_unet(folder: Path) -> Path:
    """Like teticio/audio-diffusion-256: epsilon on mels themselves."""
    return tame(audio_diffusion(folder))


def latent_mel_unet(folder: Path) -> Path:
    """Like teticio/latent-audio-diffusion-256: epsilon on the one channel of an AutoencoderKL."""
    audio_diffusion(folder, latent=True)
    AutoencoderKL(**{**codec_kl().config, "in_channels": 1, "out_channels": 1, "latent_channels": 1}).save_pretrained(
        folder / "vqvae"
    )
    return tame(folder)


def tame(folder: Path) -> Path:
    """Give the network one channel, and fit it to the noise in its input, so that latents keep a spread near 1."""
    torch.manual_seed(31)
    changes = {"in_channels": 1, "out_channels": 1, "block_out_channels": (32, 32)}
    net = livelier(UNet2DModel.from_config(UNet2DModel.load_config(folder / "unet"), **changes))
    fitted(net, (1, 16, 16), {}, net).save_pretrained(folder / "unet")
    return folder


def latents(
    folder: Path,
    prompts: Sequence[str],
    negatives: Sequence[str] | None,
    guidance: float,
    steps: int,
    start: Float[Tensor, "b c y x"],
) -> Float[Tensor, "b c y x"]:
    """Run the network and DDIM as AudioDiffusionPipeline does, without its clipped x0 (`families.pixel` says why).

    The pipeline itself cannot be opened without librosa, and ends in its pictures of 8 bits, which
    `test_mel_unet.py` compares.
    """
    assert not any(prompts)
    assert negatives is None
    assert guidance == 1
    net = UNet2DModel.from_pretrained(folder / "unet", torch_dtype=start.dtype)
    config = DDIMScheduler.load_config(folder / "scheduler")
    scheduler = DDIMScheduler.from_config(config, clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    x = start
    for t in scheduler.timesteps:
        with torch.no_grad():
            x = scheduler.step(net(x, t).sample, int(t), x).prev_sample  # pyright: ignore[reportAttributeAccessIssue]
    return x


TINY = {
    "mel-unet": Tiny(mel_unet, latents, (2, 1, 32, 64), takes_words=False),
    "latent-mel-unet": Tiny(latent_mel_unet, latents, (2, 1, 16, 32), takes_words=False, shared=False),
}
