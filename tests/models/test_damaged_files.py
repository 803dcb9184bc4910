"""Weight files whose headers lie, and what else may stand in a checkpoint file's place: one sentence each."""

import json
import os
import struct
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from checkpoints import sd1
from PIL import Image
from safetensors.torch import save_file

from regrow.media.home import home
from regrow.models.errors import ModelError
from regrow.models.open import add_single_file, has_model, list_models, open_model, user_models
from regrow.models.single_files.folders import add_folder
from regrow.models.single_files.header import read_header
from regrow.models.single_files.kinds import PREFIX, kind_of
from regrow.models.single_files.view import cached_view

pytestmark = pytest.mark.usefixtures("home")
NAME = f"{PREFIX}input_blocks.0.0.weight"
SIZE = 320 * 4 * 3 * 3 * 4


def entry(**changes: Any) -> dict[str, Any]:
    """What a header says of the first tensor of Stable Diffusion 1."""
    return {"dtype": "F32", "shape": [320, 4, 3, 3], "data_offsets": [0, SIZE], **changes}


def write(path: Path, header: Any, length: int | None = None) -> Path:
    """Write a header, whatever it says, and the bytes of one tensor."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * SIZE)
    return path


LIES: dict[str, tuple[Any, int | None]] = {
    "offset below 0": ({NAME: entry(data_offsets=[-4, SIZE])}, None),
    "offsets that overlap": ({NAME: entry(), f"{PREFIX}x": entry()}, None),
    "offsets turned round": ({NAME: entry(data_offsets=[SIZE, 0])}, None),
    "offsets in words": ({NAME: entry(data_offsets=["a", "b"])}, None),
    "no axes": ({NAME: entry(shape=[])}, None),
    "a shape below 0": ({NAME: entry(shape=[-1, 4, 3, 3])}, None),
    "a shape in words": ({NAME: entry(shape="abcd")}, None),
    "a shape of more": ({NAME: entry(shape=[320, 4, 3, 30])}, None),
    "a shape beyond all": ({NAME: entry(shape=[10**18, 4, 3, 3])}, None),
    "a type nobody knows": ({NAME: entry(dtype="FLOAT")}, None),
    "a tensor of nothing": ({NAME: None}, None),
    "a list": ([1, 2], None),
    "metadata in a list": ({"__metadata__": [1], NAME: entry()}, None),
    "one name twice": (f'{{"{NAME}": {json.dumps(entry())}, "{NAME}": {json.dumps(entry(shape=[1]))}}}'.encode(), None),
    "bytes that are no text": (b'{"\xff\xfe": 1}', None),
    "a header beyond the end": ({NAME: entry()}, 90_000_000),
    "a header beyond all": ({NAME: entry()}, 2**63),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_one_sentence_and_spoils_nothing_beside_it(lie: str, tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.safetensors", *LIES[lie])
    with pytest.raises(ModelError, match=r"broken\.safetensors is damaged, or not a safetensors file \(.*\): copy or"):
        open_model(broken)
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, tmp_path / "style.safetensors")
    assert [file.path.name for file in add_folder(tmp_path)] == ["style.safetensors"]
    assert [model.name for model in list_models()] == ["bandstand", "songbook", "storybook"]


ODD: dict[str, dict[str, tuple[int, ...]]] = {
    "a first layer without axes": {NAME: ()},
    "a first layer of one axis": {NAME: (7,)},
    "FLUX without its ends": {"double_blocks.0.img_attn.norm.key_norm.scale": (128,)},
    "FLUX with ends of no size": {
        "double_blocks.0.img_attn.norm.key_norm.scale": (128,),
        "img_in.weight": (),
        "final_layer.linear.weight": (),
    },
    "a codec without axes": {"decoder.conv_in.weight": (3,), "encoder.conv_in.weight": (3, 3, 3)},
    "a text encoder without axes": {"text_model.embeddings.position_embedding.weight": ()},
}


@pytest.mark.parametrize("odd", ODD)
def test_known_names_of_other_shapes_are_of_no_known_kind(odd: str, tmp_path: Path) -> None:
    filling = {name: torch.zeros(2, 2, 2) for name in "xyz"}  # or it may be an embedding
    path = tmp_path / "odd.safetensors"
    save_file(filling | {name: torch.zeros(shape) for name, shape in ODD[odd].items()}, path)
    assert "a file with tensors of an unknown kind" in kind_of(read_header(path)).title


def test_attention_of_no_size_does_not_say_which_version_it_is(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({NAME: torch.zeros(320, 4, 3, 3), f"{PREFIX}x.attn2.to_k.weight": torch.zeros(())}, path)
    assert kind_of(read_header(path)).layout == "sd-1"


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", "b")


def _gguf(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "flux")
    writer.add_tensor("x", np.zeros((2, 2), "float32"))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()


STAND_INS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "nothing": (lambda p: p.write_bytes(b""), r"is empty \(0 bytes\): copy or download it again"),
    "a pickle": (
        lambda p: torch.save({"x": torch.zeros(2)}, p),
        r"is a ZIP archive.*\(a pickle\), rename it to end in .ckpt",
    ),
    "an archive": (_zip, "is a ZIP archive: unpack it"),
    "a page": (
        lambda p: p.write_text("<!DOCTYPE html><html>Log in"),
        "is a web page instead of the file: log in there",
    ),
    "a GGUF": (_gguf, r"is a GGUF file under another name: rename it to end in \.gguf"),
    "a picture": (lambda p: Image.new("RGB", (8, 8)).save(p, "JPEG"), r"is a picture \(JPEG\), not a checkpoint"),
    "a pipe": (os.mkfifo, "is not an ordinary file"),
    "no tensors": (lambda p: save_file({}, p), "is not a checkpoint but a file without tensors"),
    "a link to nothing": (lambda p: p.symlink_to("gone"), r"is a broken link \(gone\): correct it"),
}


@pytest.mark.parametrize("what", STAND_INS)
def test_what_stands_in_the_place_of_a_checkpoint_is_named(what: str, tmp_path: Path) -> None:
    make, sentence = STAND_INS[what]
    make(tmp_path / "file.safetensors")
    with pytest.raises(ModelError, match=rf"file\.safetensors {sentence}"):
        open_model(tmp_path / "file.safetensors")
    with pytest.raises(ModelError, match="holds no checkpoint"):
        add_folder(tmp_path)


def test_a_folder_of_files_names_the_next_step(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "a.safetensors")
    with pytest.raises(
        ModelError, match=r"no config\.json\. Name one of its files \(--model .*a\.safetensors\), or add"
    ):
        open_model(tmp_path)
    with pytest.raises(ModelError, match="The name of the model is empty"):
        open_model("")
    assert not has_model("")


def test_a_pickle_of_more_than_tensors_is_not_said_to_open_otherwise(tmp_path: Path) -> None:
    class Program:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    contents = {"program": {"x": Program()}, "list": [1, 2], "numbers": {1: torch.zeros(2), "state_dict": {}}}
    for name, content in contents.items():
        torch.save(content, tmp_path / f"{name}.ckpt")
        with pytest.raises(ModelError) as caught:
            open_model(tmp_path / f"{name}.ckpt", allow_pickle=True)
        said = "is damaged, or holds more than tensors" if name == "program" else "a file without tensors"
        assert said in str(caught.value)
        assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_endings_in_capitals_are_read_as_others(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    (codec,) = (folder / "vae").glob("*.safetensors")
    user_models().mkdir(parents=True)
    codec.rename(tmp_path / "CODEC.SAFETENSORS")
    torch.save({}, tmp_path / "OLD.CKPT")
    assert [file.kind.role for file in add_folder(tmp_path)] == ["vae-4"]
    with pytest.raises(ModelError, match="is a pickle, which can run any program"):
        add_single_file(tmp_path / "OLD.CKPT", "old")


def test_regrow_s_own_lists_are_named_when_they_are_damaged(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    add_single_file(next((folder / "vae").glob("*.safetensors")), "mine", str(folder))
    notes = user_models() / "mine" / "notes.json"
    for text in ("{", "5", "[5]"):
        notes.write_text(text)
        wrong = r"notes\.json must hold a list of strings: delete it, or add the model again"
        with pytest.raises(ModelError, match=wrong):
            open_model("mine")
    for text in ("{", "[]", '{"folders": 5}'):
        (home() / "folders.json").write_text(text)
        with pytest.raises(ModelError, match=r"folders\.json does not list folders: delete it, and add them again"):
            list_models()
    (home() / "folders.json").write_text('{"folders": ["' + 5000 * "x" + '"]}')
    assert list_models()


def test_a_name_that_cannot_be_one_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    folder = sd1(tmp_path / "folder")
    file = next((folder / "vae").glob("*.safetensors"))
    for name, sentence in (
        ("storybook", "storybook is the name of a model of regrow"),
        ("a\nb", "is not the name of a model: give one line of 200 bytes at most"),
        ("a\0b", "is not the name of a model"),
        ("长" * 80, "is not the name of a model"),
        ("../mine", "give a plain name, not a path"),
    ):
        with pytest.raises(ModelError, match=sentence):
            add_single_file(file, name, str(folder))
    assert not user_models().exists()


def test_a_file_that_is_named_and_damaged_says_so(tmp_path: Path) -> None:
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, tmp_path / "style.safetensors")
    (tmp_path / "painted.safetensors").write_bytes(b"")
    add_folder(tmp_path)
    with pytest.raises(ModelError, match=r"painted\.safetensors is empty"):
        open_model("painted")
    with pytest.raises(ModelError, match=r"style\.safetensors is not a checkpoint but a LoRA file"):
        open_model("style")
    with pytest.raises(ModelError, match=r"There is no file or folder .*nothing: check its name"):
        add_folder(tmp_path / "nothing")


def test_a_file_that_changes_is_opened_by_many_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    rest = {name: torch.zeros(1) for name in ("first_stage_model.x", "cond_stage_model.transformer.x")}
    for channels in (4, 9, 4):
        save_file(rest | {NAME: torch.zeros(320, channels, 3, 3)}, path)
        with ThreadPoolExecutor(8) as pool:
            views = {each.result() for each in [pool.submit(cached_view, path, ()) for _ in range(16)]}
        assert len(views) == 1
        config = json.loads((views.pop() / "unet" / "config.json").read_text())
        assert config["in_channels"] == channels


def test_a_base_of_another_family_is_refused(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    save_file({NAME: torch.zeros(320, 4, 3, 3), "first_stage_model.x": torch.zeros(1)}, tmp_path / "mine.safetensors")
    with pytest.raises(
        ModelError, match=r"is a checkpoint of Stable Diffusion 1, but .* is a StableDiffusionXLPipeline"
    ):
        add_single_file(tmp_path / "mine.safetensors", "mine", str(checkpoint("sdxl")))
    with pytest.raises(ModelError, match="is a model itself: open it with --model"):
        add_folder(checkpoint("sd1"))
