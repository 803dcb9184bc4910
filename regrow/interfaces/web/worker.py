"""One worker for all long work: a queue on disk, one job at a time, watched by any number of pages.

A job's state is in `made/JOB/job.json` from the moment it is asked for, so closing the page loses nothing, and a
server that was killed takes up what was waiting or running when it is started again.
"""

import json
import secrets
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import torch
from PIL import Image
from torch.overrides import TorchFunctionMode

from regrow.core.progress import Progress
from regrow.interfaces.web.jobs import At, Job, JobState, Work
from regrow.interfaces.web.places import known_model, made
from regrow.media.image.picture import to_uint8
from regrow.models.engines.choose import with_engine
from regrow.models.model import Model
from regrow.models.open import open_model

PREVIEWS = 4
"""Of a batch, how many are shown while they grow."""


class Cancelled(BaseException):
    """Raised inside whatever computes for a cancelled job; no `except Exception` may swallow it."""


class Worker:
    """A thread that does jobs one after the other.

    Args:
        kinds: how each kind of job is done.
        first: a model that is opened before anyone asks, so that the first job begins at once.
    """

    def __init__(self, kinds: dict[str, Work], first: str = "") -> None:
        self.kinds, self.first = kinds, first
        self.jobs: dict[str, Job] = {}
        self.queue: list[Job] = []
        self.changed = threading.Condition()
        self.model: tuple[str, Model] | None = None
        self.dropped: Job | None = None
        self._take_up()
        self.thread = threading.Thread(target=self._run, name="regrow worker", daemon=True)
        self.thread.start()

    def submit(self, owner: str, kind: str, settings: dict[str, Any], facts: dict[str, Any] | None = None) -> Job:
        """Put a job at the end of the queue; it is on disk when this returns."""
        now = datetime.now()  # to the microsecond, so that jobs asked for at once are in their order, too
        job = Job(f"{now:%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}", owner, kind, settings, facts=dict(facts or {}))
        job.keep()
        with self.changed:
            self.jobs[job.id] = job
            self.queue.append(job)
            self.changed.notify_all()
        return job

    def cancel(self, job: Job) -> None:
        """Stop a job: at once if it waits, else before the next function of torch."""
        with self.changed:
            if job.over:
                return
            if job in self.queue:
                self.queue.remove(job)
            else:
                self.dropped = job
            job.state = "cancelled"
            self.changed.notify_all()
        job.keep()

    def place(self, job: Job) -> int:
        """How many jobs are done before this one; 0 if it is at work or over."""
        with self.changed:
            if job not in self.queue:
                return 0
            return self.queue.index(job) + any(other.state == "running" for other in self.jobs.values())

    def latest(self, owner: str, kinds: tuple[str, ...]) -> Job | None:
        """A browser's last job of these kinds since the server was started."""
        with self.changed:
            jobs = [job for job in self.jobs.values() if job.owner == owner and job.kind in kinds]
        return jobs[-1] if jobs else None

    def watch(self, job: Job) -> Iterator[Job]:
        """Yield the job whenever something happened to it, and last when it is over."""
        while True:
            with self.changed:  # whoever is told that it is over finds it written down
                over = job.over
            yield job
            if over:
                return
            with self.changed:
                if not job.over:
                    self.changed.wait(0.5)

    def _take_up(self) -> None:
        """Queue what a killed server left; a job that was killed twice is not tried again.

        Of what is over, each browser's last of a kind is known again, so that the page shows it.
        """
        last: dict[tuple[str, str], Job] = {}
        for path in sorted(made().glob("*/job.json")):
            try:
                job = Job(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                continue  # a newer version's
            if job.over:
                last[job.owner, job.kind] = job
                continue
            if job.facts.get("tries", 0) >= 2:
                job.state, job.error = "failed", "The server was stopped twice while it was at this."
                job.keep()
                continue
            job.state = "waiting"
            self.queue.append(job)
        whole = [job for job in last.values() if job.whole]
        self.jobs = {job.id: job for job in sorted([*whole, *self.queue], key=lambda job: job.id)}

    def _run(self) -> None:
        if self.first and not self.queue:
            with suppress(ValueError, OSError):
                self._opened(self.first)
        while True:
            with self.changed:
                while not self.queue:
                    self.changed.wait()
                job = self.queue.pop(0)
                job.state = "running"
                self.changed.notify_all()
            job.facts["tries"] = job.facts.get("tries", 0) + 1
            began = time.monotonic()
            try:
                job.keep()
                self._do(job)
                job.facts["took"] = round(time.monotonic() - began, 1)
            except Cancelled:
                pass
            except (ValueError, OSError) as problem:
                self._end(job, "failed", " ".join(str(problem).split()))
            except Exception as problem:  # whatever it is, the next job must not wait for ever
                self._end(job, "failed", f"Something is wrong in regrow: {type(problem).__name__}: {problem}")
            else:
                self._end(job, "done")
            job.preview = []

    def _do(self, job: Job) -> None:
        steps = self.kinds[job.kind](job, self._opened)
        shown, cost = 0.0, 0.0
        with self._stoppable(job):
            try:
                for at in steps:
                    now = time.monotonic()
                    # a preview may take a fifth of the time, and comes twice a second at most
                    if at.x is not None and at.model is not None and now - shown > max(0.5, 5 * cost):
                        with torch.no_grad():
                            decoded = at.model.decode(at.x[:PREVIEWS])
                            decoded = at.model.medium.pictures(decoded, at.model)
                        job.preview = [Image.fromarray(to_uint8(one)) for one in decoded]
                        shown, cost = time.monotonic(), time.monotonic() - now
                    with self.changed:
                        job.progress = (at.part, at.index, at.steps)
                        self.changed.notify_all()
                    if job.state == "cancelled":
                        raise Cancelled
            finally:
                steps.close()

    @contextmanager
    def _stoppable(self, job: Job) -> Iterator[None]:
        """Let a cancelled job end inside a step, which on a large model takes many seconds."""
        worker = self

        class Watched(TorchFunctionMode):
            """Looks at the job before every function of torch that this thread calls: networks and phases alike."""

            def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                if worker.dropped is job:
                    worker.dropped = None
                    raise Cancelled
                return func(*args, **(kwargs or {}))

        with Watched():
            yield

    def _opened(self, name: str) -> Model:
        """The model of this name; the last one stays open."""
        if self.model is None or self.model[0] != name:
            self.model = None  # two large ones may not fit
            self.model = (name, with_engine(open_model(known_model(name)), "auto"))
        return self.model[1]

    def _end(self, job: Job, state: JobState, error: str = "") -> None:
        with self.changed:
            if job.state == "running":  # cancelled at the last moment, it stays so
                job.state, job.error = state, error
            with suppress(ValueError, OSError):  # a full disk must not end the worker
                job.keep()
            self.changed.notify_all()


def steps_of(walk: Generator[Progress, None, Any], model: Model) -> Generator[At, None, Any]:
    """An operation's progress as the worker shows it; returns the operation's result."""
    while True:
        try:
            progress = next(walk)
        except StopIteration as end:
            return end.value
        yield At(progress.part, progress.index, progress.steps, progress.x, model)
