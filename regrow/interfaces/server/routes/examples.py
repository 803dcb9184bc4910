"""The built-in examples, as files of the caller."""

from typing import Any

from fastapi import APIRouter, Request

from regrow.interfaces.server.examples import examples_for
from regrow.interfaces.server.sessions import Asker
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["files"])


@router.get("/api/examples")
async def examples(request: Request, caller: Asker) -> list[dict[str, Any]]:
    """List example files, each with a source prompt (`source`) and a target prompt (`words`)."""
    return await in_thread(examples_for, request.app.state.files, caller)
