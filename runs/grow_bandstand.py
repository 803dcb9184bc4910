"""Grow the sound model on from its first, smaller self, instead of from nothing.

.venv/bin/python runs/grow_bandstand.py OLD FOLDER TIME

OLD is the bandstand of before it could be told notes (git history, 5d8e98a). Its codec gets the blocks of a
new one (those that are added begin as identities) and all of it is trained for TIME, like 36m; the denoiser
gets room for a contour (kernels of zero, so that it still says what it said). Both are left in FOLDER, from
which `regrow train --world bandstand --from FOLDER --stage denoiser` goes on. Killed, the same command goes
on.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from growing import grown

from regrow.core.progress import finish
from regrow.media.audio.piano_roll import STANDARD
from regrow.models.model import Model
from regrow.models.new import new_mel_codec
from regrow.models.open import open_model
from regrow.models.piano_roll_file import write_piano_roll
from regrow.models.saving import save_model
from regrow.requests.train import Train
from regrow.training.codec_stage import CodecOf, scale_latents
from regrow.training.distributed import make_accelerator
from regrow.training.loop import fit
from regrow.training.stages import FRAMES
from regrow.training.training_data import bandstand_data

PHRASES = 6000


def widened(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The same denoiser with room for a contour, which it does not heed yet."""
    config = {key: value for key, value in unet.config.items() if not key.startswith("_")}
    wider = UNet2DConditionModel(**{**config, "in_channels": config["in_channels"] + STANDARD.channels(16)})
    weights = unet.state_dict()
    kernel = torch.zeros_like(wider.conv_in.weight)
    kernel[:, : config["in_channels"]] = weights["conv_in.weight"]
    wider.load_state_dict({**weights, "conv_in.weight": kernel})
    return wider


def begin(old: Model, folder: Path) -> None:
    """Write the grown, but not yet trained, model into a folder that does not exist."""
    larger: Any = grown(old.codec, new_mel_codec(0))
    larger.register_to_config(scaling_factor=old.codec.config.scaling_factor)
    old.codec, old.unet = larger, widened(old.unet)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        save_model(old, Path(aside) / "new", torch.float32)
        for name in ("describer.safetensors", "training.json", "README.md"):  # of the old latents
            (Path(aside) / "new" / name).unlink(missing_ok=True)
        write_piano_roll(Path(aside) / "new", STANDARD)
        (Path(aside) / "new").rename(folder)


def main(name: str, folder: Path, time: str) -> None:
    torch.set_num_threads(1)
    start = folder.with_name(folder.name + "-start")
    if not start.exists():
        old = open_model(name)
        if old.piano_roll is not None:
            sys.exit(f"{name} can be told notes already: train it on by regrow train --world bandstand --from {name}.")
        begin(old, start)
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
