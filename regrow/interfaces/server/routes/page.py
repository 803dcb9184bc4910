"""The page and its files, which are the same for all callers, and the documentation of the API."""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from regrow.interfaces.server.api_page import api_page
from regrow.interfaces.server.threads import in_thread

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parents[2] / "page"
ANEW = {"cache-control": "no-cache"}
"""Revalidated on each use, so that a newer regrow has a newer page; unchanged files are not sent again."""
for ending, kind in ((".js", "text/javascript"), (".css", "text/css"), (".svg", "image/svg+xml")):
    mimetypes.add_type(kind, ending)  # some systems map scripts to plain text, which browsers do not run


class _PageFiles(StaticFiles):
    def file_response(self, *args: Any, **settings: Any) -> Response:
        answer = super().file_response(*args, **settings)
        answer.headers.update(ANEW)
        return answer


def page_files() -> StaticFiles:
    """Return the application that serves the page's scripts, styles and texts."""
    return _PageFiles(directory=FOLDER)


@router.get("/")
@router.head("/")
async def index() -> Response:
    """Return the page."""
    return FileResponse(FOLDER / "index.html", headers=ANEW)


@router.get("/docs")
async def documentation(request: Request) -> Response:
    """Return a list of all addresses of the API, made from /openapi.json."""
    return HTMLResponse(await in_thread(api_page, request.app.openapi()))
