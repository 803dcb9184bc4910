"""`GET /api/schemas`: the forms of all requests."""

from typing import Any

from fastapi import APIRouter

from regrow.interfaces.server.sessions import Asker
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["forms"])


@router.get("/api/schemas")
async def schemas(caller: Asker, lang: str = "") -> dict[str, Any]:
    """Return the form of every request by its verb, in English or Chinese: fields, defaults, ranges, choices."""
    from regrow.interfaces.server.schemas.forms import forms

    return await in_thread(forms, "zh" if (lang or caller.language).startswith("zh") else "en")
