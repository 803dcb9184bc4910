"""The wheel and the source archive: all files and no others, and an installed regrow works away from the repository.

`make release` does the same with a fresh environment and its own dependencies; here they are those of this environment.
"""

import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from regrow import __version__

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "runs"))
from release import MOST_BYTES, TRIALS, try_installed  # noqa: E402


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "--directory", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"regrow-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def files() -> set[str]:
    """The files of the package: those of git, and new ones that it does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "regrow"]
    try:
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no git here")
    return {name for name in names if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment with the wheel in it and this environment's packages beside it."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # its packages can be imported then, and its .pth files, one of which names this repository, are not read
    (packages / "beside.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_is_below_70_mb_and_holds_all_files_and_no_others(wheel: Path, files: set[str]) -> None:
    assert wheel.stat().st_size < MOST_BYTES
    held = set(zipfile.ZipFile(wheel).namelist())
    about = f"regrow-{__version__}.dist-info/"
    assert {name for name in held if not name.startswith(about)} == files
    assert "regrow/py.typed" in held
    for name in ("LICENSE", "regrow/prompts/NOTICE", "regrow/interfaces/page/vendor/LICENSE-lit"):
        assert f"{about}licenses/{name}" in held


def test_the_source_archive_holds_all_files_and_what_builds_them(built: Path, files: set[str]) -> None:
    with tarfile.open(built / f"regrow-{__version__}.tar.gz") as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert files | {"pyproject.toml", "README.md", "LICENSE", "constraints.txt"} <= held
    assert not [name for name in held if name.startswith((".venv", "out/", "dist/"))]


def test_the_metadata_say_which_pythons_and_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = PathDistribution(zipfile.Path(archive, f"regrow-{__version__}.dist-info/")).metadata
    assert about["Requires-Python"] == ">=3.11"
    stated = {line.rpartition(" ")[2] for line in about.get_all("Classifier") if "Python :: 3." in line}
    assert stated == {"3.11", "3.12", "3.13", "3.14"}
    rows = set(
        re.findall(
            r"^\| `(\w+)` \|", (ROOT / "docs" / "how-to" / "install.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert set(about.get_all("Provides-Extra")) == rows, "docs/how-to/install.md lists the extras"


def test_an_installed_regrow_works_with_no_repository_near(installed: Path, tmp_path: Path) -> None:
    try_installed(installed, tmp_path, TRIALS[:3])
