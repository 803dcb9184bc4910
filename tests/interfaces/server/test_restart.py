"""A server that was killed in the middle takes up what waited and what it was at; what is damaged is set aside."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from gates import Gate, client_of, over, started
from homes import sharing_engines
from web_server import EXAMPLE, PROGRAM, Server, until

from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.records import unfinished
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.places import made
from regrow.interfaces.server.routes import events as stream
from regrow.interfaces.server.sessions import Caller

FIRST, SECOND = "20260101-000000-000000-aaaa", "20260101-000001-000000-bbbb"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


def test_what_waited_and_what_was_at_work_is_taken_up_again(home: Path) -> None:
    Job(FIRST, "browser", "gate", {"name": "1"}, state="running", tries=1).keep()
    Job(SECOND, "browser", "gate", {"name": "2"}).keep()
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate})
    assert worker.taken_up.wait(60)
    assert (over(worker, worker.jobs[FIRST]), over(worker, worker.jobs[SECOND])) == ("done", "done")
    assert gate.begun == ["1", "2"]


def test_who_asks_before_all_is_taken_up_gets_the_job_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Job(FIRST, "browser", "gate", {"name": "1"}, state="running", tries=1).keep()
    go_on = threading.Event()

    def slowly(before: str) -> list[Job]:
        assert go_on.wait(60)
        return unfinished(before)

    monkeypatch.setattr("regrow.interfaces.server.jobs.worker.unfinished", slowly)
    gate = Gate()
    worker = started({"gate": gate})
    threading.Timer(0.3, go_on.set).start()
    job = worker.job(FIRST)
    assert job is worker.jobs[FIRST]
    gate.all.set()
    assert over(worker, job) == "done"


def test_what_ended_the_server_twice_is_not_tried_again(home: Path) -> None:
    given_up = Job(FIRST, "browser", "gate", {"name": "1"}, state="running", tries=2)
    given_up.keep()
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate})
    assert worker.taken_up.wait(60)
    told = json.loads((given_up.folder / "job.json").read_text())
    assert (told["state"], "stopped twice" in str(told["error"])) == ("failed", True)
    assert not worker.queue
    assert gate.begun == []


def test_a_server_that_was_asked_to_end_may_end_as_often_as_it_is_asked(home: Path) -> None:
    job = Job(FIRST, "browser", "gate", {"name": "1"}, state="running", tries=2)
    job.keep()
    ended = Worker([], Events(), History())
    ended.jobs[job.id] = job
    ended.note_stop()
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate})
    assert worker.taken_up.wait(60)
    assert over(worker, worker.jobs[FIRST]) == "done"
    assert not (home / "page" / "stopped").exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"id": "x"}',
        b'{"id": 3, "owner": "", "verb": "gate", "settings": {}, "state": "waiting"}',
        b'{"id": "%s", "owner": "", "verb": "gate", "settings": [], "state": "waiting"}' % FIRST.encode(),
        b'{"id": "%s", "owner": "", "verb": "gate", "settings": {}, "state": "flying"}' % FIRST.encode(),
        b'{"id": "%s", "owner": "", "verb": "gate", "settings": {}, "state": "done", "files": ["../x"]}'
        % FIRST.encode(),
        b"[" * 100_000,
    ],
)
def test_a_damaged_record_is_set_aside_and_named_and_all_else_goes_on(
    home: Path, capfd: pytest.CaptureFixture[str], damage: bytes
) -> None:
    (made() / FIRST).mkdir(parents=True)
    (made() / FIRST / "job.json").write_bytes(damage)
    Job(SECOND, "browser", "gate", {"name": "2"}).keep()
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate})
    assert worker.taken_up.wait(60)
    assert over(worker, worker.jobs[SECOND]) == "done"
    assert f"{FIRST}/job.json is damaged" in capfd.readouterr().err
    assert (made() / FIRST / "job.json.damaged").read_bytes() == damage
    with client_of(worker) as client:
        assert [one["id"] for one in client.get("/api/jobs").json()] == [SECOND]
        assert client.get(f"/api/jobs/{FIRST}").status_code == 404
        assert client.get("/api/history").status_code == 200
        state: Any = client.app.state  # pyright: ignore
        hello = json.loads(json.dumps(stream._hello(state, Caller())))  # as it is sent to every page that opens
        assert f"{FIRST}/job.json" in [one["file"] for one in hello["damaged"]]


def test_records_of_the_page_before_this_one_are_read(home: Path) -> None:
    picture = home / "page" / "pictures" / ("0" * 32 + ".png")
    picture.parent.mkdir(parents=True)
    picture.write_bytes(EXAMPLE.read_bytes())
    old = {"id": FIRST, "owner": "browser", "kind": "look", "state": "done", "files": [], "beside": {}, "notes": []}
    old |= {"settings": {"image": str(picture), "model": "storybook"}, "facts": {"took": 3.5, "tries": 1}, "error": ""}
    (made() / FIRST).mkdir(parents=True)
    (made() / FIRST / "job.json").write_text(json.dumps(old))
    with client_of(started({})) as client:
        told = client.get(f"/api/jobs/{FIRST}").json()
    assert (told["verb"], told["took"], told["settings"]["image"]) == ("inspect", 3.5, picture.name)


def test_a_record_of_a_newer_version_is_read_as_far_as_it_is_known(home: Path) -> None:
    Job(FIRST, "browser", "gate", {"name": "1"}).keep()
    path = made() / FIRST / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"new in version 9": [1, 2]}))
    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate})
    assert worker.taken_up.wait(60)
    assert over(worker, worker.jobs[FIRST]) == "done"


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    """Over HTTP: killed while a job is at work and another waits, and started anew."""
    server = Server(tmp_path / "home")
    told: list[Any] = []
    try:
        with server.caller() as client:
            kept = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()
            long = {"prompt": "a cat", "model": "storybook", "steps": 20}
            one, two = (client.post("/api/generate", json=long | {"seed": n}).json()["id"] for n in (1, 2))
            until(lambda: client.get(f"/api/jobs/{one}").json()["progress"]["index"])
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(60)
            server.start()
            for job in (one, two):
                told.append(client.get(f"/api/jobs/{job}/wait?seconds=300").json())
            assert [job["state"] for job in told] == ["done", "done"]
            assert [job["settings"]["seed"] for job in told] == [1, 2]
            for job in told:
                assert client.get(job["results"][0]["url"]).content.startswith(b"\x89PNG")
            assert client.get(kept["url"]).status_code == 200
    finally:
        server.stop()


def test_a_server_ends_at_once_though_pages_are_open_and_a_job_is_at_work(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    heard = threading.Event()

    def listen() -> None:
        with httpx.stream("GET", f"{server.address}/api/events", timeout=60) as lines:
            for line in lines.iter_lines():
                heard.set()
                assert line is not None

    page = threading.Thread(target=listen, daemon=True)
    page.start()
    assert heard.wait(60)
    with server.caller() as client:
        long = {"prompt": "a cat", "model": "storybook", "steps": 1000}
        job = client.post("/api/generate", json=long).json()["id"]
        until(lambda: client.get(f"/api/jobs/{job}").json()["progress"]["index"])
    asked = time.monotonic()
    server.stop()
    assert time.monotonic() - asked < 8
    assert server.process.returncode == 128 + signal.SIGTERM  # not aborted by C++, whose threads still computed
    page.join(10)
    assert not page.is_alive()


def test_a_second_server_of_one_home_and_a_taken_port_are_refused(server: Server, tmp_path: Path) -> None:

    for home, port, words in (
        (server.home, "0", f"The page is already open at {server.address}/: stop that server first"),
        (tmp_path / "other", str(server.port), f"cannot listen on 127.0.0.1, port {server.port}"),
    ):
        second = subprocess.run(
            [sys.executable, "-c", PROGRAM, "serve", "--no-browser", "--port", port],
            env={**os.environ, "REGROW_HOME": str(home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert words in second.stderr
        assert second.stderr.count("\n") == 1


def test_the_page_is_answered_before_torch_is_there(tmp_path: Path) -> None:
    """What the server imports before it answers."""
    code = (
        "import sys; import regrow.interfaces.server.app as app; "
        "print([name for name in ('torch', 'numpy', 'PIL', 'transformers', 'diffusers', 'pandas') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
