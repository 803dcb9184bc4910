"""Run a call of a tool, and answer with text, pictures and sounds."""

import asyncio
import base64
import binascii
import io
import json
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_types import AudioContent, CallToolResult, ContentBlock, ImageContent, TextContent
from pydantic import BaseModel, ValidationError

from regrow.interfaces.server import processes, uploads
from regrow.interfaces.server.assistants.tools import OTHERS, TRAIN, AddFile, ListResults, OfTraining, ShowResult
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.history.index import Wanted
from regrow.interfaces.server.history.settings import settings_of
from regrow.interfaces.server.history.thumbnails import shrunk
from regrow.interfaces.server.jobs.as_json import job_json
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.news import run_json
from regrow.interfaces.server.places import kept_path
from regrow.interfaces.server.schemas.bodies import body_of
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.threads import in_thread
from regrow.interfaces.server.trainings.begin import begin, request_of
from regrow.interfaces.server.trainings.run import own_run, run
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import readable
from regrow.messages.message import say

MOST_SHOWN = 4
"""Most results that an answer shows; others are listed only by id and address."""
MOST_BYTES = 2_000_000
"""Largest file in an answer; a larger picture is replaced by a small version."""
SIDE = 1024
"""Longest side of that small version, in pixels."""
PAUSE = 0.2
Progress = Callable[[float, float | None, str | None], Awaitable[None]]


@dataclass(frozen=True)
class Ask:
    """A call: the application's state, the caller, and the function that receives progress."""

    state: Any
    caller: Caller
    progress: Progress

    @property
    def owner(self) -> str | None:
        """The owner whose results are visible; None for all owners."""
        return self.caller.owner if self.state.private else None


async def call(ask: Ask, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
    """Answer a call of a tool.

    Raises:
        Refused, ValueError, OSError: the call fails; the sentence says why.
    """
    if tool in REQUESTS:
        settings = _checked(body_of(tool), arguments).model_dump(exclude_unset=True)
        return await _made(ask, tool, settings)
    if tool == TRAIN:
        settings = _checked(body_of(TRAIN), arguments).model_dump(exclude_unset=True)
        return _said(await in_thread(_train, ask, settings))
    if tool not in OTHERS:
        raise Refused(404, "no_tool", name=f"{tool:.80}")
    given = _checked(OTHERS[tool][0], arguments)
    return await in_thread(CALLS[tool], ask, given)


async def _made(ask: Ask, verb: str, settings: dict[str, Any]) -> CallToolResult:
    """Run a job, report its progress, and return its results; if the caller disconnects, the job is cancelled."""
    from regrow.interfaces.server.verbs.asking import submit

    worker = ask.state.worker
    job = await in_thread(submit, worker, ask.state.files, ask.caller, verb, settings)
    try:
        with ask.state.events.listening(None) as listener:
            while not (job.over or listener.ended):
                await listener.next(5)
                part, index, steps = job.progress
                await ask.progress(index, steps or None, part or job.state)
                await asyncio.sleep(PAUSE)
    except asyncio.CancelledError:
        worker.cancel(job)
        raise
    return await in_thread(_finished, ask, job)


def _finished(ask: Ask, job: Job) -> CallToolResult:
    answer = job_json(job, ask.state.worker, ask.caller)
    if answer["state"] != "done":
        return CallToolResult(content=[TextContent(text=answer["error"] or answer["state"])], is_error=True)
    facts = {name: answer[name] for name in ("id", "settings", "notes", "summary", "facts")}
    results = [_item(ask, item) for item in answer["results"]]
    files = [job.folder / name for name in job.files] or [job.folder / name for name in job.beside.values()]
    return _said(facts | {"results": results}, [path for path in files if path.is_file()])


def _item(ask: Ask, item: dict[str, Any]) -> dict[str, Any]:
    """Return the facts about a result; its path only to callers that may name files of this computer."""
    kept = ("id", "verb", "medium", "words", "source", "model", "method", "seed", "made", "url", "guess")
    place = {"path": str(kept_path(item["id"]))} if ask.state.local else {}
    return {name: item[name] for name in kept} | place


def _add_file(ask: Ask, given: AddFile) -> CallToolResult:
    if given.path:
        if not ask.state.local:
            raise Refused(403, "local_only", "path")
        path = readable(Path(given.path).expanduser())
        with path.open("rb") as file:
            return _said(uploads.keep(ask.state.files, ask.caller, file, path.name))
    try:
        data = base64.b64decode(given.data, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Refused(422, "no_base64", "data") from problem
    return _said(uploads.keep(ask.state.files, ask.caller, io.BytesIO(data), given.name))


def _list_models(ask: Ask, _: BaseModel) -> CallToolResult:
    kept = ("name", "medium", "about", "licence", "abilities", "steps", "guidance", "extent", "problem")
    entries = [entry.model_dump() for entry in ask.state.catalogue.entries()]
    models = [{key: entry[key] for key in kept} for entry in entries]
    return _said({"models": [one | {"about": one["about"].get(ask.caller.language, "")} for one in models]})


def _list_results(ask: Ask, given: ListResults) -> CallToolResult:
    page = ask.state.history.page(Wanted(ask.owner, given.search, limit=given.limit))
    return _said({"results": [_item(ask, item.model_dump()) for item in page.items], "more": page.more})


def _show_result(ask: Ask, given: ShowResult) -> CallToolResult:
    record, item, _ = ask.state.history.item(ask.caller, given.id)
    settings = settings_of(record, given.id, ask.state.files, ask.caller)["settings"]
    return _said(_item(ask, item.model_dump()) | {"settings": settings}, [kept_path(given.id)])


def _train(ask: Ask, settings: dict[str, Any]) -> dict[str, Any]:
    found = begin(request_of(settings, ask.state.local, ask.owner, ask.caller.language), ask.caller.owner)
    ask.state.trainings.wake()
    return _training(found.name, ask)


def _show_training(ask: Ask, given: OfTraining) -> CallToolResult:
    return _said(_training(own_run(given.name, ask.owner).name, ask))


def _stop_training(ask: Ask, given: OfTraining) -> CallToolResult:
    own_run(given.name, ask.owner)
    if not processes.stop(given.name):
        raise Refused(409, "training_not_at_work", name=given.name)
    ask.state.trainings.wake()
    return _said(_training(given.name, ask))


def _training(name: str, ask: Ask) -> dict[str, Any]:
    return {key: value for key, value in run_json(run(name), ask.caller).items() if key != "losses"}


CALLS: dict[str, Callable[[Ask, Any], CallToolResult]] = {
    "add_file": _add_file,
    "list_models": _list_models,
    "list_results": _list_results,
    "show_result": _show_result,
    "show_training": _show_training,
    "stop_training": _stop_training,
}


def _checked(kind: type[BaseModel], arguments: Mapping[str, Any]) -> BaseModel:
    try:
        return kind.model_validate(dict(arguments))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "arguments"
        raise ValueError(
            say("argument_wrong", place=place, problem=first["msg"], given=first.get("input"))
        ) from problem


def _said(facts: dict[str, Any], files: list[Path] | None = None) -> CallToolResult:
    """Return facts as JSON, and the contents of picture and sound files."""
    shown = [block for path in (files or [])[:MOST_SHOWN] if (block := _shown(path))]
    text = TextContent(text=json.dumps(facts, ensure_ascii=False))
    return CallToolResult(content=[text, *shown], structured_content=facts)


def _shown(path: Path) -> ContentBlock | None:
    """Return a picture, or a sound that is not too large; None for other files."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    small = path.stat().st_size <= MOST_BYTES
    if path.suffix.lower() in SOUNDS.suffixes:
        return AudioContent(data=_base64(path.read_bytes()), mime_type=kind) if small else None
    if not kind.startswith("image/"):
        return None
    data, kind = (path.read_bytes(), kind) if small else (shrunk(path, SIDE), "image/webp")
    return ImageContent(data=_base64(data), mime_type=kind)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
