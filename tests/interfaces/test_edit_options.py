"""Masks, strength and exploring on the command line, driven as a user drives it."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from homes import sharing_engines

from regrow.interfaces.as_command import command_of
from regrow.interfaces.cli import main
from regrow.media.image.picture import load, save
from regrow.requests.edit import Edit


@pytest.fixture
def folder(checkpoint: Callable[[str], Path]) -> str:
    return str(checkpoint("sd-tiny"))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)
    save("in.png", torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(2)) * 2 - 1, None)


def edited(capsys: pytest.CaptureFixture[str], folder: str, *arguments: str) -> str:
    main(["edit", "in.png", "--source", "a cat", "--model", folder, "--steps", "4", *arguments])
    return capsys.readouterr().out


def test_found_masks_lie_beside_their_results(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = edited(
        capsys, folder, "--target", "a dog", "a bird", "--mask", "auto", "--strength", "auto", "--out", "e.png"
    )
    for name in ("e", "e-2"):
        mask = load(f"{name}-mask.png").pixels
        assert mask.shape == (3, 20, 30)
        assert set(mask.unique().tolist()) <= {-1.0, 1.0}
        assert re.search(rf"wrote {name}-mask\.png: \d+ % of the picture may change", said)
    assert "strength auto chose" in said
    assert "24 network evaluations for the mask" in said


def test_exploring_writes_a_sheet_and_commands_that_make_its_cells(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--target", "a dog", "--explore", "--strengths", "0.5", "1", "--guidances", "1", "5")
    said = edited(capsys, folder, *arguments)
    assert load("in-explored.png").pixels.shape[-1] > 400
    command = shlex.split(said.strip().splitlines()[-1].split("for example: ")[1])
    assert command[:2] == ["regrow", "edit"]
    told = json.loads(edited(capsys, folder, *arguments, "--json"))
    assert len(told["cells"]) == 4
    main([*command[1:], "--out", "cell.png", "--json"])
    alone = json.loads(capsys.readouterr().out)["recipes"][0]
    wanted = next(c for c in told["cells"] if shlex.split(c["command"]) == command)
    assert alone["figures"]["to_source"]["psnr"] == pytest.approx(wanted["to_source"]["psnr"], abs=0.02)


def test_a_command_says_what_is_not_the_default() -> None:
    request = Edit(Path("my cat.png"), ("a dog",), "a cat", cache=False, size=(64, 32), emphasis=(), start_step=3)
    assert command_of(request, "edit") == (
        "regrow edit 'my cat.png' --target 'a dog' --source 'a cat' --start-step 3 --size 64 32 --no-cache"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--region", "0.5,0.5,0.2,0.9"), "region must be left, top, right and bottom"),
        (("--mask", "none.png"), "There is no file none.png"),
        (("--attention", "p2p", "--method", "img2img"), "img2img has no inverted path to share attention with"),
        (("--attention", "p2p", "--emphasis", "horse=2"), '--emphasis names the word "horse", which no target has'),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    folder: str, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["edit", "in.png", "--target", "a dog", "--model", folder, "--steps", "4", *arguments])
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not list(Path.cwd().glob("in-*"))
