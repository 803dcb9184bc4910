"""The file itself: readable or a sentence that says why not; written whole or not at all."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


class MediaError(ValueError):
    """A file or a setting that cannot be used. One sentence: what is wrong, where, and what to do."""


_LFS = b"version https://git-lfs.github.com/spec/"


def readable(path: str | os.PathLike[str]) -> Path:
    """The path of a file that exists, can be opened and holds at least one byte.

    Raises:
        MediaError: there is no such file, it is a folder or a device, it may not be read, it is empty, or a pointer of
            Git LFS stands in its place.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(f"{path} is a folder: name one file in it.")
        if not path.exists():
            raise MediaError(f"There is no file {path}: check its name and its folder.")
        if not path.is_file():  # a pipe or a device would block or never end
            raise MediaError(f"{path} is not an ordinary file: copy its content into one first.")
        with path.open("rb") as file:
            if not file.read(1):
                raise MediaError(f"{path} is empty (0 bytes): copy or download it again.")
        if pointer := lfs_pointer(path):
            raise MediaError(pointer)
    except PermissionError as problem:
        raise MediaError(f"{path} may not be read by this user: change its permissions.") from problem
    except OSError as problem:
        raise MediaError(f"{path} cannot be opened ({reason(problem)}): check name and disk.") from problem
    return path


def lfs_pointer(path: Path, named: str = "the file itself") -> str:
    """Return a sentence where a file is what Git LFS leaves of one that was not fetched; "" of all others.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(_LFS))
    if head != _LFS or path.stat().st_size > 1024:
        return ""
    return (
        f"{path} is a Git LFS pointer of {path.stat().st_size} bytes in place of {named}: run git lfs pull in "
        f"{path.parent.resolve()}."
    )


def file_hash(path: Path) -> str:
    """Return the BLAKE2b of a file's bytes, 32 hexadecimal digits.

    Raises:
        MediaError: it cannot be read.
    """
    with readable(path).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


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
        raise MediaError(f"{path} is a folder: give the result a file name in it.")
    if not target.parent.is_dir():
        raise MediaError(f"{path} cannot be written: create the folder {target.parent} first.")
    aside = target.parent / f".regrow-{secrets.token_hex(8)}.part"
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    except OSError as problem:
        raise MediaError(
            f"{path} could not be written ({reason(problem)}), and what was there before is untouched: "
            "free some space or choose another folder."
        ) from problem
    finally:
        aside.unlink(missing_ok=True)


def reason(problem: BaseException) -> str:
    """What a library's exception says, on one line and without a full stop, to stand inside a sentence."""
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
        raise MediaError(
            f"{source} could not be copied to {to.parent} ({reason(problem)}), and nothing was left there: check that "
            "folder and the disk."
        ) from problem


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
