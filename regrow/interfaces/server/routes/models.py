"""Models: list, describe, download, add and remove."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from regrow.interfaces.server import processes
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.models.catalogue import Catalogue
from regrow.interfaces.server.models.entry import Entry, card_of
from regrow.interfaces.server.models.pull import NAME, pull_now, start_pull
from regrow.interfaces.server.news import pull_json
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread
from regrow.interfaces.server.trainings.run import is_of
from regrow.interfaces.server.watch import Watch
from regrow.interfaces.server.wording import worded

router = APIRouter(tags=["models"])


class Repository(BaseModel):
    """What to download from the Hugging Face hub."""

    model_config = ConfigDict(extra="forbid")
    repo: str = Field(max_length=200)
    name: str = Field(default="", max_length=200)
    file: str = Field(default="", max_length=500)


class Place(BaseModel):
    """A folder or a weight file of this computer; `name` and `base` are for a file."""

    model_config = ConfigDict(extra="forbid")
    path: str = Field(min_length=1, max_length=4000)
    name: str = Field(default="", max_length=200)
    base: str = Field(default="", max_length=500)


def catalogue_of(request: Request) -> Catalogue:
    """Return the server's list of models."""
    return request.app.state.catalogue


def watch_of(request: Request) -> Watch:
    """Return the watch that reports downloads to the page."""
    return request.app.state.pulls


@router.get("/api/models")
async def listing(request: Request, caller: Asker) -> list[dict[str, Any]]:
    """List all models; `problem` says why a model cannot be opened."""
    entries = await in_thread(catalogue_of(request).entries)
    return [_worded(entry, caller) for entry in entries]


@router.get("/api/models/pull")
async def pulling(request: Request, caller: Asker) -> dict[str, Any]:
    """Return the state of the last download, or of an interrupted one."""
    found = await in_thread(pull_now)
    if found.state == "running":
        watch_of(request).wake()
    return pull_json(found, caller)


@router.post("/api/models/pull", status_code=202)
async def pull(body: Repository, request: Request, caller: Asker) -> dict[str, Any]:
    """Download a model from the hub, or resume an interrupted download; `models` events report its progress."""
    found = await in_thread(start_pull, body.repo.strip(), body.name.strip(), body.file.strip(), caller.owner)
    watch_of(request).wake()
    return pull_json(found, caller)


@router.post("/api/models/pull/stop")
async def stop_pull(request: Request, caller: Asker) -> dict[str, Any]:
    """Stop the download; the same request resumes it later."""
    await in_thread(processes.stop, NAME)
    watch_of(request).wake()
    return pull_json(await in_thread(pull_now), caller)


@router.get("/api/models/fit")
async def fit(name: str, caller: Asker) -> dict[str, Any]:
    """Return what a model needs on this machine, without downloading it: `facts`, and `lines` to show."""
    return await in_thread(_fit, name, caller)


@router.post("/api/models/add", status_code=201)
async def add(body: Place, request: Request, caller: Asker) -> dict[str, Any]:
    """Use a model, or a folder of checkpoints, in its place; only if the page is open to this computer alone."""
    if not request.app.state.local:
        raise Refused(403, "local_only", "path")
    added = await in_thread(_add, Path(body.path).expanduser(), body.name.strip(), body.base.strip())
    await in_thread(catalogue_of(request).refresh)
    return added


@router.get("/api/models/{name:path}")
async def model(name: str, request: Request, caller: Asker) -> dict[str, Any]:
    """Return the facts about a model: its list entry, `card` as Markdown, parts, noise levels, words, training."""
    entries = await in_thread(catalogue_of(request).entries)
    entry = next((entry for entry in entries if entry.name == name), None)
    if entry is None:
        raise Refused(404, "no_model", name=f"{name:.80}")
    return _worded(entry, caller) | await in_thread(_known, entry, request.app.state.local, caller)


@router.delete("/api/models/{name:path}")
async def remove(name: str, request: Request, caller: Asker) -> dict[str, str]:
    """Remove a model with the training that made it, or an interrupted download."""
    if request.app.state.private and not await in_thread(is_of, name, caller.owner):
        raise Refused(403, "only_own_models")
    await in_thread(_remove, name)
    await in_thread(catalogue_of(request).refresh)
    return {"removed": name}


def _worded(entry: Entry, caller: Caller) -> dict[str, Any]:
    found = entry.model_dump()
    about, problem = entry.about.get(caller.language, ""), worded(entry.problem, caller.language)
    return found | {"about": about, "problem": problem if entry.problem else ""}


def _fit(name: str, caller: Caller) -> dict[str, Any]:
    from regrow.benchmark.peak import matrix_peak
    from regrow.hub.fit import fit
    from regrow.interfaces.fit_verb import fit_facts, fit_lines

    found = fit(name, matrix_peak)
    facts = {key: value for key, value in fit_facts(found).items() if key != "folder"}
    return {"facts": facts, "lines": [[label, worded(text, caller.language)] for label, text in fit_lines(found)]}


def _add(path: Path, name: str, base: str) -> dict[str, Any]:
    from regrow.interfaces.add_verb import added
    from regrow.models.folder import is_model

    if is_model(path) and not base:
        return {"added": _link(path.resolve(), name or path.resolve().name)}
    return added(path, name, base, allow_pickle=False)[0]


def _link(folder: Path, name: str) -> str:
    """Add a link to a model's folder to the user's models; the folder stays in its place."""
    from regrow.models.open import list_models, open_model, plain_name, user_models

    if any(listed.name == plain_name(name) for listed in list_models()):
        raise Refused(409, "training_name_taken", "name", name=name)
    open_model(folder)
    user_models().mkdir(parents=True, exist_ok=True)
    (user_models() / name).symlink_to(folder)
    return name


def _known(entry: Entry, local: bool, caller: Caller) -> dict[str, Any]:
    from regrow.interfaces.models_verbs import model_facts
    from regrow.models.open import open_model

    try:
        model = open_model(entry.name, download=False)
    except ValueError:  # `problem` gives the reason
        return {"card": ""}
    facts = model_facts(model)
    hidden = () if local else ("folder", "elsewhere")
    facts["notes"] = [worded(note, caller.language) for note in facts["notes"]]
    return {key: value for key, value in facts.items() if key not in hidden} | {"card": card_of(model)}


def _remove(name: str) -> None:
    from regrow.hub import publish, pulling

    if any(one.repo == name for one in pulling.unfinished_pulls()):
        pulling.forget(name)
    else:
        publish.remove(name)
