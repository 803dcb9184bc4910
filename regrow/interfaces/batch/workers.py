"""The driver's interface to the workers of a batch, on this machine or a cluster."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.batch.records import Record


@dataclass
class Hand(ABC):
    """The driver's view of a worker, which runs one job at a time.

    Attributes:
        job: its current job; None if it is idle.
        model: of its last job, which it keeps in memory.
    """

    job: BatchJob | None = None
    model: str = ""

    def give(self, job: BatchJob) -> None:
        """Start a job on the idle worker."""
        self.job, self.model = job, job.request.model
        self._send(job)

    @abstractmethod
    def _send(self, job: BatchJob) -> None:
        """Send it a job; if the worker has just ended, `Workers.news` reports it."""


@dataclass(frozen=True)
class News:
    """The outcome of a worker's job.

    Attributes:
        job: the job.
        record: its record; None if a worker of another driver has the job, or the worker ended.
        died: whether the worker ended during the job.
    """

    job: BatchJob
    record: Record | None
    died: bool = False


class Workers(Protocol):
    """The workers of one driver; one that ends is replaced."""

    @property
    def hands(self) -> Sequence[Hand]:
        """The workers that are idle or run a job. There may be none yet."""
        ...

    def news(self, seconds: float) -> list[News]:
        """Return outcomes of jobs as soon as there is any, or an empty list after some seconds.

        Raises:
            ValueError, OSError: no worker can work; the sentence says why.
        """
        ...

    def end(self) -> None:
        """Stop the workers. Running jobs are left for the next run, and do not count as failed attempts."""
        ...
