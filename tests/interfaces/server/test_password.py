"""The password: logging in, HTTP Basic, guessing, and what each browser sees of the others'."""

import asyncio
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from gates import Gate, begun, client_of, over, started
from homes import sharing_engines
from starlette.testclient import TestClient
from web_server import EXAMPLE

from regrow.interfaces.server import login as login_module
from regrow.interfaces.server.app import serve
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.login import FREE, SESSION, Login, Throttle
from regrow.interfaces.server.sessions import Caller
from regrow.requests.serve import Serve

PASSWORD = "eight letters"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def worker(gate: Gate) -> Worker:
    return started({"gate": gate}, private=True)


def logged_in(worker: Worker) -> TestClient:
    """A browser that knows the password."""
    client = client_of(worker, PASSWORD)
    client.get("/login", headers={"accept": "text/html", "sec-fetch-site": "none"})
    assert client.post("/login", data={"password": PASSWORD}, follow_redirects=False).status_code == 303
    return client


@pytest.mark.parametrize(
    ("host", "password"), [("0.0.0.0", ""), ("192.168.1.2", "short"), ("127.0.0.1", "short"), ("0.0.0.0", " " * 12)]
)
def test_whoever_can_be_reached_by_others_needs_a_password(host: str, password: str) -> None:
    with pytest.raises(
        ValueError,
        match="set the environment variable REGROW_PASSWORD to 8",
    ):
        serve(Serve(host, browser=False), password, io.StringIO())
    with pytest.raises(ValueError, match="--port must be from 0 \\(the first free port\\) to 65535"):
        Serve(port=70_000)


def test_nothing_is_answered_without_the_password(worker: Worker) -> None:
    client = client_of(worker, PASSWORD)
    for path in ("/", "/docs", "/openapi.json", "/page/js/api.js", "/api/jobs", "/api/events", "/api/history", "/x"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code == 401, path
        assert "Log in first" in answer.json()["error"]
        assert "basic" in answer.headers["www-authenticate"].lower()
        browser = client.get(path, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        assert "www-authenticate" not in browser.headers  # or the browser asks in a window of its own
        asks = client.get(path, headers={"accept": "text/html"}, follow_redirects=False)
        assert (asks.status_code, asks.headers["location"]) == (303, "/login")
    for method, path in (("POST", "/api/generate"), ("POST", "/api/files"), ("PUT", "/"), ("DELETE", "/api/x")):
        assert client.request(method, path).status_code == 401
    assert client.cookies.get(SESSION) is None


def test_a_browser_logs_in_and_out(worker: Worker, home: Path) -> None:
    client = client_of(worker, PASSWORD)
    page = client.get("/login", headers={"accept-language": "zh-CN"}).text
    assert "密码" in page
    assert 'lang="zh"' in page
    wrong = client.post("/login", data={"password": "wrong"})
    assert (wrong.status_code, "password is wrong" in wrong.text) == (401, True)
    client = logged_in(worker)
    assert client.get("/").status_code == 200
    token = client.cookies[SESSION]
    record = home / "page" / "sessions.json"
    assert PASSWORD not in record.read_text()
    assert token not in record.read_text()
    assert record.stat().st_mode & 0o077 == 0
    assert Login(PASSWORD, record).knows(token)  # a server that starts anew
    assert not Login("another password", record).knows(token)
    assert client.post("/logout", follow_redirects=False).status_code == 303
    client.cookies.set(SESSION, token, domain="127.0.0.1")  # a copy of it
    assert client.get("/api/jobs").status_code == 401
    assert not Login(PASSWORD, record).knows(token)


def test_a_session_ends_after_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_module, "LASTS", -1)
    login = Login(PASSWORD, tmp_path / "sessions.json")
    assert not login.knows(login.begin())


def sessions(until: str) -> str:
    """The record of a session with this end."""
    return f'{{"salt": "", "password": "", "sessions": {{"a": {until}}}}}'


DAMAGED = {
    "empty": "", "cut short": "{", "a list": "[]", "a salt that is a number": '{"salt": 3}',
    "a salt in words": '{"salt": "zz", "password": "x", "sessions": {}}', "lists in lists": "[" * 100_000,
    "an end that is a deep list": sessions("[" * 1000 + "]" * 1000), "an end beyond floats": sessions(f"1{'0' * 400}"),
    "an end that is not finite": sessions("1e999"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_of_sessions_only_lets_all_log_in_again(tmp_path: Path, damage: str) -> None:
    record = tmp_path / "sessions.json"
    record.write_text(damage)
    login = Login(PASSWORD, record)
    assert login.knows(login.begin())


def test_programs_use_http_basic(worker: Worker) -> None:
    client = client_of(worker, PASSWORD)
    assert client.get("/api/jobs", auth=("regrow", PASSWORD)).json() == []
    for auth in (("regrow", "wrong"), ("other", PASSWORD), ("", ""), ("regrow", "")):
        answer = client.get("/api/jobs", auth=auth)
        assert (answer.status_code, "password is wrong" in answer.json()["error"]) == (401, True)
    client.get("/api/jobs", auth=("regrow", PASSWORD))
    for header in ("Basic", "Basic !!!", "Basic /w==", "Bearer x", "Basic " + "A" * 5000):
        assert client.get("/api/jobs", headers={"authorization": header}).status_code in (401, 429)


def test_guessing_is_slowed_down_and_who_is_logged_in_does_not_notice(worker: Worker) -> None:
    client = client_of(worker, PASSWORD)
    inside = TestClient(client.app, base_url="http://127.0.0.1:7860")
    assert inside.post("/login", data={"password": PASSWORD}, follow_redirects=False).status_code == 303
    for _ in range(FREE):
        assert client.post("/login", data={"password": "wrong"}).status_code == 401
    for answer in (
        client.post("/login", data={"password": "wrong"}),
        client.post("/login", data={"password": PASSWORD}),  # the right one does not tell itself by being answered
        client.get("/api/jobs", auth=("regrow", PASSWORD)),
    ):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
        assert "too many wrong passwords" in answer.text
    assert inside.get("/api/jobs").status_code == 200


def test_each_wrong_guess_doubles_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    throttle, waits = Throttle(), []
    for _ in range(FREE + 12):
        waits.append(throttle.wait("1.2.3.4"))
        throttle.note("1.2.3.4", right=False)
    assert waits[:FREE] == [0] * FREE
    assert waits[FREE : FREE + 4] == [1, 2, 4, 8]
    assert max(waits) == login_module.MOST_WAIT
    assert throttle.wait("5.6.7.8") == 0
    now[0] += login_module.MOST_WAIT + 1
    assert throttle.wait("1.2.3.4") == 0
    throttle.note("1.2.3.4", right=True)
    throttle.note("1.2.3.4", right=False)
    assert throttle.wait("1.2.3.4") == 0


def test_who_feigns_many_addresses_is_slowed_down_too() -> None:
    throttle = Throttle()
    for i in range(login_module.FREE_OF_ALL):
        assert throttle.wait(f"10.0.0.{i}") == 0
        throttle.note(f"10.0.0.{i}", right=False)
    assert throttle.wait("10.0.1.1") == 1


def test_a_full_disk_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    login = Login(PASSWORD, tmp_path / "a file" / "sessions.json")  # where nothing can be written
    token = login.begin()
    assert login.knows(token)
    login.end(token)
    assert not login.knows(token)


def test_a_form_is_bounded(worker: Worker) -> None:
    answer = client_of(worker, PASSWORD).post("/login", content=b"password=" + b"x" * 100_000)
    assert answer.status_code == 413


def test_browsers_see_nothing_of_each_other(worker: Worker, gate: Gate) -> None:
    mine, other = logged_in(worker), logged_in(worker)
    owner = Caller.of(mine.cookies["regrow"])
    job = worker.submit(owner, "gate", {"name": "1", "prompt": "a secret"})
    begun(gate, 1)
    kept = mine.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()
    for path in (f"/api/jobs/{job.id}", kept["url"], f"{kept['url']}/about"):
        assert mine.get(path).status_code == 200
        assert other.get(path).status_code == 404
    for path in ("cancel", "move"):
        assert other.post(f"/api/jobs/{job.id}/{path}", json={}).status_code == 404
    assert [one["id"] for one in mine.get("/api/jobs").json()] == [job.id]
    assert other.get("/api/jobs").json() == other.get("/api/jobs?active=1").json() == []
    asked = {"image": kept["id"], "source": "a cat", "target": ["a dog"]}
    assert other.post("/api/edit", json=asked).status_code == 404
    assert mine.post("/api/edit", json=asked).status_code == 202
    # the same picture, uploaded by the other one too, is theirs as well
    assert other.post("/api/files?name=x.png", content=EXAMPLE.read_bytes()).json()["id"] == kept["id"]
    assert other.get(kept["url"]).status_code == 200
    gate.all.set()
    assert over(worker, job) == "done"


def test_of_the_queue_others_see_only_that_it_is_there(worker: Worker, gate: Gate) -> None:
    from regrow.interfaces.server.jobs.as_json import queue_json

    job = worker.submit(Caller("mine"), "gate", {"name": "1", "prompt": "a secret"})
    begun(gate, 1)
    (seen,) = queue_json(worker, Caller("other"))["jobs"]
    assert seen == {"id": "", "verb": "", "words": "", "state": "running", "place": 0, "own": False}
    (own,) = queue_json(worker, Caller("mine"))["jobs"]
    assert (own["id"], own["words"], own["own"]) == (job.id, "a secret", True)
    gate.all.set()


def test_a_program_without_cookies_has_what_it_knows_the_ids_of(worker: Worker, gate: Gate) -> None:
    def program() -> TestClient:
        client = client_of(worker, PASSWORD)
        client.auth = ("regrow", PASSWORD)
        return client

    kept = program().post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()
    assert program().get(kept["url"]).status_code == 200
    asked = {"image": kept["id"], "source": "a cat", "target": ["a dog"]}
    job = program().post("/api/edit", json=asked).json()["id"]
    assert program().get(f"/api/jobs/{job}").status_code == 200
    assert program().get("/api/jobs").json() == []  # it may not list what others like it asked for
    browser = logged_in(worker)
    assert browser.get(f"/api/jobs/{job}").status_code == 404
    assert browser.get(kept["url"]).status_code == 404
    theirs = worker.submit(Caller.of(browser.cookies["regrow"]), "gate", {"name": "1"})
    assert program().get(f"/api/jobs/{theirs.id}").status_code == 404
    gate.all.set()


def test_behind_a_password_no_record_names_a_cookie(worker: Worker, gate: Gate, home: Path) -> None:
    gate.all.set()
    client = logged_in(worker)
    job = worker.submit(Caller.of(client.cookies["regrow"]), "gate", {"name": "1"})
    assert over(worker, job) == "done"
    assert client.cookies["regrow"] not in json.dumps(json.loads((job.folder / "job.json").read_text()))
    assert "owner" not in client.get(f"/api/jobs/{job.id}").json()


def test_httpx_clients_of_a_server_keep_their_cookie(worker: Worker) -> None:
    client = client_of(worker, PASSWORD)
    client.auth = ("regrow", PASSWORD)
    asked = {"prompt": "a cat"}
    first = client.post("/api/generate", json=asked).json()["id"]  # before it had one
    assert client.cookies["regrow"]
    assert [one["id"] for one in client.get("/api/jobs").json()] == [first]


def test_who_logs_out_hears_and_is_answered_nothing_more(worker: Worker, gate: Gate) -> None:
    """Over ASGI itself: the test client gives a stream only when it is over."""
    client = logged_in(worker)
    job = worker.submit(Caller.of(client.cookies["regrow"]), "gate", {"name": "1"})
    begun(gate, 1)
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items()).encode()

    async def ask(path: str, sent: list[dict[str, Any]]) -> None:

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:7860"), (b"cookie", cookies)], "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 7860), "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await client.app(scope, receive, send)

    stream, waited = list[dict[str, Any]](), list[dict[str, Any]]()

    def told() -> bytes:
        return b"".join(part.get("body", b"") for part in stream)

    async def both() -> None:
        ways = (("/api/events", stream), (f"/api/jobs/{job.id}/wait", waited))
        asked = [asyncio.create_task(ask(*way)) for way in ways]
        while b"event: queue" not in told() or len(worker.events._listeners) < 2:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(client.post, "/logout", follow_redirects=False)
        await asyncio.to_thread(worker.submit, Caller("other"), "gate", {"name": "secret"})
        await asyncio.to_thread(worker.cancel, job)
        await asyncio.gather(*asked)

    asyncio.run(asyncio.wait_for(both(), 60))
    assert b"event: hello" in told()
    assert b"cancelled" not in told()
    assert waited[0]["status"] == 401


def test_many_forms_that_were_begun_before_the_first_wrong_guess_are_no_guesses(worker: Worker) -> None:
    client = client_of(worker, PASSWORD)
    answers: list[int] = []

    async def guess(go: asyncio.Event) -> None:
        async def receive() -> dict[str, Any]:
            await go.wait()
            return {"type": "http.request", "body": b"password=wrong"}

        async def send(message: Any) -> None:
            answers.extend([message["status"]] if "status" in message else [])

        scope = {
            "type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:7860")], "client": ("9.9.9.9", 1), "server": ("127.0.0.1", 7860),
            "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await client.app(scope, receive, send)

    async def many() -> None:
        go = asyncio.Event()
        tasks = [asyncio.create_task(guess(go)) for _ in range(50)]
        await asyncio.sleep(0.1)
        go.set()
        await asyncio.gather(*tasks)

    asyncio.run(many())
    assert answers.count(401) == FREE
    assert answers.count(429) == 50 - FREE
