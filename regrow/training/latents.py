"""Latents on disk: each picture or mel is encoded once per codec, then mapped into memory."""

import fcntl
import hashlib
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.progress import Progress
from regrow.media.files import MediaError, write_whole
from regrow.media.home import home
from regrow.messages.message import say
from regrow.training.arrays import kept_rows, make_cache_folder, seal, with_room


def fingerprint(module: nn.Module) -> str:
    """Return the BLAKE2b hash of a module's weights in hex, as codecs that differ in one bit have other latents."""
    whole = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(module.state_dict().items()):
        whole.update(name.encode())
        whole.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return whole.hexdigest()


def latents_of(
    codec: nn.Module,
    encode: Callable[[np.ndarray], Float[Tensor, "b c h w"]],
    items: Callable[[slice], np.ndarray],
    count: int,
    content: str,
    batch: int = 32,
) -> Generator[Progress, None, np.ndarray]:
    """Return the latents of `count` pictures or mels, float16 `n c h w`, from disk if they are there.

    A killed encoding continues where it stopped: finished latents stay, and their number is stored after them.

    Args:
        codec: its weights determine the name of the file.
        encode: converts items to latents.
        items: returns the items of a slice of 0 to `count`.
        count: number of items.
        content: a hash of the items.
        batch: items encoded at once.

    Raises:
        MediaError: there is no room for them.
    """
    key = hashlib.blake2b(f"{fingerprint(codec)} {content} {count}".encode(), digest_size=12).hexdigest()
    path = home() / "cache" / "latents" / f"{key}.npy"
    latents = kept_rows(path)
    if latents is None:
        make_cache_folder(path.parent)
        with path.with_suffix(".lock").open("w") as lock:
            while not _held(lock):  # another training encodes the same, and both will use its result
                yield Progress("encode", 0, count)
                time.sleep(0.2)
            if kept_rows(path) is None:
                yield from _encode(path, encode, items, count, batch)
        latents = kept_rows(path)
        if latents is None:
            raise MediaError(say("written_bytes_differ", path=path))
    return latents


def _held(lock: TextIO) -> bool:
    """Return whether this process holds the lock, after an attempt to take it; a killed process releases it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@torch.no_grad()
def _encode(
    path: Path,
    encode: Callable[[np.ndarray], Tensor],
    items: Callable[[slice], np.ndarray],
    count: int,
    batch: int,
) -> Generator[Progress, None, None]:
    aside, counter = path.with_suffix(".part"), path.with_suffix(".done")
    done, summed, array = _encoded(aside, counter)
    for i in range(done, count, batch):
        latents = encode(items(slice(i, min(i + batch, count)))).half().numpy()
        if array is None:
            array = with_room(aside, (count, *latents.shape[1:]), np.float16)
        array[i : i + len(latents)] = latents
        summed = zlib.crc32(latents.tobytes(), summed)
        if (i // batch) % 16 == 15:
            array.flush()
            write_whole(counter, f"{i + len(latents)} {summed}".encode())
        yield Progress("encode", i + len(latents), count)
    assert array is not None
    array.flush()
    seal(aside, path)
    counter.unlink(missing_ok=True)


def _encoded(aside: Path, counter: Path) -> tuple[int, int, np.memmap | None]:
    """Return the number of valid latents of a killed encoding, their CRC-32, and the array; (0, 0, None) if none."""
    with suppress(OSError, ValueError, EOFError):
        done, summed = map(int, counter.read_text().split())
        array = np.load(aside, mmap_mode="r+")
        if done > 0 and zlib.crc32(array[:done].tobytes()) == summed:
            return done, summed, array
    return 0, 0, None
