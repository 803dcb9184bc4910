"""Run blocking work of routes, such as reading a file, in a limited number of threads."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

T = TypeVar("T")
MOST = 16
"""Most threads at a time; further calls wait."""
_limiters: list[CapacityLimiter] = []


async def in_thread(function: Callable[..., T], *args: Any, **settings: Any) -> T:
    """Call a function in a thread, so that the server can answer other requests, and return its result.

    Raises:
        Exception: whatever the function raises.
    """
    if not _limiters:
        _limiters.append(CapacityLimiter(MOST))
    return await run_sync(partial(function, *args, **settings), limiter=_limiters[0])
