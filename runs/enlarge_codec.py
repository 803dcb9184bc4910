"""Give a codec of pictures one more level on both sides: twice the pixels from the same latents, so its denoiser stays.

.venv/bin/python runs/enlarge_codec.py MODEL FOLDER STEPS [THREADS]

The decoder learns drawings of 256 x 256 from the latents that the encoder has of the same scenes at half that size (two
thirds of each batch) and from latents noised and regrown by the denoiser (one third; `sharpen_decoder.py` says why).
The corners, which few windows show, are mended after that: a mean of the decoder before and after some steps that look
at little else. The encoder then learns to have those latents of the large drawings. Writes FOLDER/vae. Killed, the same
command goes on.
"""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from regrow.models.part import channels_last
from sharpen_decoder import NOISIEST, STEPS, regrow, taught, window
from torch import Tensor, nn
from torch.nn import functional

from regrow.core.noise import derive_seed
from regrow.core.progress import finish
from regrow.models.open import open_model
from regrow.training.distributed import Share, make_accelerator
from regrow.training.latents import fingerprint, latents_of
from regrow.training.loop import Fit, fit
from regrow.training.training_data import storybook_data, to_batch

SCENES, REGROWN, HELD = 9_000, 3_000, 32
SIZE = 256
FACTOR = 16
BLOCKS = 1
"""Of the decoder at 128 x 128; there were none, and none are at 256 x 256, where each would cost four times as much."""


def half(pictures: Tensor) -> Tensor:
    """Pictures of half the size."""
    return functional.avg_pool2d(pictures, 2)


def enlarged(codec: AutoencoderTiny) -> AutoencoderTiny:
    """One with a level more, whose other levels have the weights they had."""
    config = {k: v for k, v in codec.config.items() if not k.startswith("_") and k != "block_out_channels"}
    below, above = codec.config["num_decoder_blocks"][:-1], codec.config["num_encoder_blocks"]
    channels = codec.config["decoder_block_out_channels"]
    more = {
        "num_decoder_blocks": (*below, BLOCKS, 0),
        "num_encoder_blocks": (0, *above),
        "decoder_block_out_channels": (*channels, channels[-1]),
        "encoder_block_out_channels": (*channels, channels[-1]),
    }
    large = AutoencoderTiny(**{**config, **more})
    decoder, encoder = codec.decoder.layers, codec.encoder.layers
    with torch.no_grad():
        for i in range(len(decoder) - 1):
            large.decoder.layers[i].load_state_dict(decoder[i].state_dict())
        block, widened, last = large.decoder.layers[-4], large.decoder.layers[-2], large.decoder.layers[-1]
        block.conv[-1].weight.zero_()
        block.conv[-1].bias.zero_()
        nn.init.dirac_(widened.weight)
        last.load_state_dict(decoder[-1].state_dict())
        for i in range(1, len(encoder)):
            large.encoder.layers[i + 1].load_state_dict(encoder[i].state_dict())
        first, halving = large.encoder.layers[0], large.encoder.layers[1]
        first.load_state_dict(encoder[0].state_dict())
        nn.init.dirac_(halving.weight)
    return large


def main(name: str, folder: Path, steps: int, threads: int = 1) -> None:
    torch.set_num_threads(threads)
    accelerator = make_accelerator("fp32")
    model = open_model(name)
    small = model.codec
    data = finish(storybook_data(SCENES, HELD, SIZE))
    scale = small.config.scaling_factor
    with accelerator.main_process_first():
        content = f"halves of {data.content} {scale} fp32"
        encode = lambda items: model.encode(half(to_batch(items)))  # noqa: E731
        latents = finish(latents_of(small, encode, lambda k: np.array(data.items[k]), len(data.items), content))
        content = f"regrown {content} {fingerprint(model.network)} {NOISIEST} {STEPS}"
        regrown = finish(latents_of(small, regrow(model, latents), lambda k: np.arange(REGROWN)[k], REGROWN, content))
    codec = enlarged(small)
    channels_last(codec)
    held = range(data.trained_on, len(data.items))
    large = to_batch(data.items[list(held)])

    class Decoding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decoder = codec.decoder

        def forward(self, z: Tensor) -> Tensor:
            return self.decoder(z / scale)

    class Encoding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = codec.encoder

        def forward(self, pictures: Tensor) -> Tensor:
            return self.encoder(pictures) * scale

    def decoding_loss(network: nn.Module, share: Share, corners: float = 0) -> Tensor:
        random = np.random.default_rng(derive_seed(0, "enlarge", share.step))
        seen, also = (random.integers(count, size=size) for count, size in ((data.trained_on, 4), (REGROWN, 2)))
        plain = [window(data, int(i), random, FACTOR, corners) for i in seen]
        grown = [window(data, int(i), random, FACTOR, corners) for i in also]
        windows = plain[share.of(len(plain))], grown[share.of(len(grown))]
        return taught(network, data, windows, (latents, regrown))

    def encoding_loss(network: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(0, "encode", share.step))
        which = np.sort(random.integers(data.trained_on, size=6))[share.of(6)]
        target = torch.from_numpy(latents[which]).float()
        return (network(to_batch(np.array(data.items[which]))) - target).square().mean()

    def decibels(again: Tensor, truth: Tensor) -> float:
        return float((10 * torch.log10(4 / (again - truth).square().mean((1, 2, 3)))).mean())

    @torch.no_grad()
    def drawn(network: nn.Module) -> float:
        again = torch.cat([network(torch.from_numpy(latents[[i]]).float()) for i in held]).clamp(-1, 1)
        print(f"{decibels(again, large):.2f} dB, at half size {decibels(half(again), half(large)):.2f}", flush=True)
        return -decibels(again, large)

    @torch.no_grad()
    def encoded(network: nn.Module) -> float:
        found = torch.cat([network(part) for part in large.split(8)])
        return float((found - torch.from_numpy(latents[list(held)]).float()).square().mean())

    long = Fit(steps=steps, rate=1e-3, plain_rate=3e-4, flat=0.4, ema=0.995)
    short = Fit(steps=steps // 30, optimizer="adamw", rate=1e-4, plain_rate=1e-4, warm_up=5, ema=0.9)
    again = replace(long, steps=steps // 8, rate=6e-4, plain_rate=2e-4)
    for part, module, loss, examine, settings in (
        ("decoder", Decoding(), decoding_loss, drawn, long),
        ("corners", Decoding(), partial(decoding_loss, corners=0.5), drawn, short),
        ("encoder", Encoding(), encoding_loss, encoded, again),
    ):
        before = {name: weights.clone() for name, weights in codec.state_dict().items()}
        for state in fit(module, loss, settings, folder / part, accelerator, (), examine):
            if state.validation is not None:
                print(f"{part}, step {state.step} of {state.steps}: {state.validation:.4f}", flush=True)
        if part == "corners":
            codec.load_state_dict({name: torch.lerp(before[name], w, 0.5) for name, w in codec.state_dict().items()})
    if accelerator.is_main_process:
        codec.save_pretrained(folder / "vae")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:5]))
