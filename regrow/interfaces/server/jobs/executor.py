"""The interface between the server and the devices that compute jobs.

The server (`worker.Worker`) owns the queue, the records on disk, the history and the limits. For each executor it has
one thread, which takes jobs from the queue and passes them to `run`. An executor computes one call of `run` at a time.
It may run in this process (`local_executor`), in its own process (`process_executor`), or on another machine
(`ray_executor`):

- `start(first)` is called in the executor's thread every time before jobs are taken, so that no job waits for a start.
  It returns at once if the executor is running. Otherwise it may take long: it imports torch, and opens the model
  `first`, if given. It never raises.
- `together(job)` returns how many results may be computed in one call with a job. It must be quick, as the queue waits.
- `run(jobs, tell)` computes jobs and returns an `Outcome` for each, in order. Meanwhile it sets the attributes in
  `MADE` of each job, and calls `tell(job)` after each change. It writes files only into `job.folder`, and never
  `job.json`; an executor on another machine needs that folder on shared storage. It never raises: errors are outcomes.
- `drop(job_id)` may be called from any thread, even just before `run` begins the job. The job's outcome is then
  `cancelled`, as soon as possible.
- `end()` releases processes and machines; a running call of `run` may be lost.

Several jobs in one call fit together (`batches`), so an executor may compute them in one batch, but need not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from regrow.interfaces.server.jobs.job import Job

MADE = ("progress", "previews", "preview_version", "files", "beside", "notes", "facts", "summary")
"""The attributes of a job that an executor sets; all others are set by the server."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
        state: `lost` means that the computing process ended, so the job may be tried again.
        error: the sentence, if it failed.
    """

    state: Literal["done", "failed", "cancelled", "lost"]
    error: str = ""


class Executor(Protocol):
    """Computes jobs on one device."""

    def start(self, first: str) -> None:
        """Get ready, if it is not yet, and open the model `first`; "" for none."""
        ...

    def together(self, job: Job) -> int:
        """Return how many results one `run` may make for a job and jobs that fit it; 1 if it is computed alone."""
        ...

    def run(self, jobs: Sequence[Job], tell: Callable[[Job], None]) -> list[Outcome]:
        """Compute jobs, and return how each of them ended."""
        ...

    def drop(self, job_id: str) -> None:
        """Cancel a job; it ends as soon as possible."""
        ...

    def end(self) -> None:
        """Release processes and machines."""
        ...
