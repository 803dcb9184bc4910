"""Workers of a batch as actors on a Ray cluster, each a process with its own model in memory."""

import os
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.interfaces.batch.attempts import Doer, forgive
from regrow.interfaces.batch.jobs import BatchJob
from regrow.interfaces.batch.records import Record
from regrow.interfaces.batch.workers import Hand, News
from regrow.interfaces.cluster.connect import MOST_STARTS, PATIENCE, Cluster, ClusterError, last_line
from regrow.interfaces.cluster.place import Place
from regrow.media.home import home
from regrow.messages.message import say, sentence_of

if TYPE_CHECKING:
    from regrow.interfaces.run import Making

LAST_WORDS = 10.0
"""Seconds to wait for stopped actors to end."""


class Actor:
    """Runs jobs on a machine of the cluster.

    Args:
        place: the driver's folder, version and home.
        run: how models are opened and computed.
    """

    def __init__(self, place: Place, run: "Making") -> None:
        self._place, self._run = place, run

    def begin(self) -> Doer:
        """Check that this machine can work for the driver, and return the identity of this process.

        Raises:
            ClusterError: it cannot work for the driver.
        """
        from regrow.interfaces.batch.worker import Worker

        self._place.enter(self._run.threads)
        self._worker = Worker(self._place.folder, self._run)
        return Doer.here()

    def do(self, job: BatchJob) -> Record | None:
        """Run a job: see `Worker.do`."""
        return self._worker.do(job)


class ActorHand(Hand):
    """The driver's view of an actor.

    Args:
        handle: Ray's handle of the actor.
        starts: number of predecessors that ended before they could begin, in a row.
    """

    def __init__(self, handle: Any, starts: int = 0) -> None:
        super().__init__()
        self.handle, self.starts = handle, starts
        self.doer: Doer | None = None
        self.pending: Any = handle.begin.remote()

    def _send(self, job: BatchJob) -> None:
        self.pending = self.handle.do.remote(job)


class Actors:
    """The actors of one driver; an actor that ends is replaced, on any machine that has room.

    Args:
        cluster: the cluster that they run on.
        count: number of actors.
        out: the folder for results; absolute.
        run: how they open models and compute.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, cluster: Cluster, count: int, out: Path, run: "Making") -> None:
        self._cluster, self._ray, self._out = cluster, cluster.ray, out
        # an actor sees only its own GPU, so cuda needs no index
        self._run = replace(run, threads=cluster.cores, device="cuda" if cluster.gpus else run.device)
        own = os.environ.get("REGROW_HOME")
        self._place = Place.of_driver(out, home().absolute() if own else None)
        self._kind = self._ray.remote(num_cpus=cluster.cores, num_gpus=cluster.gpus, max_restarts=0)(Actor)
        self._began, self._warned = time.monotonic(), False
        self._all = [self._new() for _ in range(count)]

    @property
    def hands(self) -> list[ActorHand]:
        """The actors that have begun."""
        return [hand for hand in self._all if hand.doer]

    def news(self, seconds: float) -> list[News]:
        """Return outcomes of jobs: see `Workers.news`.

        Raises:
            ClusterError: no machine can work for this driver.
        """
        waiting = {hand.pending: hand for hand in self._all if hand.pending is not None}
        if not waiting:
            time.sleep(seconds)
            return []
        self._ray.wait(list(waiting), timeout=seconds)
        ready, _ = self._ray.wait(list(waiting), num_returns=len(waiting), timeout=0)
        came = [news for ref in ready if (news := self._news_of(waiting[ref], ref))]
        self._warn_where_none_begins()
        return came

    def end(self) -> None:
        """Stop the actors and disconnect from the cluster: see `Workers.end`."""
        for hand in self._all:
            self._ray.kill(hand.handle)
        at_work = [hand for hand in self._all if hand.job]
        if at_work:
            ended, _ = self._ray.wait([hand.pending for hand in at_work], num_returns=len(at_work), timeout=LAST_WORDS)
            for hand in at_work:
                if hand.pending in ended and hand.job and hand.doer:
                    forgive(self._out, hand.job.key, hand.doer)
        self._cluster.leave()

    def _news_of(self, hand: ActorHand, ref: Any) -> News | None:
        """Handle an actor's answer, or its end; return the outcome of its job, if it had one."""
        try:
            answer = self._ray.get(ref)
        except self._ray.exceptions.RayError as problem:
            cause = getattr(problem, "cause", None)
            if hand.job and isinstance(cause, ValueError | OSError):  # the folder cannot be written
                raise cause from None
            self._replace(hand, problem)
            return News(hand.job, None, died=True) if hand.job else None
        hand.pending = None
        if hand.job:
            news, hand.job = News(hand.job, answer), None
            return news
        hand.doer = answer
        return None

    def _replace(self, hand: ActorHand, problem: Any) -> None:
        """Replace an actor that ended, unless its machine cannot work for this driver or too many ended at the start.

        Raises:
            ClusterError: no actor is left.
        """
        self._ray.kill(hand.handle)
        self._all.remove(hand)
        cause, starts = getattr(problem, "cause", None), 0 if hand.doer else hand.starts + 1
        if not isinstance(cause, ClusterError) and starts < MOST_STARTS:
            self._all.append(self._new(starts))
            return
        if isinstance(cause, ClusterError):
            sentence = sentence_of(cause)
        else:
            sentence = say("actors_end_at_start", times=MOST_STARTS, reason=last_line(problem))
        if not self._all:
            raise ClusterError(sentence)
        warnings.warn(sentence, stacklevel=2)

    def _new(self, starts: int = 0) -> ActorHand:
        return ActorHand(self._kind.remote(self._place, self._run), starts)

    def _warn_where_none_begins(self) -> None:
        if not self._warned and not self.hands and time.monotonic() - self._began > PATIENCE:
            self._warned = True
            cores, gpus = self._cluster.cores, self._cluster.gpus
            warnings.warn(say("cluster_full", address=self._cluster.address, cores=cores, gpus=gpus), stacklevel=3)
