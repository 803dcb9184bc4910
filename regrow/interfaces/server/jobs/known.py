"""The jobs of a server: access, order, and events about changes."""

import secrets
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.executor import Executor
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.queue import Queue, line_name
from regrow.interfaces.server.jobs.records import job_on_disk
from regrow.interfaces.server.places import JOB
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.usage import Usage

PATIENCE = 30
"""Seconds that a request waits until the jobs of a killed server are read."""


class Jobs:
    """The jobs of this server; thread-safe.

    Attributes:
        jobs: unfinished jobs and the last finished ones, by id.
        queue: of the waiting jobs.
        changed: guards both, and is notified of every change of a job.
        at_work: executors of the running jobs, by job id.
        taken_up: set when the jobs of a killed server are read.
        began: start time of the server, in the format of job ids.

    Args:
        events: receives an event for each change.
        private: whether callers see only their own jobs.
        usage: limits of the callers.
    """

    def __init__(self, events: Events, private: bool, usage: Usage | None = None) -> None:
        self.usage = usage or Usage(private=private)
        self.events, self.private = events, private
        self.jobs: dict[str, Job] = {}
        self.queue = Queue()
        self.changed = threading.Condition()
        self.at_work: dict[str, Executor] = {}
        self.taken_up = threading.Event()
        self.began = _stamp()

    def submit(
        self,
        caller: Caller,
        verb: str,
        settings: dict[str, Any],
        facts: dict[str, Any] | None = None,
        first: bool = False,
    ) -> Job:
        """Put a job into the queue; it is on disk when this returns.

        Args:
            caller: who requests it.
            verb: of the request.
            settings: of the request, JSON-able, with files by their ids.
            facts: that are known already.
            first: whether it goes before the caller's other waiting jobs.

        Raises:
            Refused: the caller has reached a limit (`Usage`).
            MediaError: the disk is full.
        """
        job = Job(f"{_stamp()}-{secrets.token_hex(8)}", caller.owner, verb, settings, caller.by_id)
        job.facts |= facts or {}
        with self.changed:
            waiting = self.queue.line_of(job)
        self.usage.check_job(job, line_name(job), waiting)
        self.usage.check_disk(caller.names)
        try:
            job.keep()
        except (ValueError, OSError):
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        with self.changed:
            self.jobs[job.id] = job
            self.queue.add(job, first)
            self.changed.notify_all()
        self.tell(job, queue=True)
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job, from disk if it is an older one; None if there is none."""
        if job := self.jobs.get(job_id):
            return job
        if not JOB.fullmatch(job_id):
            return None
        self.taken_up.wait(PATIENCE)  # until then, the disk shows jobs in the state at which a killed server left them
        return self.jobs.get(job_id) or job_on_disk(job_id)

    def may_see(self, caller: Caller, job: Job) -> bool:
        """Return whether a caller may see, cancel and move a job: their own, and without a password all."""
        return not self.private or job.owner == caller.owner or (job.by_id and caller.by_id)

    def visible(self, caller: Caller, job_id: str) -> Job:
        """Return a caller's job.

        Raises:
            Refused: there is none, or it belongs to another caller.
        """
        job = self.job(job_id)
        if job is None or not self.may_see(caller, job):
            raise Refused(404, "no_job", job=job_id)
        return job

    def own(self, caller: Caller) -> list[Job]:
        """Return the unfinished jobs that a caller may list, in the order of the queue."""
        return [job for job in self.queued() if not self.private or job.owner == caller.owner]

    def latest(self, caller: Caller, verb: str) -> Job | None:
        """Return a caller's last job of a verb since the server started."""
        jobs = [job for job in list(self.jobs.values()) if job.owner == caller.owner and job.verb == verb]
        return max(jobs, key=lambda job: job.id, default=None)

    def cancel(self, job: Job) -> None:
        """Stop a job: at once if it is waiting, else before its next torch function.

        Raises:
            MediaError: the disk is full; the job is stopped in any case.
        """
        with self.changed:
            if job.over:
                return
            if job in self.queue:
                self.queue.remove(job)
            elif executor := self.at_work.get(job.id):
                executor.drop(job.id)
            job.state = "cancelled"
            self.changed.notify_all()
        self.tell(job, queue=True)
        job.keep()

    def move(self, job: Job, before: Job | None) -> None:
        """Move a waiting job before another job of its owner, or after all of them.

        Raises:
            Refused: one of them is not waiting, or they have different owners.
        """
        with self.changed:
            if job not in self.queue:
                raise Refused(409, "not_waiting")
            try:
                self.queue.move(job, before)
            except ValueError as problem:
                raise Refused(409, "not_waiting", "before") from problem
        self.tell(job, queue=True)

    def places(self) -> dict[str, int]:
        """Return the number of jobs before each waiting job, by job id."""
        with self.changed:
            at_work = sum(job.state == "running" for job in self.jobs.values())
            return {job.id: i + at_work for i, job in enumerate(self.queue.order())}

    def queued(self) -> list[Job]:
        """Return the unfinished jobs of all users, in the order of the queue."""
        with self.changed:
            return [*(job for job in self.jobs.values() if job.state == "running"), *self.queue.order()]

    def watch(self, job: Job) -> Iterator[Job]:
        """Yield the job after every change, and last when it is over; blocks in between."""
        while True:
            with self.changed:  # when it is reported as over, its record is on disk
                over = job.over
            yield job
            if over:
                return
            with self.changed:
                if not job.over:
                    self.changed.wait(0.5)

    def tell(self, job: Job, queue: bool = False) -> None:
        """Send events that a job changed, and with `queue` that places in the queue did."""
        with self.changed:
            self.changed.notify_all()
        self.events.publish("job", job, job.owner if self.private else None, key=("job", job.id))
        if queue:
            self.events.publish("queue", None, key="queue")


def _stamp() -> str:
    """Return the time to the microsecond, so that jobs requested in quick succession keep their order."""
    return f"{datetime.now():%Y%m%d-%H%M%S-%f}"
