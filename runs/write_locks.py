"""Write `requirements/*.lock`: every version of `constraints.txt` with the hashes of its files, for all platforms.

    make lock

- `dev.lock`: what regrow and its extra `dev` need on any platform, torch apart.
- `torch.lock`: torch from PyPI, with the CUDA libraries that it needs on Linux.
- `torch-cpu.lock`: the CPU build of torch, only for the running Python and platform, if pip's settings name a source of
  it (`find-links`, an extra index). Otherwise the file is unchanged.
- `release.lock`: the tools of `make release` and `make licences`.

Needs uv (`requirements/release.in`) and an index. Run it again after a change of `constraints.txt` or `pyproject.toml`.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "requirements"
HEAD = "# Written by `make lock`; do not edit.\n"
_VIA = re.compile(r"^    #(?: via|  ) (\S+)$", re.MULTILINE)


def main() -> None:
    """Write the four files."""
    blocks = compiled("pyproject.toml", "--extra=dev", "--constraint=constraints.txt")
    cuda = cuda_packages(blocks)
    write("dev.lock", [text for name, text in blocks.items() if name not in cuda])
    write("torch.lock", [text for name, text in blocks.items() if name in cuda])
    write("release.lock", list(compiled("requirements/release.in").values()))
    if lines := cpu_build(blocks["torch"].split()[0]):
        write("torch-cpu.lock", lines)


def compiled(source: str, *options: str) -> dict[str, str]:
    """Return the lock file's lines of each package that a requirements file needs on any platform, by name."""
    command = [
        "uv",
        "pip",
        "compile",
        source,
        "--universal",
        "--generate-hashes",
        "--python-version=3.11",
        "--no-header",
    ]
    text = subprocess.run(
        [sys.executable, "-m", *command, "--quiet", *options], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)
    return {re.split(r"[=\[]", block)[0]: block for block in blocks if block}


def cuda_packages(blocks: dict[str, str]) -> set[str]:
    """Return torch and the Linux-only packages that are needed only by torch and by each other."""
    found = {name for name, text in blocks.items() if name == "torch" or "linux" in text.splitlines()[0]}
    while others := {name for name in found - {"torch"} if not set(_VIA.findall(blocks[name])) <= found}:
        found -= others
    return found


def cpu_build(pinned: str) -> list[str]:
    """Return the lines of torch's CPU build of this version; an empty list if pip finds none."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{pinned}+cpu"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, wanted]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return []
        (wheel,) = Path(folder).iterdir()
        digest = subprocess.run(
            [sys.executable, "-m", "pip", "hash", wheel], capture_output=True, text=True, check=True
        ).stdout.split()[-1]
        return [f"# {wheel.name}\n{wanted} {digest}\n"]


def write(name: str, blocks: list[str]) -> None:
    """Write a lock file."""
    (FOLDER / name).write_text(HEAD + "".join(blocks), encoding="utf-8")
    print(f"requirements/{name}: {len(blocks)} packages")


if __name__ == "__main__":
    main()
