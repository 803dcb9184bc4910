"""Who waits takes no thread, so that another browser is answered, however many wait."""

import asyncio
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from gates import Gate, begun, client_of, started
from web_server import Server, until

from regrow.interfaces.server import threads
from regrow.interfaces.server.app import listening_on
from regrow.interfaces.server.jobs.events import PAUSE, SHARE, Events
from regrow.interfaces.server.sessions import Caller

WAITING, WATCHING = 90, 40
"""Calls that wait, and open streams: more than the server has threads of any kind."""


def test_small_answers_are_sent_at_once() -> None:
    """Else the system holds the second part of an answer back until the browser confirms the first: 40 ms."""

    async def at_once() -> int:
        accepted: asyncio.Queue[socket.socket] = asyncio.Queue()
        listening = listening_on("127.0.0.1", 0)
        server = await asyncio.start_server(lambda _, out: accepted.put(out.get_extra_info("socket")), sock=listening)
        async with server:
            _, caller = await asyncio.open_connection(*listening.getsockname())
            connection = await accepted.get()
            caller.close()
            return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert asyncio.run(at_once()) == 1


def test_a_first_answer_comes_while_more_wait_than_there_are_threads(server: Server) -> None:
    """Over a real server. All are known to wait before another browser asks, and wait still when it is answered."""
    ended: list[str] = []
    told = [threading.Event() for _ in range(WATCHING)]
    many = httpx.Client(base_url=server.address, timeout=600, limits=httpx.Limits(max_connections=None))
    settings = {"prompt": "a cat", "model": "storybook", "steps": 900, "count": 8}
    with server.caller() as client, many:
        job = client.post("/api/generate", json=settings).json()["id"]

        def wait() -> None:
            ended.append(many.get(f"/api/jobs/{job}/wait?seconds=600").json()["state"])

        def watch(heard: threading.Event) -> None:
            with suppress(httpx.HTTPError), many.stream("GET", "/api/events") as lines:
                for line in lines.iter_lines():
                    if line.startswith("event: hello"):
                        heard.set()

        calls = [threading.Thread(target=wait, daemon=True) for _ in range(WAITING)]
        calls += [threading.Thread(target=watch, args=(heard,), daemon=True) for heard in told]
        for one in calls:
            one.start()
        assert all(heard.wait(600) for heard in told)
        for path in ("/", "/api/schemas", "/api/history", "/api/jobs?active=1", f"/api/jobs/{job}"):
            with server.caller() as other:
                assert other.get(path).status_code == 200
        assert not ended
        client.post(f"/api/jobs/{job}/cancel")
        until(lambda: len(ended) == WAITING)
    assert set(ended) == {"cancelled"}


def test_with_a_single_thread_for_all_work_waiting_calls_leave_it_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    monkeypatch.setattr(threads, "_limiters", [])
    monkeypatch.setattr(threads, "MOST", 1)
    gate = Gate()
    worker = started({"gate": gate})
    app: Any = client_of(worker).app
    job = worker.submit(Caller("a"), "gate", {"name": "1"})
    begun(gate, 1)

    async def ask() -> list[str]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1  # which Starlette's own work has
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860", timeout=300) as client:
            waits = [asyncio.create_task(client.get(f"/api/jobs/{job.id}/wait?seconds=300")) for _ in range(30)]
            while len(worker.events._listeners) < 30:
                await asyncio.sleep(0.01)
            assert (await client.get("/api/history")).status_code == 200
            assert (await client.get("/page/js/api.js")).status_code == 200
            assert not any(one.done() for one in waits)
            gate.all.set()
            return [(await one).json()["state"] for one in waits]

    assert asyncio.run(ask()) == ["done"] * 30


def test_who_waits_for_one_job_is_not_woken_by_others_and_many_pages_are_told_less_often() -> None:
    async def listen() -> None:
        events = Events()
        with events.listening(None, about=("job", "1")) as waiting, events.listening(Caller("a")) as page:
            events.publish("job", "other", key=("job", "2"))
            events.publish("queue", None, key="queue")
            assert not waiting._some.is_set()
            events.publish("job", "mine", key=("job", "1"))
            assert await waiting.next(60) == [("job", "mine")]
            assert len(await page.next(60)) == 3
            assert page.pause == PAUSE
            several = [events.listening(Caller(str(n))) for n in range(98)]
            for one in several:
                one.__enter__()
            events.publish("queue", None, key="queue")
            assert page.pause == 100 * SHARE > PAUSE

    asyncio.run(listen())
