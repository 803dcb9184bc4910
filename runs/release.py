"""Build wheel, source archive and bill of materials into `dist/`, and test the wheel outside of the repository.

    make release

1. `python -m build` makes the source archive, and the wheel from that archive; `twine check` reads their metadata.
2. The wheel is installed into a fresh environment elsewhere, its dependencies in the versions of `constraints.txt`.
3. From an empty folder, `regrow generate`, `edit`, `sing`, `replay` and `verify` run there.
4. cyclonedx lists that environment in `dist/regrow-VERSION.cdx.json`; `dist/SHA256SUMS` lists the files.

Nothing is uploaded. Needs the tools of `requirements/release.in`.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from shlex import split

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
MOST_BYTES = 70_000_000
"""Of the wheel."""
TRIALS = tuple(
    split(line)
    for line in (
        "generate 'an orange cat on a beach' --steps 6 --seed 3 --out cat.png",
        "edit cat.png --source 'an orange cat on a beach' --target 'a black cat on a beach' --steps 6 --out black.png",
        "verify",
        "replay black.png --out again.png",
        "generate 'a slow sad piano melody' --steps 4 --out piano.wav",
        "sing 'twinkle twinkle little star' --tune 'C4 C4 G4 G4 A4 A4 G4:2' --steps 4 --out star.flac",
    )
)
"""Commands that an installed regrow must run in an empty folder."""


def surroundings(folder: Path) -> dict[str, str]:
    """Return the environment of a trial: its own home, and nothing of this repository."""
    left = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "REGROW", "VIRTUAL_ENV"))
    }
    return {**left, "REGROW_HOME": str(folder / "home")}


def try_installed(scripts: Path, folder: Path, trials: Sequence[Sequence[str]] = TRIALS) -> None:
    """Run the trials with the `regrow` of an environment, in an empty folder.

    Raises:
        subprocess.CalledProcessError: a trial failed.
        FileNotFoundError: a trial made no file, or an empty one.
        ImportError: the imported regrow is that of the repository.
    """
    around = surroundings(folder)
    place = [scripts / "python", "-c", "import regrow; print(regrow.__file__)"]
    found = subprocess.run(place, cwd=folder, env=around, check=True, capture_output=True, text=True).stdout.strip()
    if Path(found).is_relative_to(ROOT) or not Path(found).is_relative_to(scripts.parent):
        raise ImportError(f"{found} is not in {scripts.parent}")
    for words in trials:
        print("regrow", *words, flush=True)
        subprocess.run([scripts / "regrow", *words], cwd=folder, env=around, check=True)
        if "--out" in words and not (folder / words[-1]).stat().st_size:
            raise FileNotFoundError(f"{words[-1]} is empty")


def main() -> None:
    """Build, test, and write the lists."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST, ROOT)
    wheel, archive = next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, archive)
    if wheel.stat().st_size >= MOST_BYTES:
        sys.exit(f"{wheel.name} has {wheel.stat().st_size:,} bytes, and may have {MOST_BYTES:,}")
    with tempfile.TemporaryDirectory(prefix="regrow-release-") as name:
        scripts, work = Path(name) / "env" / "bin", Path(name) / "work"
        venv.create(scripts.parent, with_pip=True)
        run(scripts / "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
        work.mkdir()
        try_installed(scripts, work)
        run(scripts / "pip", "uninstall", "--quiet", "--yes", "pip", "setuptools")
        bill = DIST / f"{'-'.join(wheel.name.split('-')[:2])}.cdx.json"
        project = ("--pyproject", ROOT / "pyproject.toml", "--mc-type", "application")
        command = ("-m", "cyclonedx_py", "environment", *project, "--output-reproducible", "--output-file", bill)
        run(sys.executable, *command, scripts / "python")
        name_version(bill, wheel.name.split("-")[1])
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (wheel, archive, bill)]
    (DIST / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    for file in sorted(DIST.iterdir()):
        print(f"dist/{file.name}  {file.stat().st_size:,} bytes")


def name_version(bill: Path, version: str) -> None:
    """Write regrow's version into a bill of materials, as cyclonedx looks for it in pyproject.toml, which lacks it."""
    content = json.loads(bill.read_text(encoding="utf-8"))
    content["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/regrow@{version}"}
    bill.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def run(*words: object) -> None:
    """Run a command, and exit if it fails."""
    print(*words, flush=True)
    if status := subprocess.run([str(word) for word in words], cwd=ROOT, check=False).returncode:
        sys.exit(status)


if __name__ == "__main__":
    main()
