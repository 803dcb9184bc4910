"""Check once a second on processes outside the server, while any of them is running."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PAUSE = 1.0
"""Seconds between two checks."""


class Watch:
    """A thread that polls states and reports changes; it ends when nothing is running any more.

    Args:
        look: returns the states by name, and whether anything is running.
        tell: is called with name and state for each change.
    """

    def __init__(self, look: Callable[[], tuple[dict[str, Any], bool]], tell: Callable[[str, Any], None]) -> None:
        self._look, self._tell = look, tell
        self._lock = threading.Lock()
        self._before: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        self._again = threading.Event()

    def wake(self) -> None:
        """Check at once, and continue while anything is running."""
        self._again.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="regrow watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._again.clear()
            at_work = False
            with suppress(OSError, ValueError):  # a folder may be deleted in the meantime
                now, at_work = self._look()
                for name, state in now.items():
                    if self._before.get(name) != state:
                        self._tell(name, state)
                self._before = now
            with self._lock:
                if not at_work and not self._again.is_set():
                    self._thread = None
                    return
            self._again.wait(PAUSE)
