"""Send changes of jobs from an executor outside the server's process, and apply them in the server."""

from collections.abc import Callable, Sequence
from typing import Any

from regrow.interfaces.server.jobs.executor import MADE, Executor, Outcome
from regrow.interfaces.server.jobs.job import Job

News = tuple[str | None, Any]
"""The id of a job, with its changed attributes by name; the last message is None with the outcomes of all jobs."""


def send_news(executor: Executor, jobs: Sequence[Job], send: Callable[[News], object]) -> None:
    """Compute jobs, and send their changes and outcomes.

    Args:
        executor: that computes them in this process.
        jobs: as received from the server.
        send: sends to the server; several threads may call it at once.
    """
    drawn = dict[str, int]()

    def tell(job: Job) -> None:
        news = {name: getattr(job, name) for name in MADE}
        if drawn.get(job.id, 0) == job.preview_version:  # the server already has these previews
            del news["previews"]
        drawn[job.id] = job.preview_version
        send((job.id, news))

    ends = executor.run(jobs, tell)
    for job in jobs:
        tell(job)
    send((None, ends))


def take_news(receive: Callable[[], News], jobs: Sequence[Job], tell: Callable[[Job], None]) -> list[Outcome]:
    """Apply the changes of jobs that are computed elsewhere, report each by `tell`, and return the jobs' outcomes.

    Args:
        receive: returns the next message of `send_news`.
        jobs: of the server.
        tell: see `executor`.

    Raises:
        EOFError, OSError: raised by `receive` when the connection ends.
    """
    by_id = {job.id: job for job in jobs}
    while True:
        job_id, news = receive()
        if job_id is None:
            return news
        for name, value in news.items():
            setattr(by_id[job_id], name, value)
        tell(by_id[job_id])
