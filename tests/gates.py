"""A server in this process whose jobs wait until they are let go on."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.testclient import TestClient
from web_server import until

from regrow.interfaces.server.app import build
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.job import At, Job, Work
from regrow.interfaces.server.jobs.local_executor import LocalExecutor
from regrow.interfaces.server.jobs.worker import Worker
from regrow.media.files import MediaError


class Gate:
    """A kind of work that waits until it is let go on, and says what was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.open: set[str] = set()
        self.all = threading.Event()

    def __call__(self, job: Job, open_model: object) -> Iterator[At]:
        name = job.settings["name"]
        self.begun.append(name)
        index = 0
        while not (name in self.open or self.all.is_set()):
            time.sleep(0.01)
            index += 1
            yield At("wait", index, 0)
        if job.settings.get("bad"):
            raise MediaError("It is bad.")
        yield At("wait", 1, 1)


def started(works: Mapping[str, Any], private: bool = False, first: str = "") -> Worker:
    """A worker that is at work."""
    events = Events()
    history = History(private, lambda owner, change: events.publish("history", change, owner if private else None))
    return Worker([LocalExecutor(lambda: works)], events, history, private, first).start()


def client_of(worker: Worker, password: str = "") -> TestClient:
    """A client of a server around a worker, in this process."""
    app = build(worker, Files(worker.private), worker.events, not password, password)
    return TestClient(app, base_url="http://127.0.0.1:7860")


def over(worker: Worker, job: Job) -> str:
    """The state that a job ends in."""
    *_, last = worker.watch(job)
    return last.state


def begun(gate: Gate, count: int) -> None:
    """Wait until so many jobs were begun."""
    until(lambda: len(gate.begun) >= count)


def work(do: Callable[[Job], None]) -> Work:
    """A kind of work that is one function."""

    def works(job: Job, open_model: object) -> Iterator[At]:
        do(job)
        yield At("done", 1, 1)

    return works  # pyright: ignore
