"""Map items in several processes, in order, a little ahead of the consumer."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

from regrow.messages.message import say

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item], processes: int | None) -> Iterator[Result]:
    """Yield results in the order of the items; `processes` None uses all cores, 1 runs in this process.

    Raises:
        ValueError: one of the processes was killed.
    """
    if processes == 1:
        yield from map(work, items)
        return
    workers = processes or os.cpu_count() or 1
    source = iter(items)
    # Batches are sent a few ahead, never all at once: the items may be endless.
    batches = iter(lambda: list(islice(source, 16)), [])
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_its_parent) as pool:
        pending = deque(pool.submit(_all, work, batch) for batch in islice(batches, 3 * workers))
        try:
            while pending:
                finished = pending.popleft().result()
                pending.extend(pool.submit(_all, work, batch) for batch in islice(batches, 1))
                yield from finished
        except BrokenProcessPool as problem:
            raise ValueError(say("drawing_process_killed")) from problem
        finally:
            pool.shutdown(cancel_futures=True)  # if the consumer stops early


def _end_with_its_parent() -> None:
    """End a process when its parent is killed, as it would wait for work forever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _all(work: Callable[[Item], Result], batch: list[Item]) -> list[Result]:
    return [work(item) for item in batch]
