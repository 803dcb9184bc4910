"""Whose the carried files are: `docs/reference/licences.md` lists each that is not regrow's own program text."""

import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "runs"))
from list_licences import Carried, carried_files  # noqa: E402

PROGRAM = (".py", ".md", ".sh", ".css", ".html", ".js", ".lock", ".yml")
"""Endings of regrow's own text; the carried libraries of the page end so, too, and are listed all the same."""
BUILD = {
    *("LICENSE", "Makefile", "constraints.txt", "pyproject.toml", ".gitignore", ".ci/run", "requirements/release.in"),
    "runs/site/requirements.txt",
    *("regrow/py.typed", "runs/site/requirements.txt"),
}
LIBRARIES = ("regrow/interfaces/page/vendor/", "tests/interfaces/page/axe/")
WHEEL = "regrow/"


def tracked() -> list[str]:
    try:
        return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no git here")


def is_data(name: str) -> bool:
    """Return whether a file is to be listed: it is not written by regrow's authors as text of the program."""
    if name.startswith(LIBRARIES):
        return not name.endswith(".md")
    return name not in BUILD and not name.endswith(PROGRAM)


def lines_of(name: str, carried: list[Carried]) -> list[Carried]:
    return [line for line in carried if fnmatchcase(name, line.files)]


def test_no_carried_file_is_missing_from_the_list() -> None:
    carried = carried_files()
    assert [name for name in tracked() if is_data(name) and not lines_of(name, carried)] == []


def test_a_file_without_a_line_is_found() -> None:
    carried = [line for line in carried_files() if "bank" not in line.files]
    assert not lines_of("regrow/worlds/bandstand/bank/piano.ogg", carried)
    assert is_data("regrow/interfaces/page/vendor/other.js")
    assert not lines_of("regrow/interfaces/page/vendor/other.js", carried)


def test_every_line_is_of_files_that_are_there_and_says_whether_they_are_installed() -> None:
    names = [name for name in tracked() if is_data(name)]
    for line in carried_files():
        found = [name for name in names if lines_of(name, [line])]
        assert found, f"docs/reference/licences.md: no file matches {line.files}"
        assert line.what
        assert line.licence
        assert {name.startswith(WHEEL) for name in found} == {line.wheel == "yes"}, line.files


def test_every_notice_is_one_of_the_package_s_licences() -> None:
    from hatchling.builders.wheel import WheelBuilder

    notices = {
        name for name in tracked() if name.startswith(WHEEL) and Path(name).name.startswith(("NOTICE", "LICENSE"))
    }
    assert notices | {"LICENSE"} == set(WheelBuilder(str(ROOT)).metadata.core.license_files)


def test_a_licence_that_wants_its_notice_has_it_beside_the_files() -> None:
    texts = {
        "regrow/models/single_files/data/NOTICE": "Copyright (c) 2021 OpenAI",
        "regrow/prompts/NOTICE": "Kevin Atkinson",
        "regrow/worlds/songbook/NOTICE": "Carnegie Mellon University.  All rights",
        "regrow/interfaces/page/vendor/LICENSE-lit": "Google LLC",
        "regrow/interfaces/page/vendor/LICENSE-wavesurfer": "katspaugh",
    }
    for name, words in texts.items():
        assert words in (ROOT / name).read_text(encoding="utf-8"), name
