"""The lock files: what `constraints.txt` and `pyproject.toml` say, with a hash for every file."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
LOCKS = sorted(FOLDER.glob("*.lock"))


def pinned(file: Path) -> dict[str, str]:
    """Return the versions that a file of requirements pins, by name."""
    lines = re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[.*?\])?==(\S+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_has_hashes(lock: Path) -> None:
    pins, hashes = 0, 0
    for block in re.split(r"^(?=[a-zA-Z0-9])", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        pins += 1
        hashes += bool(re.search(r"--hash=sha256:[0-9a-f]{64}\b", block))
    assert pins == hashes == len(pinned(lock)) > 0


def test_the_locks_hold_the_versions_of_the_constraints() -> None:
    wanted = pinned(ROOT / "constraints.txt")
    locked = pinned(FOLDER / "torch.lock") | pinned(FOLDER / "dev.lock")
    assert {name: locked.get(name) for name in wanted} == wanted, "run make lock"
    assert pinned(FOLDER / "torch-cpu.lock")["torch"] == f"{wanted['torch']}+cpu", "run make lock"


def test_the_locks_hold_all_that_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = pinned(FOLDER / "torch.lock") | pinned(FOLDER / "dev.lock")
    for line in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        needed = Requirement(line)
        assert needed.specifier.contains(Version(locked[canonicalize_name(needed.name)])), f"{line}: run make lock"
    tools = pinned(FOLDER / "release.lock")
    assert pinned(FOLDER / "release.in").items() <= tools.items(), "run make lock"
