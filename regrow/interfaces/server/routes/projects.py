"""Project files: download and upload sessions."""

from typing import IO
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from regrow.interfaces.server.history.items import Item
from regrow.interfaces.server.projects.read import read_project
from regrow.interfaces.server.projects.write import write_project
from regrow.interfaces.server.receiving import received
from regrow.interfaces.server.routes.history import history_of
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["history"])


class Added(BaseModel):
    """The results of a project file."""

    items: list[Item]


@router.get("/api/project")
async def project(item: str, request: Request, caller: Asker) -> Response:
    """Return a zip of a result's session: its input, all results made from it, recipes, settings and stars."""
    path = await in_thread(write_project, history_of(request), request.app.state.files, caller, item)
    name = quote(f"regrow-{item.rpartition('/')[2].rpartition('.')[0]}.zip")
    headers = {"content-disposition": f"attachment; filename*=utf-8''{name}", "cache-control": "private, no-store"}
    return FileResponse(path, media_type="application/zip", headers=headers, background=BackgroundTask(path.unlink))


@router.post("/api/project", openapi_extra={"requestBody": {"content": {"application/zip": {}}}})
async def add(request: Request, caller: Asker) -> Added:
    """Add the content of a project file, sent as the body, to the history."""
    async with received(request) as file:
        return Added(items=await in_thread(_read, file, request, caller))


def _read(file: IO[bytes], request: Request, caller: Caller) -> list[Item]:
    return read_project(file, history_of(request), request.app.state.files, caller)
