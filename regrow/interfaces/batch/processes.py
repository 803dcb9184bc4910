"""Worker processes on this machine, which communicate by pipes."""

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.interfaces.batch.attempts import Doer, forgive
from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.batch.records import Record
from regrow.interfaces.batch.workers import Hand, News

if TYPE_CHECKING:
    from regrow.interfaces.run import Making


class Process(Hand):
    """A worker process.

    Args:
        process: the process.
        pipe: to the process.
    """

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        super().__init__()
        self.process, self.pipe = process, pipe

    def _send(self, job: BatchJob) -> None:
        with suppress(OSError):
            self.pipe.send(job)

    def answers(self) -> list[Record | Exception | None]:
        """Return its answer as the only item; an empty list if the process has ended."""
        try:
            return [self.pipe.recv()]
        except (EOFError, OSError):
            return []


class Processes:
    """Worker processes; one that ends is replaced.

    Args:
        count: number of processes.
        out: the folder for results.
        run: how they open models and compute.
    """

    def __init__(self, count: int, out: Path, run: "Making") -> None:
        self._context = multiprocessing.get_context("spawn")
        self._out, self._run = out, run
        self.hands = [self._new() for _ in range(count)]

    def news(self, seconds: float) -> list[News]:
        """Return outcomes of jobs: see `Workers.news`.

        Raises:
            ValueError, OSError: the folder for results cannot be written.
        """
        at_work = {hand.pipe: hand for hand in self.hands if hand.job}
        ends = {hand.process.sentinel: hand for hand in self.hands}
        came: list[News] = []
        ready = wait([*at_work, *ends], seconds)
        for hand in list(self.hands):
            if hand.pipe in ready and hand.job and (answers := hand.answers()):
                if isinstance(answers[0], Exception):
                    raise answers[0]
                came.append(News(hand.job, answers[0]))
                hand.job = None
            elif hand.process.sentinel in ready:
                if hand.job:
                    came.append(News(hand.job, None, died=True))
                self.hands[self.hands.index(hand)] = self._new()
        return came

    def end(self) -> None:
        """Stop the workers: see `Workers.end`."""
        for hand in self.hands:
            hand.process.kill()
        for hand in self.hands:
            hand.process.join()
            if hand.job:
                forgive(self._out, hand.job.key, Doer.here(hand.process.pid))

    def _new(self) -> Process:
        ours, theirs = multiprocessing.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._out, self._run), daemon=True)
        process.start()
        theirs.close()
        return Process(process, ours)  # pyright: ignore[reportArgumentType] (the pipe of either system)


def _serve(pipe: Connection, out: Path, run: "Making") -> None:
    """Run jobs from a pipe until it closes, which happens however the driver ends."""
    from regrow.interfaces.batch.worker import Worker

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the driver handles it
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    worker = Worker(out, run)
    with suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            try:
                answer = worker.do(job)
            except (ValueError, OSError) as problem:
                answer = problem
            pipe.send(answer)
