"""Trainings: start, watch, stop and resume; and their sets of training files."""

import time
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, Response

from regrow.interfaces.server import processes
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.news import run_json
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread
from regrow.interfaces.server.trainings import sets
from regrow.interfaces.server.trainings.begin import begin, request_of
from regrow.interfaces.server.trainings.command import command_of
from regrow.interfaces.server.trainings.run import Run, newest_grid, own_run, run, runs
from regrow.interfaces.server.trainings.sets import FileSet
from regrow.interfaces.server.watch import Watch

router = APIRouter(tags=["trainings"])
PATIENCE = 600.0
"""Time limit of a dry run in seconds."""
PAUSE = 0.2


def watch_of(request: Request) -> Watch:
    """Return the watch that reports trainings to the page."""
    return request.app.state.trainings


@router.post("/api/train", status_code=202)
async def train(settings: dict[str, Any], request: Request, caller: Asker) -> dict[str, Any]:
    """Start a training with the settings of `regrow train`; it continues if the page or the server ends.

    `data` is the name of an uploaded set, or a folder if the page is open to this computer alone. With `dry_run`,
    nothing is started: the answer has an empty name, and says what would be done and how long it would take.
    """
    training = await in_thread(request_of, settings, request.app.state.local, _owner(request, caller), caller.language)
    if training.dry_run:
        return await _dry_run(command_of(training), caller)
    found = await in_thread(begin, training, caller.owner)
    watch_of(request).wake()
    return run_json(found, caller)


@router.get("/api/trainings")
async def listing(request: Request, caller: Asker) -> list[dict[str, Any]]:
    """List the trainings, newest first."""
    names = await in_thread(runs, _owner(request, caller))
    found = [await in_thread(run, name) for name in names]
    if any(one.state == "running" for one in found):
        watch_of(request).wake()
    return [run_json(one, caller) for one in found]


@router.get("/api/trainings/{name}")
async def training(name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Return a training."""
    return run_json(await in_thread(own_run, name, _owner(request, caller)), caller)


@router.post("/api/trainings/{name}/stop")
async def stop(name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Ask a training to save and stop; it can be resumed."""
    await in_thread(own_run, name, _owner(request, caller))
    if not await in_thread(processes.stop, name):
        raise Refused(409, "training_not_at_work", name=name)
    watch_of(request).wake()
    return run_json(await in_thread(run, name), caller)


@router.post("/api/trainings/{name}/resume", status_code=202)
async def resume(name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Resume a training that was stopped or killed."""
    found = await in_thread(own_run, name, _owner(request, caller))
    if found.state == "running":
        raise Refused(409, "training_at_work", name=name)
    await in_thread(processes.start, name, ["train", f"--resume={name}", "--json"], caller.owner)
    watch_of(request).wake()
    return run_json(await in_thread(run, name), caller)


@router.get("/api/trainings/{name}/samples")
async def samples(name: str, request: Request, caller: Asker) -> Response:
    """Return the newest grid of samples."""
    await in_thread(own_run, name, _owner(request, caller))
    grid = await in_thread(newest_grid, name)
    if grid is None:
        raise Refused(404, "no_samples", name=name)
    return FileResponse(grid, headers={"cache-control": "private, no-cache"})


@router.get("/api/sets")
async def all_sets(request: Request, caller: Asker) -> list[FileSet]:
    """List the uploaded sets of training files."""
    return await in_thread(sets.listed, _owner(request, caller))


@router.post(
    "/api/sets/{name}",
    status_code=201,
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}},
)
async def add_to_set(
    name: str, request: Request, caller: Asker, file: Annotated[str, Query(alias="name", max_length=400)]
) -> FileSet:
    """Add a file, sent as the body, to a set; one of the same name is replaced."""
    return await in_thread(sets.add, _owner(request, caller), name, file, await request.body())


@router.delete("/api/sets/{name}")
async def delete_set(name: str, request: Request, caller: Asker) -> dict[str, str]:
    """Delete a set of files."""
    await in_thread(sets.delete, _owner(request, caller), name)
    return {"deleted": name}


def _owner(request: Request, caller: Caller) -> str | None:
    return caller.owner if request.app.state.private else None


async def _dry_run(command: list[str], caller: Caller) -> dict[str, Any]:
    key = f".dry-run-{caller.owner[:16]}"
    await in_thread(processes.stop, key)
    await in_thread(processes.start, key, command, caller.owner)
    end = time.monotonic() + PATIENCE
    while await in_thread(processes.running, key) is not None and time.monotonic() < end:
        await anyio.sleep(PAUSE)
    said = "\n".join(processes.sentences(await in_thread(processes.output, key)))
    one = Run(name="", state="stopped", step=0, loss=None, rate=None, left=None, losses=[], samples=None, said=said)
    return run_json(one, caller)
