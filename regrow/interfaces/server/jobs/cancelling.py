"""Stop a job within a step, which takes many seconds with a large model."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Cancelled(BaseException):
    """Raised in the computation of a cancelled job; a BaseException, so that `except Exception` does not catch it."""


class Stop:
    """Stops running jobs, from any thread."""

    def __init__(self) -> None:
        self._dropped: set[str] = set()
        self._changed = threading.Condition()
        self._computing, self._ended = 0, False

    def drop(self, job_id: str) -> None:
        """Stop a job before its next torch function, if it is running or about to run."""
        self._dropped.add(job_id)

    def check(self, *job_ids: str) -> None:
        """Raise Cancelled if all of these jobs were dropped; only once, so that cleanup code may use torch.

        After `end`, this never returns.
        """
        if self._ended:
            with self._changed:
                self._computing -= 1
                self._changed.notify_all()
            threading.Event().wait()
        if self._dropped and self._dropped.issuperset(job_ids):
            self._dropped.difference_update(job_ids)
            raise Cancelled

    def forget(self, *job_ids: str) -> None:
        """Forget that jobs were dropped, when they are over."""
        self._dropped.difference_update(job_ids)

    def end(self, seconds: float) -> None:
        """Halt all jobs before their next torch function, for good, and wait until they have halted.

        A process that ends while another of its threads computes is aborted by C++, with a message and a core dump.

        Args:
            seconds: longest time to wait.
        """
        with self._changed:
            self._ended = True
            self._changed.wait_for(lambda: self._computing <= 0, seconds)

    @contextmanager
    def reaching(self, *job_ids: str) -> Iterator[None]:
        """Within the context, let `drop` raise Cancelled in this thread once all of the given jobs are dropped."""
        from torch.overrides import TorchFunctionMode

        stop = self

        class Watched(TorchFunctionMode):
            """Checks the jobs before every torch function of this thread, in networks and elsewhere."""

            def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                stop.check(*job_ids)
                return func(*args, **(kwargs or {}))

        with self._changed:
            self._computing += 1
        try:
            with Watched():
                yield
        finally:
            with self._changed:
                self._computing -= 1
                self._changed.notify_all()
