"""Cached arrays on disk, mapped into memory; each is complete or absent, even if several processes make it."""

import hashlib
import mmap
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from regrow.core.progress import Progress
from regrow.media.cache import SIZE, check_home, checksum
from regrow.media.files import MediaError, reason
from regrow.media.home import home
from regrow.messages.message import say


@contextmanager
def kept_array(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> Iterator[np.memmap]:
    """Open an array to be filled; it gets its final name when the block ends without an exception.

    Each process fills its own temporary file, so two that make the same array do not overwrite each other's.

    Args:
        path: final name, ending in `.npy`; its folder is created.
        shape: of the array.
        dtype: of its numbers.

    Raises:
        MediaError: there is no room for it.
    """
    make_cache_folder(path.parent)
    for left in path.parent.glob(f".*-{path.name}"):
        if not _is_at_work(left.name[1:].split("-", 1)[0]):  # its process was killed
            left.unlink(missing_ok=True)
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        array = with_room(aside, shape, dtype)
        yield array
        array.flush()
        seal(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def keep_rows(
    folder: str,
    content: str,
    arrays: dict[str, tuple[tuple[int, ...], type[np.generic]]],
    rows: Callable[[], Iterable[tuple[np.ndarray, ...]]],
) -> Generator[Progress, None, tuple[np.ndarray, ...]]:
    """Return arrays from the cache, mapped into memory; if they are not there, fill them row by row.

    Args:
        folder: of the cache.
        content: everything that determines the rows; its hash names the files.
        arrays: shape and type of each array, by the ending of its file's name.
        rows: returns tuples with one row of each array.

    Raises:
        MediaError: there is no room for them.
    """
    key = hashlib.blake2b(content.encode(), digest_size=12).hexdigest()
    paths = [home() / "cache" / folder / f"{key}{end}.npy" for end in arrays]
    kept = [kept_rows(path) for path in paths]
    if any(array is None for array in kept):
        count = next(iter(arrays.values()))[0][0]
        with ExitStack() as held:
            made = [
                held.enter_context(kept_array(path, *kind)) for path, kind in zip(paths, arrays.values(), strict=True)
            ]
            for i, row in enumerate(rows()):
                for array, values in zip(made, row, strict=True):
                    array[i] = values
                yield Progress("read", i + 1, count)
        kept = [np.load(path, mmap_mode="r") for path in paths]
    return tuple(array for array in kept if array is not None)


def make_cache_folder(folder: Path) -> None:
    """Create a folder of the cache that a training needs.

    Raises:
        MediaError: the home cannot be written.
    """
    check_home()
    folder.mkdir(parents=True, exist_ok=True)


def seal(aside: Path, path: Path) -> None:
    """Append a checksum to a filled array, which `np.load` ignores, and give it its final name."""
    array = np.load(aside, mmap_mode="r")
    size = array.offset + array.nbytes
    with aside.open("r+b") as file:
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            sealed = checksum(path, data)
        file.seek(size)
        file.write(sealed)
    aside.replace(path)


def kept_rows(path: Path) -> np.ndarray | None:
    """Return a sealed array, mapped into memory; None if it is missing or damaged."""
    with suppress(OSError, ValueError, EOFError):
        if not path.is_file():  # opening a pipe would block
            return None
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            view = memoryview(data)
            sound = view[-SIZE:] == checksum(path, view[:-SIZE])
            view.release()
        if sound:
            return np.load(path, mmap_mode="r")
    return None


def with_room(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap:
    """Return a new array in a file whose disk space is allocated at once.

    Otherwise, a disk that fills up later would end the process by a signal (SIGBUS), without a message.

    Raises:
        MediaError: there is no room for it; nothing is left of it.
    """
    try:
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size + SIZE)
    except OSError as problem:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize / 1e6
        raise MediaError(say("data_not_kept", megabytes=size, folder=path.parent, reason=reason(problem))) from problem
    return array


def _is_at_work(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
