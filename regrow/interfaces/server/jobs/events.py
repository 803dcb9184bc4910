"""Events for open pages: changes of jobs, queue, history, trainings and models."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from regrow.interfaces.server.sessions import Caller

PAUSE = 0.02
"""Least seconds between two deliveries to one listener; events with the same key in between are merged."""
SHARE = 0.005
"""Least pause in seconds, times the number of listeners, so that many open pages leave time for requests."""
MOST_PENDING = 500
"""Most pending events of a listener; beyond this it is disconnected, and may connect again."""

Event = tuple[str, Any]
"""An event's name and its data."""


class Listener:
    """One open page, or one waiting call.

    Attributes:
        caller: who listens; None receives the events of all owners.
        about: the only key whose events it receives; None for all.
        pause: seconds between two deliveries.
        lost: whether it was disconnected because it did not read.
        ended: whether its stream must end, as when the server ends.
    """

    def __init__(self, caller: Caller | None, loop: asyncio.AbstractEventLoop, about: object | None = None) -> None:
        self.caller, self.about, self.lost, self.ended, self.pause = caller, about, False, False, PAUSE
        self._loop = loop
        self._pending: dict[object, Event] = {}
        self._lock = threading.Lock()
        self._some = asyncio.Event()

    def put(self, name: str, data: Any, key: object | None) -> None:
        """Add an event, from any thread; it replaces a pending one with the same key."""
        with self._lock:
            if self.lost:  # its stream may still be busy with an event
                return
            key = key if key is not None else object()
            self._pending.pop(key, None)
            self._pending[key] = (name, data)
            if len(self._pending) > MOST_PENDING:
                self.lost = True
                self._pending = {}
        self._wake()

    def end(self) -> None:
        """End its stream."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._some.set)

    async def next(self, seconds: float) -> list[Event]:
        """Return pending events; wait at most `seconds` for one."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._some.wait(), seconds)
        with self._lock:
            self._some.clear()
            happened, self._pending = list(self._pending.values()), {}
        return happened

    async def each(self, heartbeat: float) -> AsyncIterator[list[Event]]:
        """Yield lists of events, a few times a second at most; an empty list after `heartbeat` seconds without any."""
        while not self.lost and not self.ended:
            yield await self.next(heartbeat)
            await asyncio.sleep(self.pause)


class Events:
    """Delivers events to listeners."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()

    def publish(self, name: str, data: Any, owner: str | None = None, key: object | None = None) -> None:
        """Send an event to all listeners, from any thread.

        Args:
            name: of the event.
            data: JSON-able, or a function that returns such data for a caller when it is sent.
            owner: the receiver; None for all.
            key: of the changed object, if only its newest state matters.
        """
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            if listener.about not in (None, key):
                continue
            if owner is None or listener.caller is None or owner in listener.caller.names:
                listener.pause = max(PAUSE, SHARE * len(listeners))
                listener.put(name, data, key)

    def end(self) -> None:
        """End all streams when the server ends."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()

    @contextmanager
    def listening(self, caller: Caller | None, about: object | None = None) -> Iterator[Listener]:
        """Yield a listener that receives a caller's events from now on.

        Args:
            caller: who listens; None receives the events of all owners.
            about: the only key whose events it receives; None for all.
        """
        listener = Listener(caller, asyncio.get_running_loop(), about)
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)
