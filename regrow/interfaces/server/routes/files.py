"""Uploads and results, by their ids."""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from regrow.interfaces.server import uploads
from regrow.interfaces.server.drawings import preview_of
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.history.thumbnails import thumbnail as drawn
from regrow.interfaces.server.receiving import received
from regrow.interfaces.server.sessions import Asker
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["files"])
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
"""Cached forever, as uploads are named by their hash and results never change; private, as only the caller may see
them."""


@router.post("/api/files", openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
async def upload(request: Request, caller: Asker, name: str = "file") -> dict[str, Any]:
    """Store a picture, a sound or a tune, sent as the body, and return its description."""
    async with received(request) as body:
        return await in_thread(uploads.keep, request.app.state.files, caller, body, name)


@router.get("/api/files/{file_id}")
async def uploaded(file_id: str, request: Request, caller: Asker) -> Response:
    """Return an upload unchanged."""
    return _sent(await in_thread(request.app.state.files.own, caller, file_id))


@router.get("/api/files/{file_id}/about")
async def about(file_id: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Return the description of an upload."""
    files = request.app.state.files
    path = await in_thread(files.own, caller, file_id)
    return await in_thread(uploads.with_recipe, files, caller, path)


@router.get("/api/files/{file_id}/preview")
async def preview(file_id: str, request: Request, caller: Asker) -> Response:
    """Return a preview of an upload; that of a sound shows waveform and mel spectrogram."""
    path = await in_thread(request.app.state.files.own, caller, file_id)
    return _sent(await in_thread(preview_of, path))


@router.get("/api/results/{job_id}/{name}")
async def result(job_id: str, name: str, request: Request, caller: Asker) -> Response:
    """Return a result of a job."""
    return _sent(await in_thread(request.app.state.files.own, caller, f"{job_id}/{name}"))


@router.get("/api/results/{job_id}/{name}/thumbnail")
async def thumbnail(job_id: str, name: str, request: Request, caller: Asker) -> Response:
    """Return the thumbnail of a result."""
    file_id = f"{job_id}/{name}"
    await in_thread(request.app.state.files.own, caller, file_id)
    record = await in_thread(request.app.state.worker.job, job_id)  # running jobs may have results, too
    if record is None:
        raise Refused(404, "no_file", file=file_id)
    return _sent(await in_thread(drawn, record, name))


@router.get("/api/results/{job_id}/beside/{name}")
async def beside(job_id: str, name: str, request: Request, caller: Asker) -> Response:
    """Return a file that is shown beside a job's results."""
    return _sent(await in_thread(request.app.state.files.own, caller, f"{job_id}/beside/{name}"))


def _sent(path: Path) -> Response:
    """Answer with a file; browsers download any that is not a plain picture or sound instead of showing it."""
    kind = mimetypes.guess_type(path.name)[0] or ""
    plain = kind.startswith(("image/", "audio/")) and kind != "image/svg+xml"
    return FileResponse(path, media_type=kind if plain else "application/octet-stream", headers=FOREVER)
