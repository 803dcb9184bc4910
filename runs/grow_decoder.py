"""Give the decoder of a model more blocks, which begin as identities, and train it alone; the denoiser still fits.

.venv/bin/python runs/grow_decoder.py MODEL FOLDER STEPS

Writes the grown codec into FOLDER/vae. What is made small is the logarithm of each picture's squared error, since
codecs are measured in decibels. Killed, the same command goes on.
"""

import sys
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from growing import grown
from torch import Tensor, nn

from regrow.core.progress import finish
from regrow.models.open import open_model
from regrow.models.part import channels_last
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import Fit, fit
from regrow.training.stages import SCENES
from regrow.training.train_codec import CodecStage, Coding, crops
from regrow.training.training_data import storybook_data, to_batch

BLOCKS = (6, 6, 4, 0)
"""From 16 x 16 to 128 x 128 pixels; full resolution costs most, and flat drawings need it least."""


def larger(codec: AutoencoderTiny) -> AutoencoderTiny:
    """One of the same kind with `BLOCKS` in its decoder."""
    config = {k: v for k, v in codec.config.items() if not k.startswith("_") and k != "block_out_channels"}
    return AutoencoderTiny(**{**config, "num_decoder_blocks": BLOCKS})


def main(name: str, folder: Path, steps: int) -> None:
    torch.set_num_threads(1)
    data = finish(storybook_data(SCENES, 32, 128))
    held = to_batch(data.items[data.trained_on :])
    small = open_model(name).codec
    codec = grown(small, larger(small))
    codec.encoder.requires_grad_(False)
    module = Coding(codec)
    channels_last(codec)
    stage = CodecStage(data.items[: data.trained_on], data.masks, latent_noise=0.005)

    def loss(network: nn.Module, share: Share) -> Tensor:
        pictures, weights, noise = crops(stage, share)
        error = (network(pictures, stage.latent_noise * noise)[1] - pictures).square()
        return 0.02 * torch.log(((1 + (weights - 1) / 8) * error).mean((1, 2, 3)) + 1e-5).mean()

    @torch.no_grad()
    def examine(_: nn.Module) -> float:
        again = torch.cat([module(part, 0)[1] for part in held.split(8)]).clamp(-1, 1)
        return -float((10 * torch.log10(4 / (again - held).square().mean((1, 2, 3)))).mean())

    settings = Fit(steps=steps, rate=6e-4, plain_rate=2e-4, flat=0.5, ema=0.995)
    for state in fit(module, loss, settings, folder, make_accelerator("fp32"), (), examine):
        if state.validation is not None:
            print(f"step {state.step} of {state.steps}: {-state.validation:.2f} dB", flush=True)
    codec.save_pretrained(folder / "vae")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
