"""Writing model folders: new, untrained ones, and opened ones after training."""

import json
import shutil
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from transformers import CLIPTextModelWithProjection

from regrow.core.names import NewSize, Objective
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import STANDARD
from regrow.models import new
from regrow.models.load_part import quiet
from regrow.models.model import Model
from regrow.models.probes.transcriber import FILE as TRANSCRIBER_FILE
from regrow.models.sidecars.mel_file import write_mel, write_mel_config
from regrow.models.sidecars.piano_roll_file import write_piano_roll
from regrow.models.single_files.view import NOTES_FILE
from regrow.models.single_files.weights_file import WEIGHTS_FILE
from regrow.models.vocabulary import write_words


def write_new(
    folder: Path,
    *,
    seed: int,
    size: NewSize,
    extent: tuple[int, int],
    objective: Objective,
    words: Sequence[str] = (),
    characters: Sequence[str] = (),
    mel: MelSettings | None = None,
    piano_roll: bool = False,
    codec: Model | None = None,
) -> None:
    """Write an untrained Stable Diffusion folder in float32, which `open_model` opens, and diffusers for pictures.

    Args:
        folder: that does not exist.
        seed: of the weights.
        size: of denoiser and codec.
        extent: height and width of the pictures in pixels, or bands and frames of the mels.
        objective: what the denoiser is to predict.
        words: each is one token; the tokenizer spells all others.
        characters: each is one token, wherever it stands.
        mel: makes it a model of sounds.
        piano_roll: whether its denoiser can be told which notes sound when.
        codec: the model whose codec it takes; None for a new codec.
    """
    coder = _codec(codec, seed, size, mel)
    factor = 2 ** (len(coder.config["block_out_channels"]) - 1)
    tokenizer = new.new_tokenizer(words, characters=characters)
    note_channels = STANDARD.channels(factor) if piano_roll else 0
    latent_size = extent[0] // factor, extent[1] // factor
    parts = {
        "unet": new.new_unet(seed, coder.config["latent_channels"], latent_size, size, note_channels),
        "vae": coder,
        "text_encoder": new.new_text_encoder(tokenizer, seed),
        "tokenizer": tokenizer,
        "scheduler": new.new_scheduler(objective),
    }
    missing = {name: [None, None] for name in ("safety_checker", "feature_extractor", "image_encoder")}
    _write_parts(folder, "StableDiffusionPipeline", parts, missing | {"requires_safety_checker": False})
    write_words(folder, words, characters)
    if mel is not None:
        write_mel(folder, mel)
    if piano_roll:
        write_piano_roll(folder, STANDARD)


def write_new_sd3(
    folder: Path,
    *,
    seed: int,
    size: NewSize,
    extent: tuple[int, int],
    words: Sequence[str] = (),
    characters: Sequence[str] = (),
    codec: Model | None = None,
) -> None:
    """Write an untrained Stable Diffusion 3 folder in float32, which `open_model` and diffusers open.

    It has two text encoders that pool and no third, and reads nothing in place of the third's words: its index says
    `"max_sequence_length": 0`, which diffusers' pipeline takes as an argument and otherwise sets to 256. With so many
    zeros among the words a step takes three times as long.

    Args: as of `write_new`; pictures are square.
    """
    coder = _codec(codec, seed, size, None)
    side = extent[0] // 2 ** (len(coder.config["block_out_channels"]) - 1)
    tokenizer, pooling = new.new_tokenizer(words, characters=characters), CLIPTextModelWithProjection
    # of their vectors all but the last layer is read, so the first has two layers in front of it, as `write_new`'s
    encoder = new.new_text_encoder(tokenizer, seed, 128, 3, pooling)
    encoder_2 = new.new_text_encoder(tokenizer, seed + 1, 64, 2, pooling)
    width = encoder.config.hidden_size + encoder_2.config.hidden_size  # of their pooled words, too
    parts = {
        "transformer": new.new_mmdit(seed, coder.config["latent_channels"], side, size, width, width),
        "vae": coder,
        "text_encoder": encoder,
        "tokenizer": tokenizer,
        "text_encoder_2": encoder_2,
        "tokenizer_2": tokenizer,
        "scheduler": new.new_scheduler("flow"),
    }
    missing = {name: [None, None] for name in ("text_encoder_3", "tokenizer_3", "feature_extractor", "image_encoder")}
    _write_parts(folder, "StableDiffusion3Pipeline", parts, missing | {"max_sequence_length": 0})
    write_words(folder, words, characters)


def _codec(codec: Model | None, seed: int, size: NewSize, mel: MelSettings | None) -> Any:
    """The codec of a model, or a new one."""
    if codec is not None:
        return codec.codec_network
    return new.new_codec(seed, size) if mel is None else new.new_mel_codec(seed, size)


def write_new_pixel(
    folder: Path,
    *,
    seed: int,
    size: NewSize,
    extent: tuple[int, int],
    objective: Objective,
    mel: MelSettings | None = None,
) -> None:
    """Write an untrained, unconditional model (`UNet2DModel`) of pixels or of mels.

    `open_model` opens it, and diffusers, as a DDIMPipeline or an AudioDiffusionPipeline.

    Args:
        folder: that does not exist.
        seed: of the weights.
        size: of the network.
        extent: height and width of the pictures in pixels, or bands and frames of the mels.
        objective: what the network is to predict.
        mel: makes it a model of sounds.
    """
    channels, pipeline = (3, "DDIMPipeline") if mel is None else (1, "AudioDiffusionPipeline")
    parts = {"unet": new.new_pixel_unet(seed, extent, size, channels), "scheduler": new.new_scheduler(objective)}
    _write_parts(folder, pipeline, parts, {"mel": ["diffusers", "Mel"], "vqvae": [None, None]} if mel else {})
    if mel is not None:
        write_mel(folder, mel)
        write_mel_config(folder, mel, extent[1])


def save_model(model: Model, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write an opened model, as its modules are now, into a folder that does not exist.

    Everything that has no weights (tokenizer, scheduler, words) is copied from where the model was opened.

    Args:
        model: of any family.
        folder: is made.
        dtype: of the weights; a part with a weight that it cannot hold is written in float32.
    """
    shutil.copytree(model.folder, folder, ignore=_weights)
    for name in model.parts:
        part = model.parts[name]
        if isinstance(part, torch.nn.Module):
            kept = dtype if _holds(dtype, part) else torch.float32
            copy: Any = torch.nn.Module.to(deepcopy(part), dtype=kept)  # diffusers' own `to` says it may be inexact
            where = folder / name if (model.folder / name).is_dir() else folder  # the oldest have no subfolders
            with quiet():
                copy.save_pretrained(where)
            _forget_path(where / "config.json")
            for weights in where.glob("*.safetensors"):  # which safetensors makes unreadable to all but their owner
                shutil.copymode(where / "config.json", weights)


def _holds(dtype: torch.dtype, part: torch.nn.Module) -> bool:
    """Whether no weight overflows: one that does would make the whole model NaN, without a word."""
    most = torch.finfo(dtype).max
    return all(
        bool((tensor.abs() <= most).all()) for tensor in part.state_dict().values() if tensor.is_floating_point()
    )


def _forget_path(config_file: Path) -> None:
    """Take out where the part was opened: a folder of the user's, in a file that may be published."""
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config_file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _weights(where: str, names: list[str]) -> set[str]:
    """What is written anew or belongs to another model: weights, cards, figures, samples."""
    ends = (".safetensors", ".bin", ".safetensors.index.json", ".ckpt", ".pt")
    others = {"README.md", "training.json", "samples", "lora", ".git", ".cache", WEIGHTS_FILE, NOTES_FILE}
    # a transcriber hears mels, which are the same whatever was trained
    return {name for name in names if (name.endswith(ends) and name != TRANSCRIBER_FILE) or name in others}


def _write_parts(folder: Path, pipeline: str, parts: dict[str, Any], others: dict[str, Any]) -> None:
    """Write each part into a folder of its name, and an index that says of which classes they are."""
    with quiet():
        for name, part in parts.items():
            part.save_pretrained(folder / name)
    classes = {name: [type(part).__module__.split(".")[0], type(part).__name__] for name, part in parts.items()}
    index = {"_class_name": pipeline, **classes, **others}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
