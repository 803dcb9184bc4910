"""Arrays that are made once, kept on disk and mapped into memory: whole or not at all, whoever else makes the same."""

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


@contextmanager
def kept_array(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> Iterator[np.memmap]:
    """An array to be filled, which gets its name when the block ends without an exception.

    Each process fills one of its own, so that two which make the same do not write into each other's.

    Args:
        path: what it is called in the end, `.npy`; its folder is made.
        shape: of the array.
        dtype: of its numbers.

    Raises:
        MediaError: there is no room for it.
    """
    make_cache_folder(path.parent)
    for left in path.parent.glob(f".*-{path.name}"):
        if not _is_at_work(left.name[1:].split("-", 1)[0]):  # it was killed
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
    """Return arrays, mapped into memory, that are filled row by row where the cache does not hold them yet.

    Args:
        folder: of the cache.
        content: what decides the rows; its hash names the files.
        arrays: shape and type of each, by what its file's name ends in.
        rows: makes the rows, one of each array.

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
    """Make a folder of the cache that a training cannot do without.

    Raises:
        MediaError: the home cannot be written.
    """
    check_home()
    folder.mkdir(parents=True, exist_ok=True)


def seal(aside: Path, path: Path) -> None:
    """Put a checksum behind a filled array, which `np.load` does not mind, and give it its name."""
    array = np.load(aside, mmap_mode="r")
    size = array.offset + array.nbytes
    with aside.open("r+b") as file:
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as data:
            sealed = checksum(path, data)
        file.seek(size)
        file.write(sealed)
    aside.replace(path)


def kept_rows(path: Path) -> np.ndarray | None:
    """Return an array that was sealed, mapped into memory; None where there is none, or none that is sound."""
    with suppress(OSError, ValueError, EOFError):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            view = memoryview(data)
            sound = view[-SIZE:] == checksum(path, view[:-SIZE])
            view.release()
        if sound:
            return np.load(path, mmap_mode="r")
    return None


def with_room(path: Path, shape: tuple[int, ...], dtype: type[np.generic]) -> np.memmap:
    """A new array in a file whose room on the disk is taken at once.

    Where it is not, a disk that fills up later ends the process by a signal (SIGBUS), without a word.

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
        raise MediaError(
            f"{size:,.0f} MB could not be kept in {path.parent} ({reason(problem)}): free some space, or set "
            "REGROW_HOME to a folder on a larger disk, and run the same command again."
        ) from problem
    return array


def _is_at_work(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True
