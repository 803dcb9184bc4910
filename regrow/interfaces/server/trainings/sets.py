"""Uploaded sets of training files, one folder each."""

import re
import shutil
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.places import page
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.media.files import write_whole

NAME = re.compile(r"\w[\w .-]{0,59}")
WRITTEN = frozenset({".txt", ".caption", ".csv", ".tsv", ".jsonl", ".json", ".parquet"})
"""Suffixes of files with captions."""
MOST_FILES, MOST_BYTES = 20_000, 10_000_000_000
"""Limits of a set."""


class FileSet(BaseModel):
    """A set of files: its name, the number of files, and their bytes."""

    name: str
    files: int
    bytes: int


def listed(owner: str | None) -> list[FileSet]:
    """Return the sets by name.

    Args:
        owner: owner of the sets; None if callers share the server.
    """
    folders = [folder for folder in _root(owner).glob("*") if folder.is_dir() and NAME.fullmatch(folder.name)]
    return [_described(folder) for folder in sorted(folders)]


def found(owner: str | None, name: str) -> Path | None:
    """Return the folder of a set; None if there is none of this name."""
    folder = _root(owner) / name if NAME.fullmatch(name) else None
    return folder if folder and folder.is_dir() else None


def add(owner: str | None, name: str, file: str, data: bytes) -> FileSet:
    """Add a file to a set; one of the same name is replaced.

    Raises:
        Refused: a name is not allowed, the file is not usable for training, or the set is full.
        MediaError: the disk cannot be written.
    """
    if not NAME.fullmatch(name):
        raise Refused(422, "no_training_name", "name")
    file = PurePosixPath(file.replace("\\", "/")).name
    ending = PurePosixPath(file).suffix.lower()
    plain = not file.startswith(".") and file.isprintable() and len(file.encode()) <= 200
    if not plain or ending not in PICTURES.suffixes | SOUNDS.suffixes | WRITTEN:
        raise Refused(415, "no_set_file", "name", name=f"{file:.80}")
    if not data:
        raise Refused(400, "empty_file", name=file)
    folder = _root(owner) / name
    folder.mkdir(parents=True, exist_ok=True)
    before = _described(folder)
    if before.files >= MOST_FILES or before.bytes + len(data) > MOST_BYTES:
        raise Refused(413, "set_full", name=name, files=MOST_FILES, gigabytes=MOST_BYTES // 10**9)
    write_whole(folder / file, data)
    return _described(folder)


def delete(owner: str | None, name: str) -> None:
    """Delete a set.

    Raises:
        Refused: there is none of this name.
    """
    folder = found(owner, name)
    if folder is None:
        raise Refused(404, "no_set", "name", name=f"{name:.80}")
    shutil.rmtree(folder)


def _root(owner: str | None) -> Path:
    return page() / "sets" if owner is None else page() / "own-sets" / (owner or "-")


def _described(folder: Path) -> FileSet:
    sizes = [path.stat().st_size for path in folder.iterdir() if path.is_file()]
    return FileSet(name=folder.name, files=len(sizes), bytes=sum(sizes))
