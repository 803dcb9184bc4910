"""`--engine`, as a user gives it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from homes import sharing_engines

from regrow.interfaces.cli import main
from regrow.media.image.picture import read_recipe
from regrow.models.engines.openvino_runtime import installed


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(list(arguments))
    assert stop.value.code == 1
    return capsys.readouterr().err


@pytest.mark.skipif(not installed(), reason="OpenVINO is not installed")
def test_a_file_says_what_computed_it_and_is_made_again_by_that(
    checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("a cat", "--model", str(checkpoint("sd-tiny")), "--steps", "3")
    main(["generate", *asked, "--out", "v.png", "--engine", "openvino", "--dtype", "float32"])
    main(["generate", *asked, "--out", "t.png"])
    capsys.readouterr()
    for name, engine in (("v.png", "openvino float32"), ("t.png", "torch float32")):
        recipe = read_recipe(name)
        assert recipe is not None
        assert recipe["engine"] == engine
        main(["replay", name, "--json"])
        assert json.loads(capsys.readouterr().out)["identical"] is True


def test_half_precision_is_replayed_in_half_precision(
    checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(checkpoint("sd-tiny"))
    main(["generate", "a cat", "--model", model, "--steps", "3", "--out", "h.png", "--dtype", "bfloat16"])
    capsys.readouterr()
    main(["replay", "h.png", "--json"])
    assert json.loads(capsys.readouterr().out)["identical"] is True


def test_an_engine_beside_another_precision_is_refused(
    checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("generate", "a cat", "--model", str(checkpoint("sd-tiny")), "--engine", "openvino", "--dtype", "bfloat16")
    assert "in bfloat16: leave out --device and --dtype" in refused(capsys, *asked) or not installed()
