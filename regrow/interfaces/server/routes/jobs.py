"""Jobs: list, wait, cancel, move and preview."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.jobs.as_json import job_json
from regrow.interfaces.server.jobs.records import newest
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["jobs"])


LITTLE = 0.02
"""Seconds between two checks of a job that a caller waits for."""


class Move(BaseModel):
    """The new place of a job: before another job of the same user, or after all of them."""

    before: str | None = None


@router.get("/api/jobs")
async def jobs(
    request: Request, caller: Asker, active: bool = False, limit: Annotated[int, Query(ge=1, le=500)] = 60
) -> list[dict[str, Any]]:
    """Return the caller's jobs, newest first; with `active`, only unfinished ones."""
    worker: Worker = request.app.state.worker
    return await in_thread(_listed, worker, caller, active, limit)


@router.get("/api/jobs/{job_id}")
async def job(job_id: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Return a job."""
    worker: Worker = request.app.state.worker
    return await in_thread(lambda: job_json(worker.visible(caller, job_id), worker, caller))


@router.get("/api/jobs/{job_id}/wait")
async def wait(
    job_id: str, request: Request, caller: Asker, seconds: Annotated[float, Query(ge=0, le=600)] = 30
) -> dict[str, Any]:
    """Return a job when it is over, or in its present state after `seconds`."""
    worker: Worker = request.app.state.worker
    found = await in_thread(worker.visible, caller, job_id)
    until = time.monotonic() + seconds
    # None, as a program without cookies has no name
    with request.app.state.events.listening(None, about=("job", found.id)) as listener:
        while not (found.over or listener.ended) and (left := until - time.monotonic()) > 0:
            await listener.next(min(left, 5))
            if await request.is_disconnected():
                break
            await asyncio.sleep(LITTLE)
    return await in_thread(job_json, found, worker, caller)


@router.post("/api/jobs/{job_id}/cancel")
async def cancel(job_id: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Cancel a waiting or running job."""
    worker: Worker = request.app.state.worker
    found = await in_thread(worker.visible, caller, job_id)
    await in_thread(worker.cancel, found)
    return await in_thread(job_json, found, worker, caller)


@router.post("/api/jobs/{job_id}/move")
async def move(job_id: str, to: Move, request: Request, caller: Asker) -> dict[str, Any]:
    """Move a waiting job before another one of the same user, or after all of them."""
    worker: Worker = request.app.state.worker
    found = await in_thread(worker.visible, caller, job_id)
    before = await in_thread(worker.visible, caller, to.before) if to.before else None
    await in_thread(worker.move, found, before)
    return await in_thread(job_json, found, worker, caller)


@router.get("/api/jobs/{job_id}/preview")
async def preview(
    job_id: str, request: Request, caller: Asker, index: Annotated[int, Query(ge=0, le=3)] = 0, v: int = 0
) -> Response:
    """Return a preview of a running job, as WebP; `v` only prevents browsers from showing a cached one."""
    found = await in_thread(request.app.state.worker.visible, caller, job_id)
    previews = found.previews
    if index >= len(previews):
        raise Refused(404, "no_preview")
    return Response(previews[index], media_type="image/webp", headers={"cache-control": "no-store"})


def _listed(worker: Worker, caller: Caller, active: bool, limit: int) -> list[dict[str, Any]]:
    if active:
        found = sorted(worker.own(caller), key=lambda job: job.id, reverse=True)[:limit]
    else:
        found = []
        for noted in newest():
            if not worker.private or noted.owner == caller.owner:
                found.append(worker.job(noted.id) or noted)
            if len(found) >= limit:
                break
    return [job_json(job, worker, caller) for job in found]
