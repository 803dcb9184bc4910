"""What an earlier regrow wrote goes on opening and replaying: results, a path, a model's folder, a run's request.

Only the command line is used, so that these tests need no change when the code behind it moves.
"""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image, PngImagePlugin

from regrow.interfaces.cli import main

COMPAT = Path(__file__).parent / "compat"
FOLDER = re.compile(r'"(/tmp/regrow-compat-x+)/([^"]*)"')
"""A path in a recipe, in the folder that the results were written in."""
PEAK_RATIO = 45
"""In dB: what another processor or torch may differ by, which round otherwise."""
ALONE = ("masked.png", "between-2.png", "from_path.png")
CARRIED = {"edited.png": "storybook", "generated.webp": "storybook", "edited.flac": "bandstand",
           "extended.wav": "bandstand"}  # fmt: skip


def processor() -> str:
    """Return the name of the processor, empty where the system does not say."""
    facts = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", facts.read_text()) if facts.exists() else []
    return names[0].strip() if names else ""


HERE = {"torch": torch.__version__, "capability": torch.backends.cpu.get_cpu_capability(), "processor": processor()}
SAME_BITS = json.loads((COMPAT / "written_with.json").read_text()) == HERE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, with their home, to work in; recipes name their inputs there."""
    folder = tmp_path / "compat"
    shutil.copytree(COMPAT, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REGROW_HOME", str(folder / "home"))
    for name in ALONE + tuple(CARRIED):
        move_inputs(folder / name)
    return folder


def move_inputs(path: Path) -> None:
    """Name the file's own folder in its recipe instead of the one that it was written in."""

    def moved(hit: re.Match[str]) -> str:
        new = f'"{path.parent}/{hit[2]}"'
        assert len(new) <= len(hit[0])
        return new.ljust(len(hit[0]))  # spaces behind a value are still JSON, and sounds' sizes stay

    if path.suffix == ".png":
        with Image.open(path) as picture:
            text, changed = PngImagePlugin.PngInfo(), FOLDER.sub(moved, picture.info["regrow"])
            text.add_itxt("regrow", changed)
            picture.save(path, pnginfo=text)
    elif path.suffix != ".webp":  # which has no input
        path.write_bytes(FOLDER.sub(moved, path.read_bytes().decode("latin1")).encode("latin1"))


def values(path: Path) -> np.ndarray:
    """Return the pixels or the samples of a file, from 0 to 1 or from -1 to 1."""
    if path.suffix in (".png", ".webp"):
        with Image.open(path) as picture:
            return np.asarray(picture) / 255
    return soundfile.read(path)[0]


def assert_as_before(found: Path, before: Path) -> None:
    """Hold two results equal, bit for bit where the machine is that of the first."""
    one, other = values(found), values(before)
    assert one.shape == other.shape
    if SAME_BITS:
        assert np.array_equal(one, other)
    error = float(np.square(one - other).mean())
    assert error == 0 or -10 * math.log10(error) > PEAK_RATIO


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command and return what it printed as JSON."""
    capsys.readouterr()
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def replayed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    again = f"again{Path(name).suffix}"
    facts = run(capsys, "replay", name, "--out", again)
    assert facts["identical"] or not SAME_BITS
    assert_as_before(Path(again), COMPAT / name)


@pytest.mark.parametrize("name", ALONE)
def test_a_result_of_a_model_of_the_user_s_replays(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    replayed(capsys, name)


@pytest.mark.parametrize("name", CARRIED)
def test_a_result_of_a_carried_model_replays_or_says_that_its_weights_are_gone(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made_by = run(capsys, "inspect", name, *(() if is_picture(name) else ("--out", "page.png")))["recipe"]["model"]
    if run(capsys, "models", "show", CARRIED[name])["hash"] == made_by["hash"]:
        replayed(capsys, name)
        return
    with pytest.raises(SystemExit) as end:
        main(["replay", name])
    assert end.value.code == 1
    assert "is not the one that made this file" in capsys.readouterr().err


def is_picture(name: str) -> bool:
    return name.endswith((".png", ".webp"))


def test_a_recipe_names_the_method_as_it_was_called_then(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {name: run(capsys, "inspect", name)["recipe"]["settings"] for name in ("edited.png", "masked.png")}
    assert settings["edited.png"]["method"] == "anchored"
    assert (settings["masked.png"]["method"], settings["masked.png"]["mask"]) == ("edict", "mask.png")


def test_an_input_that_has_changed_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(folder / "edited.png", folder / "input.png")
    with pytest.raises(SystemExit):
        main(["replay", "masked.png"])
    assert "input.png has changed since the result was made" in capsys.readouterr().err


def test_a_path_opens_and_serves_an_edit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit = ("edit", "input.png", "--model", "old", "--source", "an orange cat", "--trajectory", "path.safetensors")
    made = ("--target", "a black cat", "--strength", "0.75", "--engine", "torch", "--threads", "1", "--out", "e.png")
    facts = run(capsys, *edit, *made)
    assert facts["recipes"][0]["figures"]["evaluations"] == {"inversion": 0, "regrowth": 5}
    assert_as_before(folder / "e.png", COMPAT / "from_path.png")


def test_a_model_s_folder_opens_with_the_same_hash_and_its_own_words_and_steps(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = run(capsys, "models", "show", "old")
    assert facts["hash"] == "6bc7402a4da1aaf7e15c74166c6f4fe7267e97965ca3e0ba9c789e8347227b85"
    assert (facts["size"], facts["predicts"]) == ([64, 64], "v")
    edited = run(capsys, "edit", "input.png", "--model", "old", "--target", "a penguin", "--engine", "torch")
    assert edited["recipes"][0]["settings"]["steps"] == 5  # of edit.json
    assert any("penguin" in note for note in edited["notes"])  # which is not in words.json


def test_a_run_that_was_begun_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = run(capsys, "train", "--resume", "begun", "--dry-run")
    assert {stage: found["steps"] for stage, found in facts["stages"].items()} == {"codec": 400, "denoiser": 400}
