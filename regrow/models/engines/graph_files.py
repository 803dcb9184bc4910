"""Converted networks on disk: one folder per graph, with checksums; written under a temporary name and renamed.

network.xml, network.bin   the graph in OpenVINO's own form, for any batch and size
checksums                  of both
"""

import atexit
import errno
import mmap
import os
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from regrow.media.cache import checksum
from regrow.models.engines.openvino_runtime import core, library
from regrow.models.folder import reason

CACHE_BYTES = 16 << 30
"""Total size above which the least recently used networks are deleted."""

ABANDONED = 24 * 3600
"""Seconds after which an unfinished network counts as abandoned."""


@cache
def temporary() -> Path:
    """Return a temporary folder of this process, for when the home cannot be written."""
    folder = Path(tempfile.mkdtemp(prefix="regrow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _checksums(folder: Path, named: Path) -> bytes:
    """Return the checksums of a graph's files in a folder that is or will be called `named`."""
    sums = b""
    for name in ("network.xml", "network.bin"):
        with (folder / name).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            sums += checksum(named / name, data)
    return sums


def is_sound(folder: Path) -> bool:
    """Return whether a folder holds a complete, undamaged graph."""
    files = [folder / name for name in ("checksums", "network.xml", "network.bin")]
    with suppress(OSError, ValueError):  # an empty file cannot be mapped, and opening a pipe would block
        return all(map(Path.is_file, files)) and files[0].read_bytes() == _checksums(folder, folder)
    return False


def write_graph(converted: Any, size: int, folder: Path) -> None:
    """Write a converted network.

    Args:
        converted: a model of OpenVINO.
        size: bytes of its weights.
        folder: its final folder, which appears when all is written.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < size + (1 << 20):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the library's own error would not say so
    aside = folder.with_name(f".{secrets.token_hex(8)}.part")
    aside.mkdir()
    try:
        library().save_model(converted, aside / "network.xml", compress_to_fp16=False)
        core().read_model(aside / "network.xml")
        (aside / "checksums").write_bytes(_checksums(aside, folder))
        with suppress(OSError):  # another process was first
            aside.rename(folder)
        if not is_sound(folder):
            raise OSError(errno.EIO, f"what is in {folder} cannot be replaced")
    except RuntimeError as error:
        raise OSError(errno.EIO, reason(error)) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def drop_old(newest: Path) -> None:
    """Delete the least recently used networks above `CACHE_BYTES`, and unfinished ones of killed processes."""
    found: list[tuple[float, Path, int]] = []
    for folder in newest.parent.iterdir():
        with suppress(OSError):  # another process is renaming or deleting it
            found.append((folder.stat().st_mtime, folder, sum(path.stat().st_size for path in folder.iterdir())))
    total = 0
    for used, folder, size in sorted(found, reverse=True):
        if folder.name.startswith("."):  # another process may still write it
            surplus = time.time() - used > ABANDONED
        else:
            total += size
            surplus = total > CACHE_BYTES and folder != newest
        if surplus:
            shutil.rmtree(folder, ignore_errors=True)
