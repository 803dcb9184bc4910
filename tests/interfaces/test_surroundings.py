"""The command line in poor surroundings: consoles without letters, readers that leave, homes and odd names."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from regrow.interfaces.cli import main
from regrow.media.image.picture import save


@pytest.fixture
def work(checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of every command here, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return ["--model", str(checkpoint("sd-tiny")), "--steps", "1", "--guidance", "1"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp936", "shift_jis", "utf-8"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_letters_that_a_console_lacks_are_question_marks(
    work: list[str], monkeypatch: pytest.MonkeyPatch, encoding: str, form: tuple[str, ...]
) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding, errors="strict") for _ in range(2))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    main(["generate", "żółw 橘猫 🐢", *work, "--out", "żółw 橘猫.png", *form])
    assert Path("żółw 橘猫.png").is_file()
    out.seek(0)
    printed = out.read()
    if form:
        facts = json.loads(printed)
        assert facts["files"] == ["żółw 橘猫.png"]
        assert facts["recipes"][0]["settings"]["prompt"] == "żółw 橘猫 🐢"
    else:
        assert "wrote " + "żółw 橘猫.png".encode(encoding, "replace").decode(encoding) in printed


def test_a_mistake_is_said_on_such_a_console_too(work: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.TextIOWrapper(io.BytesIO(), "ascii", errors="strict")
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as ended:
        main(["edit", "橘猫.png", "--target", "猫", *work])
    assert ended.value.code == 1
    err.seek(0)
    assert err.read() == "regrow: There is no file ??.png: check its name and its folder.\n"


@pytest.mark.parametrize("arguments", [["models"], ["edit", "--help"], ["inspect", "in.png"]])
def test_a_reader_that_leaves_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    save(tmp_path / "in.png", torch.zeros(3, 8, 8))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "regrow", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_names_of_results_are_no_options_and_no_devices(work: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["generate", "con", *work])
    assert "wrote regrow-con.png" in capsys.readouterr().out
    save("-cat.png", torch.zeros(3, 64, 64))
    main(["edit", "./-cat.png", "--target", "a dog", "--source", "a cat", *work])
    assert "wrote cat-a-dog.png" in capsys.readouterr().out
    main(["generate", "a cat", *work, "--out", "./-x.png"])
    assert "repeat with: regrow replay ./-x.png" in capsys.readouterr().out
    long = "猫" * 80 + ".png"
    save(long, torch.zeros(3, 64, 64))
    main(["edit", long, "--target", "a dog", "a bird", "--source", "a cat", *work])
    main(["invert", long, "--source", "a cat", *work[:4], "--reference", "0"])
    assert sum(path.name.startswith("猫" * 70) for path in Path().iterdir()) == 4


@pytest.mark.parametrize("verb", ["train", "pull", "serve"])
def test_what_goes_into_a_home_that_cannot_be_written_is_refused(
    work: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    Path("file").touch()
    monkeypatch.setenv("REGROW_HOME", str(Path("file").resolve()))
    commands = {
        "train": ["train", "--world", "storybook", "--name", "x", "--steps", "1"],
        "pull": ["models", "pull", work[1], "--name", "x"],
        "serve": ["serve", "--no-browser"],
    }
    with pytest.raises(SystemExit) as ended:
        main(commands[verb])
    assert ended.value.code == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"regrow: regrow's home {Path('file').resolve()} cannot be written (")
    assert "set REGROW_HOME to another folder" in told
