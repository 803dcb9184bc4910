"""A server without a process, and jobs that are over without having been at work."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image

from regrow.interfaces.server.app import build
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.places import made
from regrow.interfaces.server.sessions import Caller

PASSWORD = "eight letters"
EXAMPLE = Path(__file__).parents[3] / "examples" / "cat.png"


class Told(Events):
    """Events that are remembered: name, data and owner."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, Any, str | None]] = []

    def publish(self, name: str, data: Any, owner: str | None = None, key: object | None = None) -> None:
        self.told.append((name, data(Caller("")) if callable(data) else data, owner))
        super().publish(name, data, owner, key)


class Api:
    """The application with one caller, or several."""

    def __init__(self, private: bool = False, local: bool = True) -> None:
        self.events, self.files = Told(), Files(private)
        self.history = History(
            private, lambda owner, change: self.events.publish("history", change, owner if private else None)
        )
        self.worker = Worker([], self.events, self.history, private)
        self.worker.taken_up.set()  # it is not started, and has nothing to take up
        password = PASSWORD if private else ""
        self.app = build(self.worker, self.files, self.events, local and not private, password)

    @contextmanager
    def caller(self) -> Iterator[TestClient]:
        """A browser, logged in where a password is asked."""
        with TestClient(self.app, "http://127.0.0.1:1", raise_server_exceptions=False) as client:
            if self.files.private:
                given = {"username": "regrow", "password": PASSWORD}
                assert client.post("/login", data=given, follow_redirects=False).status_code < 400
            client.get("/api/history")  # which gives it its cookie
            yield client


def owner_of(client: TestClient) -> str:
    """The name that a browser's jobs are noted under."""
    return Caller.of(client.cookies["regrow"]).owner


def job(number: int, owner: str = "me", files: tuple[str, ...] = ("a-cat-1.png",), **facts: Any) -> str:
    """Write a job's folder as the worker leaves it, and return its id."""
    name = f"20260101-00{number // 60:02}{number % 60:02}-{number:06}-0123456789abcdef"
    folder = made() / name
    folder.mkdir(parents=True)
    for file in files:
        Image.new("RGB", (64, 48), (number % 256, 9, 9)).save(folder / file)
    record = {"id": name, "owner": owner, "verb": "generate", "settings": {"prompt": "a cat", "model": "storybook"}}
    record |= {"state": "done", "files": list(files)} | facts
    (folder / "job.json").write_text(json.dumps(record), encoding="utf-8")
    return name
