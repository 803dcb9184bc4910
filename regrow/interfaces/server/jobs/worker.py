"""Run the queue: jobs are stored on disk, computed by executors, and watched by any number of pages.

A job's record is in `made/JOB/job.json` from the moment of the request. So closing the page loses nothing, and after a
kill, the next server continues with the jobs that were waiting or running.
"""

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.batches import results_of
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.executor import Executor, Outcome
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.known import Jobs
from regrow.interfaces.server.jobs.records import unfinished
from regrow.interfaces.server.places import page
from regrow.interfaces.server.stored import damaged
from regrow.interfaces.server.usage import Usage
from regrow.media.files import write_whole
from regrow.messages.message import say, sentence_of

MOST_TRIES = 2
"""Most starts of a job, as one that crashes the server each time must not be tried forever."""
PAGE_FIRST = 1.5
"""Seconds in which the page may load before imports begin, unless a job is waiting."""
REMEMBERED = 200
"""Number of finished jobs that are kept in memory."""


STOPPED = "stopped"
"""The file with the ids of jobs that were running when the server was last stopped."""


class Worker(Jobs):
    """Threads that pass jobs to executors, one thread per executor.

    Args:
        executors: that compute the jobs.
        events: receives an event for each change.
        history: to which results are added.
        private: whether callers see only their own jobs.
        first: a model to open before the first job, so that this job starts at once.
        usage: limits of the callers.
    """

    def __init__(
        self,
        executors: Sequence[Executor],
        events: Events,
        history: History,
        private: bool = False,
        first: str = "",
        usage: Usage | None = None,
    ) -> None:
        super().__init__(events, private, usage)
        self.history = history
        self._executors, self._first, self._ended = executors, first, False

    def start(self) -> "Worker":
        """Start the threads; unfinished jobs of a killed server come first."""
        threading.Thread(target=self._take_up, name="regrow takes up", daemon=True).start()
        for executor in self._executors:
            threading.Thread(target=self._run, args=(executor,), name="regrow worker", daemon=True).start()
        return self

    def note_stop(self) -> None:
        """Record which jobs are running when the server is stopped, as this must not count as a failed start."""
        at_work = [job.id for job in list(self.jobs.values()) if job.state == "running"]
        with suppress(ValueError, OSError):
            write_whole(page() / STOPPED, "\n".join(at_work).encode())

    def end(self) -> None:
        """End the executors; the next server continues with their jobs."""
        self._ended = True
        for executor in self._executors:
            executor.end()

    def _run(self, executor: Executor) -> None:
        self.taken_up.wait()
        with self.changed:  # the imports for jobs take seconds, in which the page would be slow
            self.changed.wait_for(lambda: len(self.queue) > 0, PAGE_FIRST)
        executor.start("" if self.queue else self._first)
        while True:
            with self.changed:
                while not self.queue:
                    self.changed.wait()
            if self._ended:
                return
            executor.start("")  # restarts an ended process before it takes a job that other executors could run
            with self.changed:
                if not self.queue:
                    continue
                jobs = self.queue.take(self._most(executor))
                for job in jobs:
                    job.state = "running"
                    self.at_work[job.id] = executor
            for job in jobs:
                self.tell(job, queue=True)
            self._have_done(jobs, executor)

    def _most(self, executor: Executor) -> int:
        """Return how many results an executor may take at once: at most its share of the queue."""
        order = self.queue.order()
        share = -(-sum(map(results_of, order)) // len(self._executors))
        return min(share, executor.together(order[0])) if len(order) > 1 else 1

    def _take_up(self) -> None:
        """Queue the unfinished jobs of a killed server, except those that were killed twice."""
        stopped = _stopped_at()
        for job in unfinished(self.began):
            job.tries -= job.id in stopped and job.tries > 0
            if job.tries >= MOST_TRIES:
                job.state, job.error = "failed", say("server_stopped_twice")
            else:
                job.state = "waiting"
                with self.changed:
                    self.jobs[job.id] = job
                    self.queue.add(job)
            with suppress(ValueError, OSError):
                job.keep()
            self.tell(job, queue=True)
        for record in damaged():
            print(f"regrow: {record.file} is damaged ({record.why}) and was set aside.", file=sys.stderr)
        self.taken_up.set()

    def _have_done(self, jobs: Sequence[Job], executor: Executor) -> None:
        """Compute jobs whose records can be written, and record their outcomes."""
        began, kept = time.monotonic(), list[Job]()
        for job in jobs:
            job.tries += 1
            try:
                job.keep()
                kept.append(job)
            except (ValueError, OSError) as problem:
                self._end(job, Outcome("failed", sentence_of(problem)))
        ends = executor.run(kept, self.tell) if kept else []
        for job, outcome in zip(kept, ends, strict=True):
            self.usage.note_computed(job, (time.monotonic() - began) / len(kept))
            if outcome.state == "done":
                job.took = round(time.monotonic() - began, 1)
            self._end(job, outcome)

    def _again(self, job: Job) -> bool:
        """Put a lost job back into the queue, unless it was started too often; return whether it was."""
        with self.changed:
            if job.state != "running" or job.tries >= MOST_TRIES:
                return False
            del self.at_work[job.id]
            job.files, job.beside, job.notes, job.previews, job.progress = [], {}, [], [], ("", 0, 0)
            job.state = "waiting"
            self.queue.add(job, first=True)
            self.changed.notify_all()
        self.tell(job, queue=True)
        return True

    def _end(self, job: Job, outcome: Outcome) -> None:
        """Record the outcome of a job, then send the event, so that receivers find it on disk and in the history."""
        if outcome.state == "lost" and (self._ended or self._again(job)):
            return
        state = "failed" if outcome.state == "lost" else outcome.state
        job.previews, job.error = [], say("worker_ended_twice") if outcome.state == "lost" else outcome.error
        with suppress(ValueError, OSError):  # a full disk must not end the worker
            job.keep(state)
            self.history.refresh(job.id)
        with self.changed:
            del self.at_work[job.id]
            if job.state == "running":
                job.state = state
        if job.state != state:  # cancelled in the meantime
            job.error = ""
            with suppress(ValueError, OSError):
                job.keep()
        self._forget()
        self.tell(job, queue=True)

    def _forget(self) -> None:
        """Drop older finished jobs from memory; they remain on disk."""
        with self.changed:
            over = [job.id for job in self.jobs.values() if job.over]
            for job_id in over[:-REMEMBERED]:
                del self.jobs[job_id]


def _stopped_at() -> list[str]:
    """Return the ids of jobs that were running when the server was last stopped; delete the file."""
    path = page() / STOPPED
    try:
        return path.read_text(encoding="ascii").split() if path.is_file() else []
    except (OSError, ValueError):
        return []
    finally:
        with suppress(OSError):
            path.unlink()
