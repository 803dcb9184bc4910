"""Hostile inputs for the server: damaged records in its home, project files, and calls with any types."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from regrow.benchmark.hostile.homes import home_at
from regrow.benchmark.hostile.kind import AnswerError, Kind, write_json
from regrow.benchmark.hostile.media_kinds import write_picture
from regrow.interfaces.server import processes
from regrow.interfaces.server.app import build
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.history.presets import Preset, Presets
from regrow.interfaces.server.jobs.events import Events
from regrow.interfaces.server.jobs.records import unfinished
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.login import Login
from regrow.interfaces.server.news import keep_watch
from regrow.interfaces.server.places import made, page
from regrow.interfaces.server.schemas.requests import FORMS

JOB = "20260101-000000-000001-0123456789abcdef"
WAITING = JOB.replace("1-0", "2-0")
UPLOAD = "0" * 32 + ".png"
RESULT = f"{JOB}/a-cat-1.png"
ROADS = (
    "/api/jobs", "/api/jobs?active=true", f"/api/jobs/{JOB}", "/api/history", "/api/history?search=cat&starred=true",
    "/api/presets", "/api/presets/mine", f"/api/results/{RESULT}", f"/api/results/{RESULT}/thumbnail",
    f"/api/history/{RESULT}/settings", f"/api/project?item={RESULT}", "/api/trainings", "/api/trainings/mine",
    "/api/trainings/mine/samples", "/api/models/pull", "/api/sets", "/api/models", "/",
)  # fmt: skip
"""Addresses that the page requests by itself, or when its user acts."""
CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/command", {"verb": "edit", "settings": {"image": UPLOAD, "target": ["a dog"]}}),
    ("POST", "/api/words", {"text": "a cat", "model": "", "medium": "picture", "source": "", "verb": "edit"}),
    ("POST", "/api/tune", {"tune": "C4 D4", "lyrics": "la la", "seed": 0, "bpm": 90, "key": "C major", "singer": ""}),
    ("POST", "/api/frame", {"image": UPLOAD, "target": ["a dog"], "size": [64, 64], "tiles": True}),
    ("PATCH", f"/api/history/{RESULT}", {"starred": True, "boards": ["cats"]}),
    ("PUT", "/api/presets/mine", {"verb": "edit", "settings": {"strength": 0.5}, "style": "{prompt}, in oil"}),
    ("POST", f"/api/jobs/{JOB}/move", {"before": JOB}),
    ("POST", f"/api/jobs/{JOB}/cancel", None),
    ("GET", f"/api/jobs/{JOB}/wait?seconds=0", None),
    ("GET", "/api/history?limit=5&before=" + RESULT, None),
    ("GET", "/api/models/fit?name=storybook", None),
    ("POST", "/api/models/add", {"path": "/nowhere", "name": "x", "base": ""}),
    ("POST", "/api/train?dry_run=false", {"name": "bad name/", "data": None, "steps": 1}),
    ("POST", "/api/sets/mine?name=a.txt", None),
)
"""Calls that change something or compute; none starts a process, uses the network, or opens a file outside the home."""


@contextmanager
def _client() -> Iterator[TestClient]:
    """Yield a test client of a server that runs no jobs."""
    events, files = Events(), Files(private=False)
    history = History(False)
    worker = _idle(events, history)
    for job in unfinished(worker.began):  # a new server takes up unfinished jobs
        worker.jobs[job.id] = job
    worker.taken_up.set()
    app = _app()
    app.state.worker, app.state.files, app.state.events, app.state.history = worker, files, events, history
    keep_watch(app, events, private=False)
    try:
        with TestClient(app, "http://127.0.0.1:1", raise_server_exceptions=False) as client:
            yield client
    finally:
        history.close()


@cache
def _app() -> FastAPI:
    """Return the application that attempts share, each with its own state, as making routes takes long."""
    history = History(False)
    return build(_idle(Events(), history), Files(private=False), Events(), local=False)


def _idle(events: Events, history: History) -> Worker:
    """Return a worker that is never started, so that its jobs keep waiting."""
    return Worker([], events, history)


def _check(answer: Any, road: str) -> None:
    """Raise for an answer that is neither the requested content nor a sentence."""
    if answer.status_code == 507 or answer.status_code < 400:
        return
    said = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if answer.status_code >= 500 or not isinstance(said, dict) or set(said) != {"error", "field"}:
        raise AnswerError(f"{road}: {answer.status_code} {answer.text[:1000]}")
    if len(said["error"]) > 1500:
        raise AnswerError(f"{road}: a sentence of {len(said['error'])} letters")


def _make_records(folder: Path) -> None:
    """Write a home with one record of each kind."""
    with home_at(folder / "home"):
        job = made() / JOB
        job.mkdir(parents=True)
        write_picture(job / "a-cat-1.png")
        noted = {
            "id": JOB, "owner": "me", "verb": "generate", "settings": {"prompt": "a cat", "seed": 1, "image": UPLOAD},
            "by_id": False, "state": "done", "files": ["a-cat-1.png"], "beside": {},
            "facts": {"items": {}, "guess": []},
            "notes": ["A.", {"say": "wrote", "with": {"path": "x"}, "text": "wrote x"}], "summary": "", "error": "",
            "tries": 1, "took": 1.5,
        }  # fmt: skip
        write_json(job / "job.json", noted)
        write_json(
            job / "marks.json", {"results": {"a-cat-1.png": {"starred": True, "boards": ["b"], "deleted": None}}}
        )
        write_json(
            made() / JOB.replace("1-0", "2-0") / "job.json",
            noted | {"id": JOB.replace("1-0", "2-0"), "state": "waiting"},
        )
        Presets(None).put(Preset(name="mine", verb="edit", settings={"strength": 0.5}))
        write_json(page() / "processes" / "mine.json", {"pid": 2, "began": 1.0, "command": ["train"], "owner": ""})
        write_json(page() / "processes" / ".pull.json", {"pid": 2, "began": 1.0, "command": ["models", "pull", "a/b"]})
        line = '{"share": 0.5, "seconds": 3, "notes": ["A."]}\n'
        (page() / "processes" / "mine.log").write_text(line)
        pulling = folder / "home" / "models" / ".pulling" / "a--b"
        write_json(pulling / "pull.json", {"repo": "a/b"})
        run = folder / "home" / "runs" / "mine"
        write_json(run / "request.json", {"name": "mine", "data": None})
        (run / "denoiser").mkdir()
        (run / "denoiser" / "log.jsonl").write_text('{"step": 1, "loss": 0.5, "seconds": 1.0, "samples": 4}\n' * 2)
        with _client() as client:
            client.get("/api/history")  # writes the index
            client.get("/api/models")
        Login("eight letters", page() / "sessions.json").begin()
        (page() / "pictures").mkdir()
        write_picture(page() / "pictures" / UPLOAD)


def _read_records(folder: Path, name: str) -> None:
    processes.all_started()
    if name.endswith("sessions.json"):  # a check takes long, as it hashes a password
        Login("eight letters", page() / "sessions.json").knows("x")
    with _client() as client:
        for road in ROADS:
            _check(client.get(road), road)
        changed = client.patch(f"/api/history/{RESULT}", json={"starred": False})
        _check(changed, "a mark")


def _make_project(folder: Path) -> None:
    listed = {
        "regrow": "1", "format": 1, "inputs": [UPLOAD],
        "jobs": [{"id": JOB, "verb": "edit", "settings": {"image": UPLOAD, "target": ["a dog"]}, "files": ["a-1.png"],
                  "beside": {"mask": "beside/m.png"}, "notes": ["A."], "facts": {}, "summary": "", "took": 1.0,
                  "marks": {"a-1.png": {"starred": True, "boards": ["b"], "deleted": None}}}],
    }  # fmt: skip
    write_picture(folder / "a.png")
    picture = (folder / "a.png").read_bytes()
    (folder / "a.png").unlink()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", json.dumps(listed))
        for name in (f"inputs/{UPLOAD}", f"jobs/{JOB}/a-1.png", f"jobs/{JOB}/beside/m.png"):
            archive.writestr(name, picture)
    (folder / "project.zip").write_bytes(packed.getvalue())


def _read_project(folder: Path, name: str) -> None:
    if not (folder / name).is_file() or (folder / name).is_symlink():
        return
    with _client() as client:
        answer = client.post("/api/project", content=(folder / name).read_bytes())
        _check(answer, "/api/project")
        for road in ROADS[:5]:
            _check(client.get(road), road)


def _make_calls(folder: Path) -> None:
    _make_records(folder)
    for i, (method, path, body) in enumerate(CALLS):
        write_json(folder / "calls" / f"{i}.json", {"method": method, "path": path, "body": body})
    for verb, kind in FORMS.items():
        if verb in ("train", "models_pull"):
            continue
        settings = {field.name: field.default for field in fields(kind) if field.default is not MISSING}
        required = [field.name for field in fields(kind) if field.name not in settings]
        settings |= dict.fromkeys(required, UPLOAD)
        settings = {name: value for name, value in settings.items() if not isinstance(value, Path)}
        write_json(folder / "calls" / f"{verb}.json", {"method": "POST", "path": f"/api/{verb}", "body": settings})


def _read_call(folder: Path, name: str) -> None:
    try:
        call = json.loads((folder / name).read_bytes())
        method, path, body = call["method"], call["path"], call["body"]
        content = None if body is None else json.dumps(body).encode("utf-8", "surrogatepass")
    except (ValueError, TypeError, KeyError, RecursionError):
        method, path, content = "POST", f"/api/{Path(name).stem}", (folder / name).read_bytes()
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE") or not isinstance(path, str):
        method, path = "POST", f"/api/{Path(name).stem}"
    with _client() as client:
        try:
            request = client.build_request(method, path, content=content, headers={"content-type": "application/json"})
        except Exception:  # an address that no client can send
            return
        if request.url.host == "127.0.0.1":
            _check(client.send(request), path)


def server_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""
    records = (
        "home/page/made/*.json", "home/page/presets/*", "home/page/processes/*", "home/page/*.sqlite",
        "home/page/*.json", "home/runs/*", "home/models/.pulling/*", "home/folders.json",
    )  # fmt: skip
    return (
        Kind("records", _make_records, records, _read_records, 2.0),
        Kind("projects", _make_project, ("*.zip",), _read_project),
        Kind("calls", _make_calls, ("calls/*",), _read_call, 2.0, places=False),
    )
