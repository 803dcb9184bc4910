"""The queue: owners are served in turn, and each owner can reorder their own jobs."""

from collections import deque

from regrow.interfaces.server.jobs.batches import fitting
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.sessions import PROGRAM
from regrow.messages.message import say


class Queue:
    """The waiting jobs. The owner whose last turn is longest ago is next, so many jobs of one owner delay nobody else.

    Each owner has a line of jobs. Programs without cookies cannot be distinguished, and share one line.
    """

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._served: dict[str, int] = {}
        self._turn = 0
        self._ordered: list[Job] | None = None  # cached until the queue changes, as every open page requests it

    def __contains__(self, job: Job) -> bool:
        return any(one is job for one in self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    def line_of(self, job: Job) -> list[Job]:
        """Return the waiting jobs of a job's owner."""
        return [other for other in self._waiting if line_name(other) == line_name(job)]

    def add(self, job: Job, first: bool = False) -> None:
        """Add a job after its owner's other jobs, or before them."""
        self._ordered = None
        if first:
            own = (i for i, other in enumerate(self._waiting) if line_name(other) == line_name(job))
            self._waiting.insert(next(own, len(self._waiting)), job)
        else:
            self._waiting.append(job)

    def remove(self, job: Job) -> None:
        """Remove a job.

        Raises:
            ValueError: it is not waiting.
        """
        for i, one in enumerate(self._waiting):
            if one is job:
                del self._waiting[i]
                self._ordered = None
                return
        raise ValueError(say("job_not_waiting", id=job.id))

    def move(self, job: Job, before: Job | None) -> None:
        """Move a job before another job of its owner, or after all of them.

        Raises:
            ValueError: one of them is not waiting, or they have different owners.
        """
        if before is not None and (before not in self or line_name(before) != line_name(job)):
            raise ValueError(say("job_not_yours_to_move", id=before.id))
        self.remove(job)
        place = len(self._waiting) if before is None else next(i for i, o in enumerate(self._waiting) if o is before)
        self._waiting.insert(place, job)
        self._ordered = None

    def order(self) -> list[Job]:
        """Return the jobs in the order in which they will run."""
        if self._ordered is None:
            self._ordered = self._order()
        return list(self._ordered)

    def _order(self) -> list[Job]:
        lines: dict[str, deque[Job]] = {}
        for job in self._waiting:
            lines.setdefault(line_name(job), deque()).append(job)
        served = {line: self._served.get(line, 0) for line in lines}
        turn, ordered = self._turn, []
        while lines:
            line = min(lines, key=lambda one: served[one])  # among equals, the owner who came first
            ordered.append(lines[line].popleft())
            turn += 1
            served[line] = turn
            if not lines[line]:
                del lines[line]
        return ordered

    def take(self, most: int = 1) -> list[Job]:
        """Remove and return the next job and those that fit into its batch.

        Args:
            most: largest number of results in total; the next job is taken in any case.

        Raises:
            IndexError: the queue is empty.
        """
        order = self.order()
        if not order:
            raise IndexError
        taken = fitting(order, most, map(line_name, order))
        for job in taken:
            self.remove(job)
            self._turn += 1
            self._served[line_name(job)] = self._turn
        self._ordered = None
        return taken


def line_name(job: Job) -> str:
    """Return the name of a job's line."""
    return PROGRAM if job.by_id else job.owner
