"""Processes, identified by number and start time, and folders that only one may write at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from regrow.messages.message import say

SAME = 5.0
"""Seconds that a process's beginning may be off what was written down: the clock may have been set since."""


@contextmanager
def only_one(folder: Path, doing: str = "training") -> Iterator[None]:
    """Hold a folder for this process; if nothing was written into it in the end, it goes away.

    Args:
        folder: of a run, or of something else that one process may write at a time.
        doing: what a process does that holds it, for the sentence.

    Raises:
        ValueError: another process holds it, or its lock is not a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "lock").exists() and not (folder / "lock").is_file():  # opening a pipe would block
        raise ValueError(say("lock_no_file", path=folder / "lock"))
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise ValueError(say("run_is_busy", doing=doing, name=folder.name)) from problem
        with suppress(OSError):  # a full disk: then `holder` does not know
            lock.truncate(0)
            lock.write(f"{os.getpid()} {began(os.getpid())}")
            lock.flush()
        try:
            yield
        finally:
            (folder / "lock").unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()


def holder(folder: Path) -> int | None:
    """Return the number of the process that holds a folder by `only_one`; None where it was killed, or never was."""
    try:
        if not (folder / "lock").is_file():  # a pipe would be waited for
            return None
        number, began_at = (folder / "lock").read_text().split()
        return int(number) if is_at_work(int(number), float(began_at)) else None
    except (OSError, ValueError):
        return None


def is_at_work(number: int, began_at: float) -> bool:
    """Return whether a process that began at a time is at work; the number alone may be another program's by now."""
    now = began(number) if number > 1 else None  # 0, 1 and less mean a group, or every process there is
    return now is not None and abs(now - began_at) < SAME


def began(number: int) -> float | None:
    """Return when a process began, in seconds since 1970; None where there is none at work."""
    try:
        process = psutil.Process(number)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):
        return None
