"""Jobs: their order, their turns, progress, cancelling, waiting, and what is told of them."""

import asyncio
import errno
import json
import math
import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import torch
from gates import Gate, begun, client_of, over, started, work
from homes import sharing_engines
from web_server import Server, until

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.jobs.events import MOST_PENDING, Events
from regrow.interfaces.server.jobs.job import At, Job
from regrow.interfaces.server.jobs.models import known_model
from regrow.interfaces.server.jobs.queue import Queue
from regrow.interfaces.server.limits import Limits
from regrow.interfaces.server.places import made
from regrow.interfaces.server.routes import events as stream_module
from regrow.interfaces.server.sessions import Caller
from regrow.media.files import MediaError
from regrow.media.image.picture import save


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


def job(owner: str, name: str, by_id: bool = False) -> Job:
    return Job(name, owner, "gate", {"name": name}, by_id)


def test_owners_are_served_in_turn_and_order_their_own_jobs() -> None:
    queue = Queue()
    for owner, name in (("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")):
        queue.add(job(owner, name))
    names = [one.id for one in queue.order()]
    assert names == ["a1", "b1", "c1", "a2", "b2", "a3"]
    a3 = queue.order()[-1]
    queue.move(a3, queue.order()[0])
    assert [one.id for one in queue.order()] == ["a3", "b1", "c1", "a1", "b2", "a2"]
    queue.add(job("c", "quick"), first=True)
    taken = [queue.take()[0].id for _ in range(2)]
    assert taken == ["a3", "b1"]
    queue.add(job("d", "d1"))  # who was never served comes before all who were
    assert [queue.take()[0].id for _ in range(6)] == ["quick", "d1", "a1", "b2", "c1", "a2"]
    assert not len(queue)
    with pytest.raises(IndexError):
        queue.take()


def test_programs_without_cookies_share_one_turn() -> None:
    queue = Queue()
    for i in range(3):
        queue.add(job(f"fresh {i}", f"p{i}", by_id=True))
    queue.add(job("browser", "b"))
    assert [one.id for one in queue.order()] == ["p0", "b", "p1", "p2"]


def test_nobody_moves_jobs_of_others_or_jobs_that_do_not_wait() -> None:
    queue, mine, theirs = Queue(), job("a", "1"), job("b", "2")
    queue.add(mine)
    queue.add(theirs)
    for moved, before in ((mine, theirs), (mine, job("a", "3")), (job("a", "4"), None)):
        with pytest.raises(ValueError, match="is not waiting"):
            queue.move(moved, before)
    assert len(queue) == 2


def test_jobs_wait_in_order_and_say_their_place() -> None:
    gate = Gate()
    worker = started({"gate": gate})
    one, two, three = (
        worker.submit(Caller(f"browser {n}"), "gate", {"name": n, "bad": n == "2"}) for n in ("1", "2", "3")
    )
    begun(gate, 1)
    assert worker.places() == {two.id: 1, three.id: 2}
    worker.cancel(two)
    assert over(worker, two) == "cancelled"
    assert worker.places() == {three.id: 1}
    gate.all.set()
    assert (over(worker, one), over(worker, three)) == ("done", "done")
    assert gate.begun == ["1", "3"]
    assert worker.latest(Caller("browser 1"), "gate") is one


def test_a_failure_is_a_sentence_and_the_next_job_runs() -> None:
    def divide(_: Job) -> None:
        1 / 0  # noqa: B018

    gate = Gate()
    gate.all.set()
    worker = started({"gate": gate, "broken": work(divide)})
    bad = worker.submit(Caller(), "gate", {"name": "1", "bad": True})
    broken = worker.submit(Caller(), "broken", {})
    nothing = worker.submit(Caller(), "no such verb", {})
    last = worker.submit(Caller(), "gate", {"name": "2"})
    assert (over(worker, bad), bad.error) == ("failed", "It is bad.")
    assert (over(worker, broken), over(worker, nothing)) == ("failed", "failed")
    assert "division by zero" in broken.error
    assert over(worker, last) == "done"


def test_cancelling_ends_a_long_step_inside_the_network() -> None:
    layer = torch.nn.Linear(2, 2)

    def endless(job: Job, open_model: object) -> Iterator[At]:
        yield At("step", 1, 2)
        while True:  # one step of a large model, a layer at a time
            layer(torch.ones(2))

    gate = Gate()
    gate.all.set()
    worker = started({"endless": endless, "gate": gate})
    stuck = worker.submit(Caller(), "endless", {})
    until(lambda: stuck.progress[1])
    asked = time.monotonic()
    worker.cancel(stuck)
    assert over(worker, worker.submit(Caller(), "gate", {"name": "next"})) == "done"
    assert time.monotonic() - asked < 5
    assert stuck.state == "cancelled"
    assert json.loads((stuck.folder / "job.json").read_text())["state"] == "cancelled"


def test_a_quick_edit_shows_its_first_step_alone() -> None:
    from regrow.interfaces.server.verbs.single import unseen

    def walk() -> Generator[At, None, str]:
        for part in ("invert", "regrow"):
            for index in range(3):
                yield At(part, index, 2, torch.zeros(1), "a model")
        return "made"

    def ended() -> Generator[At, None, None]:
        seen.append((yield from unseen(walk(), but_first=True)))

    seen: list[str] = []
    told = list(ended())
    assert seen == ["made"]
    assert [(at.part, at.index, at.steps) for at in told] == [(at.part, at.index, at.steps) for at in walk()]
    assert [(at.part, at.index) for at in told if at.x is not None] == [("regrow", 1)]


def test_previews_are_shown_while_a_job_grows_and_then_no_more() -> None:
    from regrow.models.open import open_model

    model = open_model("storybook")
    shape = model.latent_shape(*model.extent)
    shown, go_on = threading.Event(), threading.Event()

    def grow(job: Job, opened: object) -> Iterator[At]:
        yield At("regrow", 1, 2, torch.zeros(2, *shape), model)
        shown.set()
        go_on.wait(60)
        yield At("regrow", 2, 2)

    worker = started({"grow": grow})
    with client_of(worker) as client:
        job = worker.submit(Caller(), "grow", {})
        assert shown.wait(60)
        told = client.get(f"/api/jobs/{job.id}").json()
        assert (told["previews"], told["progress"]["index"]) == (2, 1)
        for i in (0, 1):
            assert client.get(f"{told['preview']}&index={i}").content[8:12] == b"WEBP"
        for i in (2, 9):
            assert client.get(f"{told['preview']}&index={i}").status_code in (404, 422)
        go_on.set()
        assert over(worker, job) == "done"
        assert client.get(f"/api/jobs/{job.id}").json()["preview"] is None
        assert client.get(told["preview"]).status_code == 404


def test_jobs_over_http_are_listed_awaited_cancelled_and_moved() -> None:
    gate = Gate()
    worker = started({"gate": gate})
    with client_of(worker) as client:
        client.get("/api/jobs")  # to have a cookie, which is who it is
        owner = Caller.of(client.cookies["regrow"])
        one, two, three = (worker.submit(owner, "gate", {"name": n, "prompt": n}) for n in "123")
        begun(gate, 1)
        listed = [found["id"] for found in client.get("/api/jobs").json()]
        assert listed == [three.id, two.id, one.id]
        asked = time.monotonic()
        waited = client.get(f"/api/jobs/{one.id}/wait?seconds=0.3").json()
        assert (waited["state"], waited["place"]) == ("running", 0)
        assert 0.2 < time.monotonic() - asked < 5
        assert client.post(f"/api/jobs/{three.id}/move", json={"before": two.id}).json()["place"] == 1
        assert client.get(f"/api/jobs/{two.id}").json()["place"] == 2
        assert client.post(f"/api/jobs/{three.id}/move", json={}).json()["place"] == 2
        for moved, before in ((one, two.id), (two, one.id)):
            answer = client.post(f"/api/jobs/{moved.id}/move", json={"before": before})
            assert (answer.status_code, "wait" in answer.json()["error"]) == (409, True)
        assert client.post(f"/api/jobs/{two.id}/cancel").json()["state"] == "cancelled"
        assert [found["id"] for found in client.get("/api/jobs?active=1").json()] == [three.id, one.id]
        gate.all.set()
        assert client.get(f"/api/jobs/{three.id}/wait?seconds=60").json()["state"] == "done"
        assert client.get("/api/jobs?active=1").json() == []
        for path in ("nothing", "20260101-000000-aaaa", "..%2f..%2fx", "%00"):
            answer = client.get(f"/api/jobs/{path}")
            assert (answer.status_code, set(answer.json())) == (404, {"error", "field"})


def test_a_hundred_that_wait_take_no_threads(server: Server) -> None:
    """Over a real server: a wait is no thread, and others are answered meanwhile."""
    settings = {"prompt": "a cat", "model": "storybook", "steps": 200, "count": 4}
    many = httpx.Client(base_url=server.address, timeout=300, limits=httpx.Limits(max_connections=None))
    answered: list[str] = []
    with server.caller() as client, many:
        job = client.post("/api/generate", json=settings).json()["id"]
        until(lambda: client.get(f"/api/jobs/{job}").json()["progress"]["index"])  # torch has its threads by then
        before = threads(server.process.pid)

        def wait() -> None:
            answered.append(many.get(f"/api/jobs/{job}/wait?seconds=300").json()["state"])

        waits = [threading.Thread(target=wait) for _ in range(100)]
        for one in waits:
            one.start()
        time.sleep(2)
        asked = time.monotonic()
        assert client.get("/api/jobs?active=1").json()
        assert time.monotonic() - asked < 10
        taken = threads(server.process.pid) - before
        client.post(f"/api/jobs/{job}/cancel")
        for one in waits:
            one.join(60)
    assert answered == ["cancelled"] * 100
    assert taken < 20


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def test_no_caller_fills_the_queue() -> None:
    gate = Gate()
    worker = started({"gate": gate})
    worker.usage.limits = Limits(jobs=3)
    worker.submit(Caller("a"), "gate", {"name": "0"})
    begun(gate, 1)
    for n in "123":
        worker.submit(Caller("a"), "gate", {"name": n})
    with pytest.raises(Refused) as refused:
        worker.submit(Caller("a"), "gate", {"name": "4"})
    assert "3 of your jobs are waiting" in refused.value.sentence("en")
    last = worker.submit(Caller("b"), "gate", {"name": "b"})
    gate.all.set()
    assert over(worker, last) == "done"
    until(lambda: not worker.queued())


def test_a_full_disk_is_answered_in_a_sentence_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    worker = started({"gate": gate})
    full = {"now": True}

    def fsync(file: int) -> None:
        if full["now"]:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("regrow.media.files.os.fsync", fsync)
    with client_of(worker) as client:
        for language, words in (("en", "disk is full"), ("zh", "磁盘已满")):
            answer = client.post("/api/generate", json={"prompt": "a cat"}, headers={"accept-language": language})
            assert (answer.status_code, words in answer.json()["error"]) == (507, True)
        assert not list(made().glob("*"))
        full["now"] = False
        one = worker.submit(Caller(), "gate", {"name": "1"})
        begun(gate, 1)
        full["now"] = True  # while it is at work
        gate.all.set()
        assert over(worker, one) == "done"
        full["now"] = False
        assert over(worker, worker.submit(Caller(), "gate", {"name": "2"})) == "done"


def test_a_model_must_be_listed() -> None:
    assert known_model("storybook") == "storybook"
    for name in ("/etc", "../storybook", "just-trained", "http://127.0.0.1:9/x"):
        with pytest.raises(MediaError, match="There is no model"):
            known_model(name)


def test_a_listener_hears_the_newest_state_of_each_thing_and_its_owners_alone() -> None:
    async def listen() -> None:
        events = Events()
        with events.listening(Caller("a")) as mine, events.listening(None) as anybodys:
            for i in range(100):
                events.publish("job", i, "a", key="one job")
            events.publish("job", "theirs", "b")
            events.publish("models", {})
            assert await mine.next(1) == [("job", 99), ("models", {})]
            assert len(await anybodys.next(1)) == 3
            assert await mine.next(0.01) == []
            for i in range(MOST_PENDING + 1):
                events.publish("history", i, "a")
            assert mine.lost  # it reads no more, and connects again
            asked = asyncio.get_running_loop().time()
            events.end()
            assert len([told async for told in anybodys.each(60)]) <= 1
            assert asyncio.get_running_loop().time() - asked < 5
        events.publish("job", 1)  # to nobody

    asyncio.run(listen())


def test_a_quiet_stream_is_kept_open_by_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT", 0.02)
    worker = started({})
    app: Any = client_of(worker).app

    async def first(count: int) -> list[str]:
        request: Any = SimpleNamespace(app=app)
        lines = stream_module._stream(request, Caller("a", language="zh"))
        read = [await anext(lines) for _ in range(count)]
        await lines.aclose()  # pyright: ignore
        return read

    retry, hello, queue, *rest = asyncio.run(first(6))
    assert retry.startswith("retry:")
    assert hello.startswith("event: hello\ndata: {")
    assert queue.startswith("event: queue")
    assert rest == [": still here\n\n"] * 3
    assert not worker.events._listeners  # whoever has gone is not told


def test_eight_browsers_at_once_are_all_served(server: Server) -> None:
    made: dict[int, list[Any]] = {}

    def ask(number: int) -> None:
        with server.caller() as client:
            client.get("/")
            asked = {"prompt": "a cat", "model": "storybook", "steps": 2, "seed": number}
            jobs = [client.post("/api/generate", json=asked).json()["id"] for _ in range(2)]
            made[number] = [client.get(f"/api/jobs/{job}/wait?seconds=300").json() for job in jobs]

    browsers = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for one in browsers:
        one.start()
    for one in browsers:
        one.join(300)
    assert sorted(made) == list(range(8))
    for number, jobs in made.items():
        assert [(job["state"], job["settings"]["seed"]) for job in jobs] == [("done", number)] * 2


def stream(client: httpx.Client, told: list[tuple[str, Any]]) -> None:
    """Read the stream of events until its client is closed."""
    name = ""
    with suppress(httpx.HTTPError), client.stream("GET", "/api/events", timeout=60) as lines:
        assert lines.headers["content-type"].startswith("text/event-stream")
        for line in lines.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                told.append((name, json.loads(line.removeprefix("data: "))))
            elif line.startswith(":"):
                told.append(("heartbeat", None))


def test_a_stream_tells_of_a_job_from_beginning_to_end(server: Server) -> None:
    told: list[tuple[str, Any]] = []
    with server.caller() as client, server.caller() as other:
        client.get("/")
        threading.Thread(target=stream, args=(other, told), daemon=True).start()
        until(lambda: told)
        assert told[0][0] == "hello"
        assert set(told[0][1]) >= {"server", "jobs", "local", "private"}
        asked = {"prompt": "a white rabbit in the snow", "model": "storybook", "steps": 30}
        job = client.post("/api/generate", json=asked).json()["id"]
        until(lambda: any(name == "job" and data["id"] == job and data["state"] == "done" for name, data in told))
        states = [data["state"] for name, data in told if name == "job" and data["id"] == job]
        assert states[-1] == "done"
        assert [one for one in states if one not in ("waiting", "running")] == ["done"]
        assert len([one for one in states if one == "running"]) > 1  # with progress between
        until(lambda: any(name == "history" for name, _ in told))
        added = [item for name, data in told if name == "history" for item in data["added"]]
        assert [item["job"] for item in added] == [job]
        until(lambda: [data["jobs"] for name, data in told if name == "queue"][-1] == [])
        queues = [data["jobs"] for name, data in told if name == "queue"]
        assert any(job in [one["id"] for one in jobs] for jobs in queues)


def test_figures_that_are_no_numbers_spoil_neither_record_nor_answer(home: Path) -> None:
    def measure(job: Job) -> None:
        job.facts |= {"psnr": math.inf, "rows": [{"ssim": math.nan}, (1.5, -math.inf)]}

    worker = started({"measure": work(measure)})
    with client_of(worker) as client:
        job = worker.submit(Caller(), "measure", {"strength": math.nan})
        assert over(worker, job) == "done"
        for _ in ("from memory", "from the disk"):
            facts = client.get(f"/api/jobs/{job.id}").json()["facts"]
            assert facts == {"psnr": None, "rows": [{"ssim": None}, [1.5, None]]}
            worker.jobs.clear()


def test_results_of_a_job_are_told(home: Path) -> None:
    def make(job: Job) -> None:
        save(job.folder / "a-cat-1.png", torch.zeros(3, 8, 16))
        job.files.append("a-cat-1.png")
        job.lay_beside("mask", torch.zeros(3, 8, 8))
        job.tell(["A note."])
        job.summary = "It is made."

    worker = started({"make": work(make)})
    with client_of(worker) as client:
        job = worker.submit(Caller(), "make", {"prompt": "a cat", "seed": 3})
        assert over(worker, job) == "done"
        told = client.get(f"/api/jobs/{job.id}").json()
        (item,) = told["results"]
        assert (item["width"], item["height"], item["words"], item["seed"]) == (16, 8, "a cat", 3)
        assert (told["notes"], told["summary"], told["beside"].keys()) == (["A note."], "It is made.", {"mask"})
        assert told["took"] is not None
        for url in (item["url"], item["thumbnail"], told["beside"]["mask"]):
            assert client.get(url).status_code == 200
        worker.jobs.clear()  # as after a restart: from the disk
        again = client.get(f"/api/jobs/{job.id}").json()
        assert again | {"progress": None} == told | {"progress": None}


def test_a_listener_that_reads_no_more_keeps_nothing() -> None:
    async def listen() -> tuple[bool, int]:
        events = Events()
        with events.listening(Caller("one")) as listener:
            for number in range(3 * MOST_PENDING):
                events.publish("job", number)
            return listener.lost, len(listener._pending)

    assert asyncio.run(listen()) == (True, 0)
