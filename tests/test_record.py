"""The record that holds one commit against another, over a command line that is not regrow's."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COMMAND_LINE = """
import json, sys
from pathlib import Path
from PIL import Image

def main(words):
    if "--strength" in words:
        print("regrow: strength must be above 0.", file=sys.stderr)
        sys.exit(1)
    Image.new("RGB", (4, 4), (words.index("--seed"), 2, 3)).save("g.png")
    Path("home").mkdir()
    Path("home/cache").write_text("not compared")
    facts = {"method": "anchored", "evaluations": 6, "seconds": SECONDS, "says": "told in full", "file": "FILE"}
    print(json.dumps(facts).replace("FILE", str(Path("g.png").resolve())))
"""
CASES = {
    "generate": [["generate", "a cat", "--seed", "{in}/cat.png"]],
    "refused: strength": [["edit", "--strength", "2"]],
}


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "runs"))
    for name in ("PYTHONPATH", "REGROW_HOME"):
        monkeypatch.setenv(name, "")  # which it sets, and which must not stay
    monkeypatch.setattr("sys.path", [*sys.path])
    import record

    monkeypatch.setattr(record, "cases", lambda: CASES)
    return record


@pytest.fixture
def folders(record, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path]:
    """Two records of command lines that take another time and nothing else."""
    found = []
    for name in ("one", "other"):
        code = tmp_path / f"code_{name}"
        code.mkdir()
        (code / f"line_{tmp_path.name}_{name}.py").write_text(COMMAND_LINE.replace("SECONDS", str(len(name))))
        (tmp_path / name / "inputs").mkdir(parents=True)
        made = ["make", str(tmp_path / name), "--code", str(code), "--entry", f"line_{tmp_path.name}_{name}:main"]
        assert record.main(made) == 0
        assert capsys.readouterr().out.endswith(f"2 cases, 0 s, in {tmp_path / name}\n")
        assert record.main(made) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1  # both are there
        found.append(tmp_path / name)
    return found[0], found[1]


def change(folder: Path, old: str, new: str) -> None:
    index = (folder / "index.json").read_text()
    assert old in index
    (folder / "index.json").write_text(index.replace(old, new))


def compared(record, folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    capsys.readouterr()
    return record.main(["compare", *map(str, folders), *options]), capsys.readouterr().out


def test_time_and_place_are_no_difference(record, folders, capsys: pytest.CaptureFixture[str]) -> None:
    assert compared(record, folders, capsys) == (0, "2 cases, 0 differ\n")
    files = json.loads((folders[0] / "index.json").read_text())["cases"]["generate"]["files"]
    assert list(files) == ["g.png"]


def test_one_value_of_a_pixel_is_a_difference(record, folders, capsys: pytest.CaptureFixture[str]) -> None:
    path = folders[1] / "cases" / "generate" / "g.png"
    pixels = np.asarray(Image.open(path)).copy()
    pixels[0, 0, 0] += 1
    Image.fromarray(pixels).save(path)
    index = json.loads((folders[1] / "index.json").read_text())
    index["cases"]["generate"]["files"]["g.png"] = record.file_facts(path)
    (folders[1] / "index.json").write_text(json.dumps(index))
    status, printed = compared(record, folders, capsys)
    assert (status, "files.g.png.pixels: at most 1 apart (in RGB), 1 values differ" in printed) == (1, True)


def test_a_figure_is_a_result_and_a_sentence_is_words(record, folders, capsys: pytest.CaptureFixture[str]) -> None:
    change(folders[1], "strength must be above 0", "Give a strength above 0")
    change(folders[1], "told in full", "expanded")
    assert compared(record, folders, capsys)[0] == 1
    assert compared(record, folders, capsys, "--no-words") == (0, "2 cases, 0 differ\n")
    change(folders[1], '"evaluations": 6', '"evaluations": 7')
    status, printed = compared(record, folders, capsys, "--no-words")
    assert status == 1
    assert "result differs: ran.0.facts.evaluations: 6 -> 7\n    in 1: generate\n" in printed


def test_a_new_name_is_no_difference_where_it_is_said(record, folders, capsys: pytest.CaptureFixture[str]) -> None:
    change(folders[1], "anchored", "direct_inversion")
    assert compared(record, folders, capsys)[0] == 1
    assert compared(record, folders, capsys, "--renamed", "anchored=direct_inversion")[0] == 0


def test_a_case_that_is_missing_is_a_difference(record, folders, capsys: pytest.CaptureFixture[str]) -> None:
    index = json.loads((folders[1] / "index.json").read_text())
    del index["cases"]["generate"]
    (folders[1] / "index.json").write_text(json.dumps(index))
    status, printed = compared(record, folders, capsys)
    assert (status, "only one record has it\n    in 1: generate" in printed) == (1, True)


def test_every_case_has_a_folder_of_its_own_and_every_verb_a_case(record) -> None:
    from record_parts.cases import cases

    places = [record.place(Path("x"), name) for name in cases()]
    assert len(set(places)) == len(places)
    verbs = {command[0] for commands in cases().values() for command in commands}
    assert verbs == {
        *("generate", "edit", "extend", "interpolate", "invert", "replay"),
        *("train", "verify", "inspect", "bench", "models"),
    }
