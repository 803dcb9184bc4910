"""The history of results: stars, boards, trash, and settings to restore a form."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from regrow.interfaces.server import stored
from regrow.interfaces.server.history.history import MOST_BOARDS, History
from regrow.interfaces.server.history.index import Wanted
from regrow.interfaces.server.history.items import Item
from regrow.interfaces.server.history.settings import settings_of
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["history"])
MOST = 500
"""Most results in one answer."""


class Board(BaseModel):
    """A board, with the number of its results."""

    name: str
    count: int


class Listing(BaseModel):
    """A page of the history.

    Attributes:
        items: newest first.
        more: whether there are older ones.
        boards: all boards of the caller's results.
        damaged: records that could not be read and were set aside since the server started.
    """

    items: list[Item]
    more: bool
    boards: list[Board]
    damaged: list[stored.Damaged]


class Marking(BaseModel):
    """Changes of a result's marks; omitted fields stay unchanged."""

    model_config = ConfigDict(extra="forbid")
    starred: bool | None = None
    boards: Annotated[list[str], Field(max_length=MOST_BOARDS * 2)] | None = None


def history_of(request: Request) -> History:
    """Return the server's history."""
    return request.app.state.history


@router.get("/api/history")
async def listing(
    request: Request,
    caller: Asker,
    search: Annotated[str, Query(max_length=500)] = "",
    board: Annotated[str, Query(max_length=200)] = "",
    starred: bool = False,
    medium: Annotated[str, Query(max_length=40)] = "",
    verb: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[str, Query(max_length=400)] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 60,
) -> Listing:
    """List results, newest first.

    Args:
        search: words that must all occur in a result's prompts, model or boards, in any order and case.
        board: that the results are on.
        starred: only those with a star.
        medium: picture or sound.
        verb: that made them.
        before: the id of the last known result, to list older ones.
        limit: largest number of results.
    """
    history = history_of(request)
    wanted = Wanted(history.owner_of(caller), search, board, starred, medium, verb, before, limit)
    page = await in_thread(history.page, wanted)
    boards = [Board(name=name, count=count) for name, count in page.boards]
    damaged = [] if history.private else stored.damaged()  # a damaged record does not tell its owner
    return Listing(items=page.items, more=page.more, boards=boards, damaged=damaged)


@router.patch("/api/history/{job}/{name}")
async def mark(job: str, name: str, marking: Marking, request: Request, caller: Asker) -> Item:
    """Set the star or the boards of a result."""
    changes = {"starred": marking.starred, "boards": marking.boards}
    return await in_thread(history_of(request).mark, caller, f"{job}/{name}", **changes)


@router.delete("/api/history/{job}/{name}")
async def delete(job: str, name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Move a result to the trash, from which it can be restored for a day."""
    await in_thread(history_of(request).delete, caller, f"{job}/{name}")
    return {"deleted": f"{job}/{name}"}


@router.post("/api/history/{job}/{name}/restore")
async def restore(job: str, name: str, request: Request, caller: Asker) -> Item:
    """Restore a result from the trash."""
    return await in_thread(history_of(request).restore, caller, f"{job}/{name}")


@router.get("/api/history/{job}/{name}/settings")
async def settings(job: str, name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Return the content of the form that made a result: {verb, settings, input, mask, complete}.

    `input` and `mask` are files, or null if there are none; `complete` is false if a file no longer exists.
    """
    return await in_thread(_settings, request, caller, f"{job}/{name}")


def _settings(request: Request, caller: Caller, item: str) -> dict[str, Any]:
    record, _, _ = history_of(request).item(caller, item)
    return settings_of(record, item, request.app.state.files, caller)
