"""Converted networks on disk: one folder a graph, with checksums; written aside and renamed.

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
"""The networks unused for longest are dropped when all of them together exceed this."""

ABANDONED = 24 * 3600
"""Seconds after which a network that is not written to the end was given up."""


@cache
def temporary() -> Path:
    """Return a folder for what this process makes where the home cannot be written."""
    folder = Path(tempfile.mkdtemp(prefix="regrow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _checksums(folder: Path, named: Path) -> bytes:
    """Those of a graph's files in a folder that is or will be called `named`."""
    sums = b""
    for name in ("network.xml", "network.bin"):
        with (folder / name).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            sums += checksum(named / name, data)
    return sums


def is_sound(folder: Path) -> bool:
    """Return whether a whole and undamaged graph is in a folder."""
    with suppress(OSError, ValueError):  # an empty file cannot be mapped
        return (folder / "checksums").read_bytes() == _checksums(folder, folder)
    return False


def write_graph(converted: Any, size: int, folder: Path) -> None:
    """Write a converted network.

    Args:
        converted: a model of OpenVINO.
        size: bytes of its weights.
        folder: gets its name when it is whole.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < size + (1 << 20):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # which the library would not say
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
    """Drop the networks unused for longest where there are too many, and what killed processes left half-written."""
    found: list[tuple[float, Path, int]] = []
    for folder in newest.parent.iterdir():
        with suppress(OSError):  # another process renames or drops it just now
            found.append((folder.stat().st_mtime, folder, sum(path.stat().st_size for path in folder.iterdir())))
    total = 0
    for used, folder, size in sorted(found, reverse=True):
        if folder.name.startswith("."):  # another process may be at it
            surplus = time.time() - used > ABANDONED
        else:
            total += size
            surplus = total > CACHE_BYTES and folder != newest
        if surplus:
            shutil.rmtree(folder, ignore_errors=True)
