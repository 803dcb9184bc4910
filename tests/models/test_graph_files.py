"""Converted networks on disk are used only where all their files are there, whole, and files."""

from pathlib import Path

import pytest
from named_pipes import without_waiting

from regrow.models.engines.graph_files import _checksums, is_sound

FILES = ("network.xml", "network.bin", "checksums")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES[:2]:
        (tmp_path / name).write_text(f"the content of {name}")
    (tmp_path / "checksums").write_bytes(_checksums(tmp_path, tmp_path))
    assert is_sound(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_network_of_which_a_file_is_damaged_or_gone_is_not_used(name: str, folder: Path) -> None:
    whole = (folder / name).read_bytes()
    for content in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        (folder / name).write_bytes(content)
        assert not is_sound(folder)
    (folder / name).unlink()
    assert not is_sound(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_in_the_place_of_a_network_s_file_is_not_waited_for(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert without_waiting(folder / name, lambda: is_sound(folder)) is False
