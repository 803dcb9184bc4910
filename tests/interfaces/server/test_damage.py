"""Whatever lies in the place of a record: the server goes on, says a sentence, and serves all that is whole."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from record_api import Api, job
from starlette.testclient import TestClient

from regrow.interfaces.server import processes

DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "null": lambda path: path.write_bytes(b"null"),
    "deep": lambda path: path.write_bytes(b"[" * 200_000),
    "deep objects": lambda path: path.write_bytes(b'{"a":' * 100_000),
    "a huge number": lambda path: path.write_bytes(b'{"step": 1%s}' % (b"0" * 10_000)),
    "not finite": lambda path: path.write_bytes(b'{"step": NaN, "loss": Infinity}'),
    "broken letters": lambda path: path.write_bytes(b"\xff\xfe\x00" * 50),
    "half letters": lambda path: path.write_bytes(b'{"name": "\\ud800", "verb": "\\ud800", "settings": {}}'),
    "a folder": lambda path: path.mkdir(),
    "a link out": lambda path: path.symlink_to("/etc/passwd"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a pipe": os.mkfifo,
}
ROADS = (
    "/api/jobs", "/api/jobs/{job}", "/api/history", "/api/history?search=cat&starred=true", "/api/presets",
    "/api/presets/mine", "/api/results/{job}/a-cat-1.png", "/api/results/{job}/a-cat-1.png/thumbnail",
    "/api/history/{job}/a-cat-1.png/settings", "/api/project?item={job}/a-cat-1.png", "/api/trainings",
    "/api/trainings/mine", "/api/trainings/mine/samples", "/api/models/pull", "/api/sets",
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def filled(home: Path) -> tuple[str, dict[str, Path]]:
    """A home with one of each record; the id of its job, and the records by what they are."""
    shutil.rmtree(home, ignore_errors=True)
    with Api().caller() as client:
        made = job(1, facts={"took": 1.0}, took=1.0, beside={"mask": "beside/mask.png"}, notes=["A note."])
        job(2)
        client.app.state.history.refresh(made)  # pyright: ignore
        assert client.patch(f"/api/history/{made}/a-cat-1.png", json={"starred": True}).status_code == 200
        kept = {"verb": "edit", "settings": {"strength": 0.5}, "style": "{prompt}, in oil"}
        assert client.put("/api/presets/mine", json=kept).status_code == 200
    run = home / "runs" / "mine"
    (run / "pixel").mkdir(parents=True)
    (run / "request.json").write_text(json.dumps({"name": "mine", "data": None}))
    line = {"step": 1, "loss": 0.5, "seconds": 1.0, "samples": 4, "validation": 0.1}
    (run / "pixel" / "log.jsonl").write_text(json.dumps(line) + "\n")
    processes._folder().mkdir(parents=True, exist_ok=True)
    started = processes.Started(pid=1, began=None, command=["train"], owner="me")
    processes._record("mine").write_text(started.model_dump_json())
    (processes._folder() / "mine.log").write_text('{"share": 0.5, "seconds": 3}\n')
    page = home / "page"
    return made, {
        "job": page / "made" / made / "job.json", "marks": page / "made" / made / "marks.json",
        "preset": next(page.glob("*presets/**/*.json")), "index": page / "history.sqlite",
        "process": processes._record("mine"), "output": processes._folder() / "mine.log",
        "request": run / "request.json", "curve": run / "pixel" / "log.jsonl",
    }  # fmt: skip


RECORDS = ("job", "marks", "preset", "index", "process", "output")


def look_at_all(client: TestClient, made: str) -> None:
    client.app.state.worker.taken_up.set()  # pyright: ignore  # it is not started
    for road in ROADS:
        answer = client.get(road.format(job=made))
        assert answer.status_code < 500, (road, answer.text)
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "field"}, road
    changed = client.patch(f"/api/history/{made}/a-cat-1.png", json={"starred": False})
    assert changed.status_code in (200, 404) or set(changed.json()) == {"error", "field"}, changed.text
    assert changed.status_code != 500 or "regrow" not in changed.json()["error"], changed.text


@pytest.mark.parametrize("record", RECORDS)
def test_whatever_lies_in_the_place_of_a_record(home: Path, record: str, capfd: pytest.CaptureFixture[str]) -> None:
    for damage, do in DAMAGES.items():
        made, records = filled(home)
        records[record].unlink()
        do(records[record])
        with Api().caller() as client:
            look_at_all(client, made)
            if record not in ("job", "index"):
                assert len(client.get("/api/history").json()["items"]) >= 1, damage
        assert "Traceback" not in capfd.readouterr().err, damage
