"""Presets: named settings."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from regrow.interfaces.server.history.presets import MOST_SETTINGS, Preset, Presets
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread

router = APIRouter(tags=["presets"])
Name = Annotated[str, Path(min_length=1, max_length=80)]


class PresetBody(BaseModel):
    """A preset; its name is in the address, and a name here is ignored."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=80)
    verb: str = Field(min_length=1, max_length=40)
    settings: dict[str, Any] = Field(default_factory=dict, max_length=MOST_SETTINGS)
    style: str = Field(default="", max_length=2000)


def presets_of(request: Request, caller: Caller) -> Presets:
    """Return the presets of a caller."""
    return Presets(caller.owner if request.app.state.private else None)


@router.get("/api/presets")
async def listing(request: Request, caller: Asker) -> list[Preset]:
    """List all presets, by name."""
    return await in_thread(presets_of(request, caller).list)


@router.get("/api/presets/{name:path}")
async def preset(name: Name, request: Request, caller: Asker) -> Preset:
    """Return a preset."""
    return await in_thread(presets_of(request, caller).get, name)


@router.put("/api/presets/{name:path}")
async def keep(name: Name, body: PresetBody, request: Request, caller: Asker) -> Preset:
    """Store a preset; one of the same name is replaced."""
    kept = Preset(**{**body.model_dump(), "name": name})
    await in_thread(presets_of(request, caller).put, kept)
    return kept


@router.delete("/api/presets/{name:path}")
async def delete(name: Name, request: Request, caller: Asker) -> dict[str, str]:
    """Delete a preset."""
    await in_thread(presets_of(request, caller).delete, name)
    return {"deleted": name}
