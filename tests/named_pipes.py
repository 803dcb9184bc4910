"""Reading where a pipe lies that nobody writes into: a test that would wait for it fails instead."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PATIENCE = 5.0
"""Seconds within which whatever passes a pipe over has ended."""

T = TypeVar("T")


def without_waiting(pipe: Path, read: Callable[[], T]) -> T:
    """Return what a function returns while a pipe lies where it reads; fail where it waits for the pipe."""
    os.mkfifo(pipe)
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(read()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if waits := thread.is_alive():
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))  # it reads the end, or has someone to write to, and goes on
        thread.join(PATIENCE)
    pipe.unlink(missing_ok=True)
    assert not waits, f"it waited for {pipe.name}"
    assert found, "it failed: see above"
    return found[0]
