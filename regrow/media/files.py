"""Read and write files: errors in one sentence, and files written completely or not at all."""

import hashlib
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from regrow.messages.message import say

UNZIPPING = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
"""What `zipfile` raises for a zip that it cannot read: a damaged one, one with a password, an unknown compression."""


class MediaError(ValueError):
    """An error about a file or a setting, in one sentence: what is wrong, where, and what to do."""


_LFS = b"version https://git-lfs.github.com/spec/"
_MOST_POINTER = 1024


def readable(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that exists, can be opened and holds at least one byte.

    Raises:
        MediaError: there is no such file, it is a folder or a device, it may not be read, it is empty, or a pointer of
            Git LFS stands in its place.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(say("input_is_folder", path=path))
        if not path.exists():
            raise MediaError(say("no_such_file", path=path))
        if not path.is_file():  # a pipe or a device would block or never end
            raise MediaError(say("no_ordinary_file", path=path))
        with path.open("rb") as file:
            if not file.read(1):
                raise MediaError(say("sound_empty", path=path))
        if pointer := lfs_pointer(path):
            raise MediaError(pointer)
    except PermissionError as problem:
        raise MediaError(say("file_not_permitted", path=path)) from problem
    except OSError as problem:
        raise MediaError(say("file_not_openable", path=path, reason=reason(problem))) from problem
    return path


def lfs_pointer(path: Path, named: str = "the file itself") -> str:
    """Return a sentence where a file is what Git LFS leaves of one that was not fetched; "" of all others.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(_LFS))
    if head != _LFS or path.stat().st_size > _MOST_POINTER:
        return ""
    return say("lfs_pointer", path=path, size=path.stat().st_size, named=named, folder=path.parent.resolve())


def is_pointer(data: bytes) -> bool:
    """Return whether the bytes of a file are what Git LFS leaves of one that was not fetched."""
    return data.startswith(_LFS) and len(data) <= _MOST_POINTER


def file_hash(path: Path) -> str:
    """Return the BLAKE2b of a file's bytes, 32 hexadecimal digits.

    Raises:
        MediaError: it cannot be read.
    """
    with readable(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def version_of(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does: its place on the disk, its size and its time.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` so that `path` holds either what it held before or all of `data`, even after a power cut.

    The bytes go to a temporary file in the same folder (a rename is atomic only within one file system), are
    forced to the disk, and then take the name. A symbolic link is followed, not replaced.

    Raises:
        MediaError: the folder is missing, the path is a folder, or the system refuses (full disk,
            permission); nothing is left behind and the file that was there is untouched.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise MediaError(say("output_is_folder", path=path))
    if not target.parent.is_dir():
        raise MediaError(say("output_folder_missing", path=path, folder=target.parent))
    aside = target.parent / f".regrow-{secrets.token_hex(8)}.part"
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except OSError as problem:
        raise MediaError(say("file_not_written", path=path, reason=reason(problem))) from problem
    finally:
        aside.unlink(missing_ok=True)


def reason(problem: BaseException) -> str:
    """Return what a library's exception says, on one line and without a full stop, to stand inside a sentence."""
    text = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return " ".join(text.split()).rstrip(".")[:200]


def copy_files(files: Iterable[Path], source: Path, to: Path) -> None:
    """Copy files, and what links lead to, from one folder to the same places in another, which is made.

    Raises:
        MediaError: the system refuses; what was copied by then is there.
    """
    try:
        for path in files:
            target = to / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    except OSError as problem:
        raise MediaError(say("file_not_copied", source=source, folder=to.parent, reason=reason(problem))) from problem


def sync_folder(folder: Path, deep: bool = True) -> None:
    """Force a folder's names to the disk, and what is in its files and folders if `deep`.

    Raises:
        OSError: the disk refuses a file. Some file systems cannot sync a folder, which is not told.
    """
    for path in sorted(folder.rglob("*")) if deep else ():
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            sync_folder(path, deep=False)
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
