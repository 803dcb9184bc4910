"""Folders of models, their configs, indices and weights; single files; files that are added to a model."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from regrow.benchmark.hostile.kind import Kind, write_json
from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.hub.model_card import make_card
from regrow.media.home import home
from regrow.models.open import EMBEDDED, list_models, open_model
from regrow.models.single_files.folders import add_folder
from regrow.models.single_files.header import read_header
from regrow.models.single_files.kinds import kind_of
from regrow.requests.generate import Generate

REQUESTS = {
    "storybook": Generate("a cat", steps=1),
    "bandstand": Generate("a slow piano melody", steps=1, duration=1.0),
    "songbook": Generate("", steps=1, lyrics="la", tune="C4"),
}
"""A request for each embedded model once it is open; errors in its folder must already be found at opening."""
SHARD = "diffusion_pytorch_model-00001-of-00001.safetensors"
LAYER = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
WORDS = LAYER.replace("attn1.to_q", "attn2.to_k")
LORA_RANK = 2


def _make_model(name: str, folder: Path) -> None:
    shutil.copytree(EMBEDDED / name, folder / "model")


def _make_sharded(folder: Path) -> None:
    """Write a model whose network is in shards, with an index that names them."""
    _make_model("storybook", folder)
    whole = folder / "model" / "unet" / "diffusion_pytorch_model.safetensors"
    names = list(load_file(whole))
    whole.rename(whole.with_name(SHARD))
    size = whole.with_name(SHARD).stat().st_size
    index = {"metadata": {"total_size": size}, "weight_map": dict.fromkeys(names, SHARD)}
    write_json(whole.with_name("diffusion_pytorch_model.safetensors.index.json"), index)
    torch.save({"x": torch.zeros(2)}, whole.with_name("weights.bin"))


def _read_model(embedded: str, folder: Path, name: str) -> None:
    model = open_model(folder / "model", download=False)
    finish(generate(replace(REQUESTS[embedded], model=str(folder / "model")), model))
    make_card(model, "user/name")


def _make_additions(folder: Path) -> None:
    shapes = read_header(EMBEDDED / "storybook" / "unet" / "diffusion_pytorch_model.safetensors").shapes
    width, (_, read) = (
        shapes[f"{LAYER.removeprefix('unet.')}.weight"][0],
        shapes[f"{WORDS.removeprefix('unet.')}.weight"],
    )
    down, up = torch.zeros(LORA_RANK, width), torch.zeros(width, LORA_RANK)
    save_file({f"{LAYER}.lora_A.weight": down, f"{LAYER}.lora_B.weight": up}, folder / "style.safetensors")
    save_file({"emb_params": torch.zeros(2, read)}, folder / "moe.safetensors")


def _read_additions(folder: Path, name: str) -> None:
    lora, embedding = [str(folder / "style.safetensors")], [str(folder / "moe.safetensors")]
    model = open_model("storybook", download=False, lora=lora, embedding=embedding)
    finish(generate(replace(REQUESTS["storybook"], prompt="a moe"), model))


def _make_single_files(folder: Path) -> None:
    """Write one weight file of each kind, as judged by name, header and size."""
    files = folder / "files"
    files.mkdir()
    part = {"encoder.conv_in.weight": torch.zeros(8, 3, 3, 3), "decoder.conv_in.weight": torch.zeros(8, 4, 3, 3)}
    save_file(part, files / "codec.safetensors")
    save_file({f"{LAYER}.lora_A.weight": torch.zeros(2, 128)}, files / "style.safetensors")
    torch.save({"state_dict": part}, files / "old.ckpt")
    with suppress(ImportError):  # an optional package
        _write_gguf(files / "net.gguf")


def _write_gguf(path: Path) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "flux")
    writer.add_tensor("double_blocks.0.img_attn.norm.key_norm.scale", np.zeros((2, 2), "float32"))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


def _read_single_file(folder: Path, name: str) -> None:
    kind_of(read_header(folder / name, allow_pickle=True))
    add_folder(folder / "files")
    list_models()


def _make_lists(folder: Path) -> None:
    """Write regrow's own records of a user's models and folders."""
    models = folder / "home" / "models"
    _link_of(folder / "other", "storybook")
    write_json(folder / "home" / "folders.json", {"folders": [str(folder / "other")]})
    shutil.copytree(EMBEDDED / "songbook", models / "mine")
    write_json(models / "mine" / "singers.json", {"singers": ["heart", "low"]})
    write_json(models / "mine" / "notes.json", ["A sentence."])


def _link_of(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(EMBEDDED / name / "describer.safetensors", folder / "describer.safetensors")


def _read_lists(folder: Path, name: str) -> None:
    list_models()
    open_model("mine", download=False)
    assert home() == folder / "home"


def model_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""

    def of(name: str) -> tuple[Callable[[Path], None], Callable[[Path, str], None]]:
        return partial(_make_model, name), partial(_read_model, name)

    configs, weights = ("*.json",), ("*.safetensors",)
    return (
        Kind("picture-models", of("storybook")[0], configs, of("storybook")[1], 1.5),
        Kind("sound-models", of("bandstand")[0], configs, of("bandstand")[1]),
        Kind("singers", of("songbook")[0], configs, of("songbook")[1], 0.5),
        Kind("weights", of("songbook")[0], weights, of("songbook")[1], 0.5),
        Kind("describers", of("storybook")[0], ("*/describer.safetensors",), of("storybook")[1], 0.3),
        Kind("indices", _make_sharded, ("*.index.json",), partial(_read_model, "storybook"), 0.4),
        Kind("additions", _make_additions, weights, _read_additions, 0.5),
        Kind("single-files", _make_single_files, ("files/*",), _read_single_file),
        Kind("lists-of-models", _make_lists, ("home/folders.json", "home/models/mine/*.json"), _read_lists, 0.5),
    )
