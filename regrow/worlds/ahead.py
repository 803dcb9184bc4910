"""Items worked on in order on several processes, a little ahead of whoever takes them."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item], processes: int | None) -> Iterator[Result]:
    """The results in the order of the items (all cores when `processes` is None; 1 works in this process)."""
    if processes == 1:
        yield from map(work, items)
        return
    workers = processes or os.cpu_count() or 1
    source = iter(items)
    # Batches are sent a few ahead, never all at once: the items may be endless.
    batches = iter(lambda: list(islice(source, 16)), [])
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pending = deque(pool.apply_async(_all, (work, batch)) for batch in islice(batches, 3 * workers))
        while pending:
            finished = pending.popleft().get()
            pending.extend(pool.apply_async(_all, (work, batch)) for batch in islice(batches, 1))
            yield from finished


def _all(work: Callable[[Item], Result], batch: list[Item]) -> list[Result]:
    return [work(item) for item in batch]
