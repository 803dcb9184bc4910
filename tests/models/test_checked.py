"""What is kept of a folder that was opened whole before, and what becomes of it where either is damaged."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from homes import sharing_engines

from regrow.media.home import home
from regrow.models.errors import ModelError
from regrow.models.open import open_model
from regrow.models.parts import count_weights


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


@pytest.fixture
def folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of a checkpoint, opened whole before."""
    copied = Path(shutil.copytree(checkpoint("sd-tiny"), tmp_path / "copy"))
    open_model(copied)
    assert not open_model(copied).parts.opened  # it was remembered
    return copied


def test_what_is_kept_is_left_aside_where_its_contents_were_changed(folder: Path) -> None:
    (path,) = (home() / "cache" / "checked").iterdir()
    whole = path.read_bytes()
    for damaged in (whole.replace(b"32", b"64", 1), whole[:-1], b""):
        path.write_bytes(damaged)
        assert open_model(folder).parts.opened
        assert path.read_bytes() == whole


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of the last change of a file's entry")
def test_weights_changed_under_their_old_size_and_time_are_read_again(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    before, hash_before = weights.stat(), open_model(folder).content_hash
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    model = open_model(folder)
    assert model.parts.opened
    assert model.content_hash != hash_before


def test_a_part_taken_away_after_opening_is_named(folder: Path) -> None:
    model = open_model(folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    for use in (lambda: model.parts["unet"], lambda: model.parts.weights("unet")):
        with pytest.raises(ModelError, match=r"diffusion_pytorch_model\.safetensors"):
            use()


@pytest.mark.parametrize("head", [b"", b"\xff" * 64, b"\x02" + bytes(7) + b"[]", b"\x08" + bytes(7) + b'{"a": 1}'])
def test_weights_without_a_header_are_said_to_be_damaged(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(head)
    with pytest.raises(ModelError, match=r"w\.safetensors is damaged or missing"):
        count_weights([tmp_path / "w.safetensors"])
