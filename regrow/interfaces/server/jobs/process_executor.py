"""An executor in its own process, so that several executors of one server compute in parallel.

Threads of one interpreter are as fast (LOG.md), but share module state (paths, tiled codecs, hooks that accelerate sets
on `torch.nn.Module`), and a crash would end the server. A process that ends is started again; its jobs are `lost`. It
ends with the server, however that ends, because its pipe closes.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Any

from regrow.interfaces.server.jobs.executor import Outcome
from regrow.interfaces.server.jobs.job import Job, Work
from regrow.interfaces.server.jobs.local_executor import LocalExecutor, batch_of
from regrow.interfaces.server.jobs.news import News, send_news, take_news


class ProcessExecutor:
    """Computes jobs in a process.

    Args:
        works: returns the implementation of each verb; a module-level function, as it is called in the process.
        device: torch's name of the device for models.
        threads: CPU threads, unless $OMP_NUM_THREADS is set.
        together: see `LocalExecutor`.
    """

    def __init__(self, works: Callable[[], Mapping[str, Work]], device: str, threads: int, together: int = 0) -> None:
        self._about = (works, device, threads, together)
        self._device, self._together = device, together
        self._context = multiprocessing.get_context("spawn")
        self._sending = threading.Lock()
        self._first = ""
        self._process: SpawnProcess | None = None

    def start(self, first: str) -> None:
        """Start the process, unless it is running; see `executor`."""
        self._first = self._first or first
        if not (self._process and self._process.is_alive()):
            self._begin()

    def together(self, job: Job) -> int:
        """Return how many results a batch with this job may have."""
        return batch_of(str(job.settings.get("model") or ""), self._device, self._together)

    def run(self, jobs: Sequence[Job], tell: Callable[[Job], None]) -> list[Outcome]:
        """Compute jobs in the process; see `executor`."""
        try:
            self._send("run", list(jobs))
            return take_news(self._pipe.recv, jobs, tell)
        except (EOFError, OSError):
            if self._process:
                self._process.join()
            return [Outcome("lost") for _ in jobs]

    def drop(self, job_id: str) -> None:
        """Stop a job before its next torch function."""
        with suppress(OSError):
            self._send("drop", job_id)

    def end(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()

    @property
    def pid(self) -> int | None:
        """The id of the process."""
        return self._process and self._process.pid

    def _begin(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs, *self._about), daemon=True)
        self._process.start()
        theirs.close()
        self._send("start", self._first)

    def _send(self, what: str, value: Any) -> None:
        with self._sending:
            self._pipe.send((what, value))


def _serve(pipe: Connection, works: Callable[[], Mapping[str, Work]], device: str, threads: int, together: int) -> None:
    """Serve requests from a pipe until the server ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server handles it
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    executor, orders, sending = LocalExecutor(works, device, together), SimpleQueue[tuple[str, Any]](), threading.Lock()

    def listen() -> None:
        with suppress(EOFError, OSError):
            while True:
                what, value = pipe.recv()
                if what == "drop":
                    executor.drop(value)
                else:
                    orders.put((what, value))
        os._exit(0)  # even during a job

    threading.Thread(target=listen, daemon=True).start()

    def send(news: News) -> None:
        with sending:
            pipe.send(news)

    while True:
        what, value = orders.get()
        if what == "start":
            executor.start(value)
        else:
            send_news(executor, value, send)
