"""List the licence of every installed package, and of every carried file that is not regrow's own program text.

    make licences

pip-licenses reads those of the packages from their metadata; those of the carried files are in
`docs/reference/licences.md`.
Exit status 1: a package states no licence.
"""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "docs" / "reference" / "licences.md"


@dataclass(frozen=True)
class Carried:
    """A line of the list.

    Attributes:
        files: a path from the top of the repository; `*` stands for any text, slashes too.
        what: description of the files.
        licence: an SPDX expression if there is one.
        origin: source of the files.
        wheel: whether `pip install regrow` installs them, "yes" or "no".
    """

    files: str
    what: str
    licence: str
    origin: str
    wheel: str


def carried_files() -> list[Carried]:
    """Return the lines of the table in `docs/reference/licences.md`."""
    rows = re.findall(r"^\| `(.+)$", LIST.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in row.rstrip("|").split("|")] for row in rows]
    return [Carried(files.rstrip("`"), *rest) for files, *rest in cells]


def packages(python: str) -> list[dict[str, str]]:
    """Return name, version, licence and address of every package of an environment, as pip-licenses finds them."""
    found = subprocess.run(
        [sys.executable, "-m", "piplicenses", f"--python={python}", "--from=mixed", "--with-urls", "--format=json"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [{key: " ".join(value.split()) for key, value in package.items()} for package in json.loads(found)]


def print_columns(rows: list[list[str]]) -> None:
    """Print rows with columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def main() -> None:
    """Print both lists."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the Python whose packages are listed")
    found = packages(parser.parse_args().python)
    print(f"{len(found)} installed packages\n")
    print_columns([[package[key] for key in ("Name", "Version", "License", "URL")] for package in found])
    print("\nCarried files\n")
    print_columns([[line.files, line.licence, f"{line.what}; {line.origin}"] for line in carried_files()])
    if unknown := [package["Name"] for package in found if package["License"] == "UNKNOWN"]:
        print(f"\nNo licence stated by: {', '.join(unknown)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
