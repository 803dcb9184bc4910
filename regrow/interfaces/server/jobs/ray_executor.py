"""Executors on a Ray cluster: each has an actor there, a process with its own model in memory.

They are actors of Ray Core, not replicas of Ray Serve: queue, owners and files stay in one server process. Ray Serve
would add a queue of its own, which does not know users.

If an actor ends, its jobs are `lost`, and another actor starts on any machine that has room before its executor takes
the next job. A machine that cannot work for the server is reported once and then excluded, so that it does not fail one
job after the other. Ray ends all actors with the server, however that ends.
"""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from regrow.interfaces.cluster.connect import MOST_STARTS, PATIENCE, Cluster, last_line
from regrow.interfaces.cluster.place import Place
from regrow.interfaces.server.jobs.executor import Outcome
from regrow.interfaces.server.jobs.job import Job, Work
from regrow.interfaces.server.jobs.local_executor import batch_of
from regrow.interfaces.server.jobs.news import take_news
from regrow.interfaces.server.jobs.ray_actor import ASIDE, Actor, Refusal
from regrow.messages.message import say


class Crew:
    """State that the executors of one server share.

    Args:
        cluster: that the actors run on.
        place: the server's folder, version and home.
        works: returns the implementation of each verb; a function of a module that actors can import.
        device: for models: cpu or cuda.
        together: see `LocalExecutor`.
        count: number of executors; the last one to end disconnects from the cluster.
    """

    def __init__(
        self,
        cluster: Cluster,
        place: Place,
        works: Callable[[], Mapping[str, Work]],
        device: str,
        together: int,
        count: int,
    ) -> None:
        self.cluster, self.about = cluster, (works, device, together)
        self._place, self._count, self._refused, self._lock = place, count, set[str](), threading.Lock()
        self._kind = cluster.ray.remote(
            num_cpus=cluster.cores, num_gpus=cluster.gpus, max_restarts=0, concurrency_groups={ASIDE: 1}
        )(Actor)

    def actor(self) -> Any:
        """Return a new actor, which starts as soon as a machine that is not excluded has room."""
        with self._lock:
            others = {"ray.io/node-id": f"!in({','.join(sorted(self._refused))})"} if self._refused else None
        return self._kind.options(label_selector=others).remote(self._place, self.cluster.cores)

    def refuse(self, refusal: Refusal) -> str:
        """Exclude a machine.

        Returns:
            The reason if no machine is left; then all machines are tried again. Otherwise "".
        """
        warnings.warn(refusal.sentence, stacklevel=2)
        with self._lock:
            self._refused.add(refusal.node)
            if not self.cluster.machines() <= self._refused:
                return ""
            self._refused.clear()
            return refusal.sentence

    def leave(self) -> None:
        """Count an executor as ended; disconnect from the cluster after the last one."""
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self.cluster.leave()


class RayExecutor:
    """Computes jobs on an actor.

    Args:
        crew: of the server's executors.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew, self._ray = crew, crew.cluster.ray
        self._handle: Any = None
        self._first, self._problem, self._ended = "", "", False

    def start(self, first: str) -> None:
        """Make sure that an actor runs, which may take until the cluster has room; see `executor`."""
        self._first = self._first or first
        if self._stands():
            return
        self._problem, starts = "", 0
        while not (self._ended or self._problem):
            self._handle = self._crew.actor()
            try:
                self._wait_for_room(entered := self._handle.enter.remote())
                refusal = self._answer(entered)
                if refusal is None:
                    self._answer(self._handle.start.remote(*self._crew.about, self._first))
                    return
                self._problem = self._crew.refuse(refusal)
            except EOFError as problem:
                starts += 1
                if starts == MOST_STARTS:
                    self._problem = say("actors_end_at_start", times=starts, reason=str(problem))
                    if not self._ended:
                        warnings.warn(self._problem, stacklevel=2)
            self._kill()

    def together(self, job: Job) -> int:
        """Return how many results a batch with this job may have."""
        _, device, together = self._crew.about
        return batch_of(str(job.settings.get("model") or ""), device, together)

    def run(self, jobs: Sequence[Job], tell: Callable[[Job], None]) -> list[Outcome]:
        """Compute jobs on the actor; see `executor`."""
        if self._problem:
            return [Outcome("failed", self._problem) for _ in jobs]
        try:
            stream = self._handle.run.options(num_returns="streaming").remote(list(jobs))
            return take_news(lambda: self._answer(next(stream, None)), jobs, tell)
        except EOFError:
            self._kill()  # it may still be alive but unreachable, and would continue to write
            return [Outcome("lost") for _ in jobs]

    def drop(self, job_id: str) -> None:
        """Stop a job before its next torch function."""
        if handle := self._handle:
            handle.drop.options(concurrency_group=ASIDE).remote(job_id)

    def end(self) -> None:
        """End the actor; the last one also disconnects from the cluster."""
        if not self._ended:
            self._ended = True
            self._kill()
            self._crew.leave()

    def _stands(self) -> bool:
        """Return whether the actor is alive."""
        try:
            if handle := self._handle:
                self._answer(handle.here.options(concurrency_group=ASIDE).remote())
            return bool(handle)
        except EOFError:
            self._kill()
            return False

    def _answer(self, ref: Any) -> Any:
        """Return the result of a call of the actor.

        Raises:
            EOFError: the actor ended, or this process disconnected from the cluster.
        """
        try:
            return self._ray.get(ref)
        except Exception as problem:  # of many types: Ray's errors, failed imports, a closed connection
            raise EOFError(last_line(problem)) from problem

    def _wait_for_room(self, ref: Any) -> None:
        """Wait for the first call of an actor, and warn the host if it takes long."""
        cluster = self._crew.cluster
        with suppress(Exception):  # likewise; `_answer` reports it
            while not self._ended and not self._ray.wait([ref], timeout=PATIENCE)[0]:
                warnings.warn(
                    say("cluster_full", address=cluster.address, cores=cluster.cores, gpus=cluster.gpus), stacklevel=2
                )

    def _kill(self) -> None:
        """Kill the actor, whether it is alive or not."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(Exception):  # already disconnected from the cluster
                self._ray.kill(handle)
