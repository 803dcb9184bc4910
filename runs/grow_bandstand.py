"""Grow the sound model on from its first, smaller self, instead of from nothing.

.venv/bin/python runs/grow_bandstand.py OLD FOLDER TIME

Gives the codec of OLD the blocks of a new one (those that are added begin as identities) and trains all of it for TIME,
like 36m; gives its denoiser room for a contour (kernels of zero, so that it still says what it said); and leaves both
in FOLDER, from which `regrow train --world bandstand --from FOLDER --stage denoiser` goes on. Killed, the same command
goes on.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

from regrow.families.contour_file import write_contour
from regrow.families.model import Model
from regrow.families.new import new_mel_codec
from regrow.families.registry import open_model
from regrow.families.saving import save_model
from regrow.media.contour import STANDARD
from regrow.operations.codec_stage import CodecOf, scale_latents
from regrow.operations.fitting import fit
from regrow.operations.progress import finish
from regrow.operations.spread import make_accelerator
from regrow.operations.stages import FRAMES
from regrow.operations.training_data import bandstand_data
from regrow.operations.training_request import Train

PHRASES = 6000


def grown(codec: AutoencoderTiny) -> AutoencoderTiny:
    """The same codec with the blocks of a new one: what is added adds nothing yet."""
    larger = new_mel_codec(0)
    weights, found = larger.state_dict(), codec.state_dict()
    for part, key in (("encoder", "num_encoder_blocks"), ("decoder", "num_decoder_blocks")):
        old, new = (_places(part, one.config[key]) for one in (codec, larger))
        for name in [name for name in weights if name.startswith(f"{part}.layers.")]:
            number, rest = name.removeprefix(f"{part}.layers.").split(".", 1)
            place = new[int(number)]
            if place in old:
                weights[name] = found[f"{part}.layers.{old.index(place)}.{rest}"]
            elif rest.startswith("conv.4."):  # the last convolution of a block, which is added to the block's input
                weights[name].zero_()
    larger.load_state_dict(weights)
    return larger


def _places(part: str, blocks: tuple[int, ...]) -> list[tuple[int, str, int]]:
    """What each layer of an encoder or decoder is: its level, its kind, and which of that kind."""
    decodes = part == "decoder"
    places = [(-1, "convolution", 0), (-1, "activation", 0)] if decodes else []
    for level, count in enumerate(blocks):
        if not decodes:
            places.append((level, "convolution", 0))  # the first, or one that halves
        places += [(level, "block", i) for i in range(count)]
        if decodes:
            places += [(level, "upsampling", 0)] if level < len(blocks) - 1 else []
            places.append((level, "convolution", 0))
    return places if decodes else [*places, (len(blocks), "convolution", 0)]


def widened(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The same denoiser with room for a contour, which it does not heed yet."""
    config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
    wider = UNet2DConditionModel(**{**config, "in_channels": config["in_channels"] + STANDARD.channels})
    weights = unet.state_dict()
    kernel = torch.zeros_like(wider.conv_in.weight)
    kernel[:, : config["in_channels"]] = weights["conv_in.weight"]
    wider.load_state_dict({**weights, "conv_in.weight": kernel})
    return wider


def begin(old: Model, folder: Path) -> None:
    """Write the grown, but not yet trained, model into a folder that does not exist."""
    larger: Any = grown(old.codec)
    larger.register_to_config(scaling_factor=old.codec.config.scaling_factor)
    old.codec, old.unet = larger, widened(old.unet)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        save_model(old, Path(aside) / "new", torch.float32)
        for name in ("describer.safetensors", "training.json", "README.md"):  # of the old latents
            (Path(aside) / "new" / name).unlink(missing_ok=True)
        write_contour(Path(aside) / "new", STANDARD)
        (Path(aside) / "new").rename(folder)


def main(name: str, folder: Path, time: str) -> None:
    torch.set_num_threads(1)
    start = folder.with_name(folder.name + "-start")
    if not start.exists():
        begin(open_model(name), start)
    model = open_model(start)
    assert model.mel is not None
    data = finish(bandstand_data(PHRASES, 32, FRAMES, model.mel))
    request = Train(name=folder.name, world="bandstand", stage="codec", time=time, rate=2e-3, flat=0.35)
    accelerator = make_accelerator("bf16")
    staged = finish(CodecOf(share=1.0).prepare(request, model, data, accelerator))
    for state in fit(
        staged.module, staged.loss_at, staged.settings, folder.with_name(folder.name + "-run"), accelerator, (),
        staged.examine,
    ):  # fmt: skip
        if state.validation is not None:
            print(f"step {state.step} of {state.steps}: {state.validation:.5f}, {state.seconds:.0f} s", flush=True)
    scale_latents(model, data)
    save_model(model, folder, torch.float32)
    shutil.copy(start / "contour.json", folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
