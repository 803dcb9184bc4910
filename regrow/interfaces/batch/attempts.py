"""Claim jobs of a batch by attempt files, in a folder that all drivers and workers share.

`OUT/.attempts/KEY.1` is the first attempt at a job. The process that runs the job creates it, and touches it as long as
it lives. If it is no longer touched, the process has ended, and another may make the next attempt: KEY.2. Only one
process can create a file of a given name, so no job runs twice at the same time.

For a process of this machine, the operating system says whether it lives. For one of another machine, the time of the
last touch decides. It is compared with the clock of the storage, as the clocks of two machines may differ too much.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regrow.media.one_process import began, is_at_work

MOST = 3
"""Most attempts at a job; one that ends its process each time is set aside."""
BEAT, DEAD = 5.0, 60.0
"""Seconds between touches, and seconds without a touch after which an attempt on another machine counts as ended."""


@dataclass(frozen=True)
class Doer:
    """A process that makes attempts.

    Attributes:
        machine: scope of the process id: a machine since its last boot, or a container on it.
        process: the process id.
    """

    machine: str
    process: int

    @classmethod
    def here(cls, process: int | None = None) -> "Doer":
        """Return the identity of a process of this machine; None for this process."""
        return cls(_machine(), process or os.getpid())


def attempts_at(out: Path, key: str) -> int:
    """Return how many attempts at a job were made and not withdrawn."""
    return next((n for n in range(MOST) if not _file(out, key, n + 1).exists()), MOST)


def is_alive(out: Path, key: str) -> bool:
    """Return whether a process is running a job."""
    made = attempts_at(out, key)
    if not made:
        return False
    path = _file(out, key, made)
    doer, began_at = _noted(path)
    if doer and doer.machine == _machine():
        return is_at_work(doer.process, began_at)
    try:  # made on another machine, or still being written
        return now(path.parent) - path.stat().st_mtime < DEAD
    except FileNotFoundError:  # withdrawn in the meantime
        return False


def begin(out: Path, key: str) -> int | None:
    """Make the next attempt at a job for this process.

    Returns:
        Its number; None if another process runs the job, or all attempts were made.
    """
    if is_alive(out, key) or (number := attempts_at(out, key) + 1) > MOST:
        return None
    path = _file(out, key, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    doer = Doer.here()
    noted = {"machine": doer.machine, "process": doer.process, "began": began(doer.process)}
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(noted, file)
    except FileExistsError:  # another process was first
        return None
    return number


def withdraw(out: Path, key: str, number: int) -> None:
    """Remove an attempt that did not end its process, such as a finished or stopped one."""
    _file(out, key, number).unlink(missing_ok=True)


def forgive(out: Path, key: str, doer: Doer) -> None:
    """Remove the last attempt at a job if it was made by this process, which was stopped from outside."""
    made = attempts_at(out, key)
    if made and _noted(_file(out, key, made))[0] == doer:
        withdraw(out, key, made)


@contextmanager
def beating(out: Path, key: str, number: int) -> Iterator[None]:
    """Touch an attempt regularly within the context."""
    over = threading.Event()

    def touch() -> None:
        while not over.wait(BEAT):
            with suppress(OSError):
                os.utime(_file(out, key, number))

    threading.Thread(target=touch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def now(folder: Path) -> float:
    """Return the time by the clock that sets the file times in a folder."""
    path = folder / f".clock-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        path.touch()
        return path.stat().st_mtime
    except OSError:  # a full disk
        return time.time()
    finally:
        path.unlink(missing_ok=True)


def _file(out: Path, key: str, number: int) -> Path:
    return out / ".attempts" / f"{key}.{number}"


def _noted(path: Path) -> tuple[Doer | None, float]:
    """Return who made an attempt, and when that process began; None while it is being written, or if it is damaged."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}  # opening a pipe would block
        return Doer(str(noted["machine"]), int(noted["process"])), float(noted["began"])
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return None, 0.0


@cache
def _machine() -> str:
    """Return the scope of this machine's process ids: host names may be shared, and ids start again after a boot."""
    name = socket.gethostname()
    with suppress(OSError):  # only Linux has them
        name += f" {Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    return name
