"""Write model folders: new, untrained models, and opened ones after training."""

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
from regrow.models.folder import leads_outside
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
    """Write an untrained Stable Diffusion folder in float32, for `open_model` and, if for pictures, for diffusers.

    Args:
        folder: a folder that does not exist yet.
        seed: seed of the weights.
        size: size of denoiser and codec.
        extent: height and width of the pictures in pixels, or bands and frames of the mels.
        objective: what the denoiser is to predict.
        words: each is one token; other words are split into several.
        characters: each is one token, inside a word or at its end.
        mel: makes it a model of sounds.
        piano_roll: whether its denoiser can be conditioned on notes.
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

    It has two CLIP encoders, no third, and no tokens in the third one's place: `"max_sequence_length": 0` in its index,
    which must be passed to diffusers' pipeline. With that pipeline's default of 256 zero tokens, a step takes three
    times as long.

    Args: as for `write_new`; pictures are square.
    """
    coder = _codec(codec, seed, size, None)
    side = extent[0] // 2 ** (len(coder.config["block_out_channels"]) - 1)
    tokenizer, pooling = new.new_tokenizer(words, characters=characters), CLIPTextModelWithProjection
    # their second-to-last layer is read, so with 3 layers the first encoder has 2 in use, as in `write_new`
    encoder = new.new_text_encoder(tokenizer, seed, 128, 3, pooling)
    encoder_2 = new.new_text_encoder(tokenizer, seed + 1, 64, 2, pooling)
    width = encoder.config.hidden_size + encoder_2.config.hidden_size  # also the width of their pooled embeddings
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
    """Return the codec of a model, or a new one."""
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
        folder: a folder that does not exist yet.
        seed: seed of the weights.
        size: size of the network.
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

    Files without weights (tokenizer, scheduler, words) are copied from the model's folder, except links to files
    elsewhere, which may not be meant for publishing.

    Args:
        model: a model of any family.
        folder: the new folder.
        dtype: dtype of the weights; a part that would overflow in it is written in float32.
    """
    needed = set(model.files)

    def passed_over(where: str, names: list[str]) -> set[str]:
        elsewhere = (name for name in names if leads_outside(Path(where) / name, model.folder))
        return _weights(where, names) | {name for name in elsewhere if Path(where) / name not in needed}

    shutil.copytree(model.folder, folder, ignore=passed_over)
    for name in model.parts:
        part = model.parts[name]
        if isinstance(part, torch.nn.Module):
            kept = dtype if _holds(dtype, part) else torch.float32
            copy: Any = torch.nn.Module.to(deepcopy(part), dtype=kept)  # diffusers' own warns of inexactness
            where = folder / name if (model.folder / name).is_dir() else folder  # the oldest have no subfolders
            with quiet():
                copy.save_pretrained(where)
            _forget_path(where / "config.json")
            for weights in where.glob("*.safetensors"):  # safetensors makes them readable only for their owner
                shutil.copymode(where / "config.json", weights)


def _holds(dtype: torch.dtype, part: torch.nn.Module) -> bool:
    """Return whether no weight overflows; a single overflow would silently turn the model's whole output into NaN."""
    most = torch.finfo(dtype).max
    return all(
        bool((tensor.abs() <= most).all()) for tensor in part.state_dict().values() if tensor.is_floating_point()
    )


def _forget_path(config_file: Path) -> None:
    """Remove the path from which the part was opened: a user's folder must not appear in published files."""
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config.pop("_name_or_path", None)
    config_file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _weights(where: str, names: list[str]) -> set[str]:
    """Return the files not to copy: written anew, or of the old model, such as weights, cards, figures, samples."""
    ends = (".safetensors", ".bin", ".safetensors.index.json", ".ckpt", ".pt")
    others = {"README.md", "training.json", "samples", "lora", ".git", ".cache", WEIGHTS_FILE, NOTES_FILE}
    # a transcriber reads mels, which training does not change
    return {name for name in names if (name.endswith(ends) and name != TRANSCRIBER_FILE) or name in others}


def _write_parts(folder: Path, pipeline: str, parts: dict[str, Any], others: dict[str, Any]) -> None:
    """Write each part into a folder of its name, and an index with their classes."""
    with quiet():
        for name, part in parts.items():
            part.save_pretrained(folder / name)
    classes = {name: [type(part).__module__.split(".")[0], type(part).__name__] for name, part in parts.items()}
    index = {"_class_name": pipeline, **classes, **others}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
