"""A kind of input: how a valid one is made, which of its files are mutated, and how regrow reads it."""

import fnmatch
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGE = 100_000
"""Larger files, in bytes, are hard-linked instead of copied, as regrow never writes into a file."""


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        name: of the kind.
        make: writes a valid input into an empty folder; the same one each time.
        files: patterns of the files, relative to that folder; each attempt mutates one of them.
        read: reads the input as regrow would read a user's, with $REGROW_HOME at `home` in the folder; takes the folder
            and the name of the mutated file. It raises an error with a clear sentence if the input cannot be used.
        share: weight of this kind among all attempts.
        places: whether a mutation may replace the file by something else, such as a folder.
    """

    name: str
    make: Callable[[Path], None]
    files: tuple[str, ...]
    read: Callable[[Path, str], None]
    share: float = 1.0
    places: bool = True

    def names(self, folder: Path) -> list[str]:
        """Return the names of the files in a folder that may be mutated."""
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in self.files)]


class AnswerError(Exception):
    """An error that the server or a process reported without a clear sentence for users."""


def copy_input(whole: Path, to: Path) -> None:
    """Replace a folder by a copy of an input's folder; large files are hard links."""
    shutil.rmtree(to, ignore_errors=True)

    def copied(source: str, target: str) -> None:
        Path(target).unlink(missing_ok=True)
        if os.path.getsize(source) > LARGE:
            os.link(source, target)
        else:
            shutil.copyfile(source, target)

    shutil.copytree(whole, to, copy_function=copied, dirs_exist_ok=True)  # threads of the last attempt may still write


def write_json(path: Path, content: Any) -> None:
    """Write a JSON document, and create its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
