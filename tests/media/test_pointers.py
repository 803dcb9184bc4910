"""What Git LFS leaves of files that were not fetched, in a folder to train on: named, and never learned from."""

from pathlib import Path

import pytest
import torch

from regrow.media.audio.decode import opened
from regrow.media.captions.captioned import read_captioned
from regrow.media.files import MediaError
from regrow.media.image.picture import save

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab" * 32 + "\nsize 21034\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        save(tmp_path / f"{i}.png", torch.full((3, 40, 40), i / 10))
        (tmp_path / f"{i}.txt").write_text(f"picture {i}")
    return tmp_path


def test_a_pointer_is_no_caption(folder: Path) -> None:
    (folder / "1.txt").write_text(POINTER)
    read = read_captioned(folder)
    assert [item.caption for item in read.items] == ["picture 0", "picture 2"]
    assert "1.txt is a Git LFS pointer instead of the file itself: run git lfs pull" in read.skipped[0].reason


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_a_pointer_is_no_table(folder: Path, name: str) -> None:
    (folder / name).write_text(POINTER)
    with pytest.raises(MediaError, match=rf"{name} is a Git LFS pointer instead of the file itself"):
        read_captioned(folder)


def test_a_pointer_is_no_picture(folder: Path) -> None:
    (folder / "1.png").write_text(POINTER)
    read = read_captioned(folder)
    assert "1.png is a Git LFS pointer instead of the picture: run git lfs pull" in read.skipped[0].reason


def test_a_pointer_is_no_sound() -> None:
    with (
        pytest.raises(MediaError, match=r"a\.wav is a Git LFS pointer instead of the file itself"),
        opened("a.wav", POINTER.encode()),
    ):
        pass
