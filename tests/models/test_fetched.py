"""Files of a checkpoint that were not fetched, or carry a mark of their encoding."""

import codecs
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regrow.media.files import MediaError
from regrow.media.image.picture import load
from regrow.models.errors import ModelError
from regrow.models.open import open_model

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint("sd-tiny"), tmp_path / "copy"))


@pytest.mark.parametrize(
    "name",
    ["model_index.json", "unet/config.json", UNET, "text_encoder/model.safetensors", "tokenizer/vocab.json",
     "tokenizer/merges.txt", "scheduler/scheduler_config.json"],
)  # fmt: skip
def test_a_pointer_of_git_lfs_is_named_with_what_to_do(folder: Path, name: str) -> None:
    (folder / name).write_bytes(POINTER)
    with pytest.raises(
        ModelError, match=rf"Git LFS pointer of {len(POINTER)} bytes instead of .*: run git lfs pull in"
    ):
        open_model(folder)


def test_a_part_that_is_checked_later_is_named_too(folder: Path) -> None:
    open_model(folder)
    model = open_model(folder)
    (folder / UNET).write_bytes(POINTER)
    for use in (lambda: model.parts["unet"], lambda: model.parts.weights("unet")):
        with pytest.raises(ModelError, match="bytes instead of the weights"):
            use()


def test_a_picture_that_is_a_pointer(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(POINTER)
    with pytest.raises(MediaError, match="Git LFS pointer"):
        load(tmp_path / "cat.png")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_in_front_of_json_are_read_over(folder: Path, encoding: str) -> None:
    before = open_model(folder)
    x, labels = torch.zeros(1, *before.latent_shape(*before.size)), torch.tensor([5.0])
    expected = before.forward(x, labels, before.condition(["a cat"]))
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
        assert path.read_bytes().startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    model = open_model(folder)
    assert torch.equal(model.forward(x, labels, model.condition(["a cat"])), expected)


def test_what_mends_it_is_a_command_where_there_is_one(folder: Path, tmp_path: Path) -> None:
    hub = tmp_path / "models--user--repo" / "snapshots" / "0"
    shutil.copytree(folder, hub)
    (hub / UNET).unlink()
    with pytest.raises(ModelError, match="hf download user/repo"):
        open_model(hub)
    (folder / UNET).unlink()
    with pytest.raises(ModelError, match=r"is missing.*: copy or download it again"):
        open_model(folder)
    (folder / ".git").mkdir()
    with pytest.raises(ModelError, match="git lfs pull"):
        open_model(folder)
