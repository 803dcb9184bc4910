"""What is noted beside models: damaged notes of downloads are no downloads, and pipes in their place no notes."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from named_pipes import without_waiting

from regrow.hub.download import Unfinished, announce, unfinished
from regrow.hub.model_card import make_card, read_front_matter
from regrow.interfaces.server.models.entry import card_of
from regrow.models.open import open_model

SOUND = {"repo": "jane/pets", "size": 4, "file": ""}
WRONG: dict[str, str] = {
    "a number": "5",
    "null": "null",
    "a list": "[]",
    "a size that is null": json.dumps(SOUND | {"size": None}),
    "a size that is a list": json.dumps(SOUND | {"size": [4]}),
    "a size that is endless": json.dumps(SOUND | {"size": float("inf")}),
    "lists in lists": "[" * 100_000,
}


def place(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    return folder / name


@pytest.fixture
def pulling(tmp_path: Path) -> Path:
    """The folder of downloads, with a sound one."""
    announce(place(tmp_path / "pulling", "jane--pets"), "jane/pets", 4)
    return tmp_path / "pulling"


@pytest.mark.parametrize("wrong", WRONG)
def test_a_download_s_note_of_another_type_hides_no_other_download(wrong: str, pulling: Path) -> None:
    (place(pulling, "jane--odd") / "download.json").write_text(WRONG[wrong])
    assert unfinished(pulling) == [Unfinished("jane/pets", 0, 4)]


def test_a_pipe_in_the_place_of_a_download_s_note_is_not_waited_for(pulling: Path) -> None:
    pipe = place(pulling, "jane--odd") / "download.json"
    assert without_waiting(pipe, lambda: unfinished(pulling)) == [Unfinished("jane/pets", 0, 4)]


def test_a_pipe_in_the_place_of_a_readme_says_nothing_of_a_model(tmp_path: Path) -> None:
    model = cast("Any", SimpleNamespace(folder=tmp_path))
    assert without_waiting(tmp_path / "README.md", lambda: read_front_matter(tmp_path)) == {}
    assert without_waiting(tmp_path / "README.md", lambda: card_of(model)) == ""


def test_a_model_with_a_pipe_in_the_place_of_its_readme_gets_a_card(mine: Path) -> None:
    model = open_model("mine")
    assert without_waiting(mine / "README.md", lambda: "\n# pets\n" in make_card(model, "jane/pets"))
