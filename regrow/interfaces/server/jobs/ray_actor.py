"""The actor of `ray_executor`: a process on a machine of the cluster, with its own model in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from regrow.interfaces.cluster.connect import ClusterError
from regrow.interfaces.cluster.place import Place
from regrow.messages.message import sentence_of

if TYPE_CHECKING:
    from regrow.interfaces.server.jobs.job import Job, Work
    from regrow.interfaces.server.jobs.news import News

ASIDE = "aside"
"""The concurrency group of methods that are called while the actor computes."""


@dataclass(frozen=True)
class Refusal:
    """A machine that cannot work for the server.

    Attributes:
        node: Ray's id of the machine.
        sentence: the reason.
    """

    node: str
    sentence: str


class Actor:
    """Computes jobs on a machine of the cluster, all in one thread, as a model's tensors belong to that thread.

    Args:
        place: the server's folder, version and home.
        threads: CPU threads.
    """

    def __init__(self, place: Place, threads: int) -> None:
        self._place, self._threads = place, threads
        self._thread = ThreadPoolExecutor(1, "regrow computes")

    def enter(self) -> Refusal | None:
        """Set the server's home before anything reads it; return a refusal if this machine cannot work for it."""
        import ray  # pyright: ignore[reportMissingImports] (an extra)

        try:
            self._place.enter(self._threads)
        except ClusterError as problem:
            return Refusal(ray.get_runtime_context().get_node_id(), sentence_of(problem))
        return None

    def start(self, works: "Callable[[], Mapping[str, Work]]", device: str, together: int, first: str) -> None:
        """Import the modules that jobs need, and open a model: see `LocalExecutor`."""
        from regrow.interfaces.server.jobs.local_executor import LocalExecutor

        self._executor = LocalExecutor(works, device, together)
        self._thread.submit(self._executor.start, first).result()

    def run(self, jobs: "Sequence[Job]") -> "Iterator[News]":
        """Compute jobs, and yield their changes and outcomes."""
        from regrow.interfaces.server.jobs.news import send_news

        news = SimpleQueue["News"]()
        computing = self._thread.submit(send_news, self._executor, jobs, news.put)
        computing.add_done_callback(lambda _: news.put((None, None)))  # ends the loop if computing raises
        last = False
        while not last:
            one = news.get()
            last = one[0] is None
            if last:
                computing.result()
            yield one

    def drop(self, job_id: str) -> None:
        """Stop a job before its next torch function."""
        self._executor.drop(job_id)

    def here(self) -> None:
        """Return, which shows that the actor is alive."""
