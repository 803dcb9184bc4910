"""The stream of events, as server-sent events."""

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from regrow.interfaces.server.jobs.as_json import job_json, queue_json
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.stored import damaged
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["events"])
HEARTBEAT = 15.0
"""Seconds without an event after which a comment is sent, so that proxies do not close the connection."""
START = secrets.token_hex(8)
"""Identifies this start of the server: a page that sees another value knows that the server was restarted."""


@router.get("/api/events", response_class=StreamingResponse)
async def events(request: Request, caller: Asker) -> StreamingResponse:
    """Send events: `hello` at first, then `job`, `queue`, `history`, `training` and `models` as they happen."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_stream(request, caller), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, caller: Caller) -> AsyncIterator[str]:
    worker: Worker = request.app.state.worker
    with request.app.state.events.listening(caller) as listener:
        yield "retry: 1000\n\n"
        yield _event("hello", await in_thread(_hello, request.app.state, caller))
        yield _event("queue", queue_json(worker, caller))
        async for happened in listener.each(HEARTBEAT):
            if not happened:
                yield ": still here\n\n"
            for name, data in happened:
                yield _event(name, await _data(worker, caller, name, data))


def _hello(state: Any, caller: Caller) -> dict[str, Any]:
    """Return what a page needs to know first."""
    jobs = [job_json(job, state.worker, caller) for job in state.worker.own(caller)]
    named = [] if state.private else [one.model_dump() for one in damaged()]  # a damaged record does not tell its owner
    about = {"local": state.local, "private": state.private, "damaged": named}
    return {"server": START, "jobs": jobs, **about}


async def _data(worker: Worker, caller: Caller, name: str, data: Any) -> Any:
    """Return the data of an event for a caller, in their language."""
    if isinstance(data, Job):
        return await in_thread(job_json, data, worker, caller)
    if name == "queue":
        return queue_json(worker, caller)
    return await in_thread(data, caller) if callable(data) else data


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
