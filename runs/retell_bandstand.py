"""Give the sound model of before notes were drawn as a mel shows them (git history, f7d8c04) its new kernels for them.

.venv/bin/python runs/retell_bandstand.py OLD FOLDER

They begin at zero: the model in FOLDER says what OLD said to words alone, and `regrow train --world bandstand
--from FOLDER --stage denoiser` goes on from there. The codec and what is read off its mels stay as they are.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from regrow.media.audio.piano_roll import STANDARD
from regrow.models.piano_roll_file import write_piano_roll


def main(old: Path, folder: Path) -> None:
    shutil.copytree(old, folder)
    write_piano_roll(folder, STANDARD)
    config = json.loads((old / "unet" / "config.json").read_text())
    codec = json.loads((old / "vae" / "config.json").read_text())
    told = STANDARD.channels(2 ** (len(codec["block_out_channels"]) - 1))
    config["in_channels"] = config["out_channels"] + told
    (folder / "unet" / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    kernel = tensors["conv_in.weight"][:, : config["out_channels"]]
    tensors["conv_in.weight"] = torch.cat([kernel, kernel.new_zeros(len(kernel), told, 3, 3)], 1)
    save_file(tensors, weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
