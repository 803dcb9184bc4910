"""Trainings: begun, watched, killed, gone on with; whose they are; and the sets of files that they learn from."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import tyro
from hypothesis import given, settings
from hypothesis import strategies as st
from record_api import EXAMPLE, Api
from web_server import PROGRAM, until

from regrow.interfaces.server import processes
from regrow.interfaces.server.trainings.command import command_of
from regrow.interfaces.server.trainings.run import run, runs
from regrow.media.one_process import holder, only_one
from regrow.requests.train import Train


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for one in processes.all_started():  # or a failed test's training would go on for minutes
        if (number := processes.running(one)) is not None:
            os.kill(number, signal.SIGKILL)


def pictures(folder: Path) -> Path:
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}.png").write_bytes(EXAMPLE.read_bytes())
        (folder / f"{i}.txt").write_text("an orange cat on a beach")
    return folder


TINY = {
    "name": "mine", "new": "tiny", "time": "30m", "batch": 2, "hold_out": 1, "sample_minutes": 0, "minutes": 0.01,
    "stage": "pixel", "size": 32,
}  # fmt: skip


def test_a_killed_training_is_stopped_at_once_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_PASSWORD", "known to the server alone")
    api = Api()
    with api.caller() as client:
        begun = client.post("/api/train", json=TINY | {"data": str(pictures(tmp_path / "set"))})
        assert begun.status_code == 202, begun.text
        assert begun.json()["state"] == "running"
        number = processes.running("mine")
        assert number
        environment = Path(f"/proc/{number}/environ").read_bytes()
        assert b"REGROW_HOME=" in environment
        assert b"REGROW_PASSWORD" not in environment
        until(lambda: run("mine").losses or run("mine").state == "stopped")
        shown = client.get("/api/trainings/mine").json()
        assert (shown["state"], shown["step"] > 0, shown["loss"] > 0) == ("running", True, True), shown
        assert holder(tmp_path / "home" / "runs" / "mine") == number
        again = client.post("/api/trainings/mine/resume")
        assert (again.status_code, again.json()["error"]) == (409, "The training mine is running already.")
        assert client.post("/api/train", json=TINY | {"data": str(tmp_path / "set")}).json()["field"] == "name"

        until(lambda: list((tmp_path / "home" / "runs" / "mine").glob("*/step-*.safetensors")))
        os.kill(number, signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: client.get("/api/trainings").json()[0]["state"] == "stopped")
        assert time.monotonic() - killed < 5
        assert client.get("/api/trainings/mine").json()["left"] is None
        assert client.post("/api/trainings/mine/stop").json()["error"] == "The training mine is not running."

        step = run("mine").step
        assert client.post("/api/trainings/mine/resume").json()["state"] == "running"
        until(lambda: run("mine").step > step)
        assert client.post("/api/trainings/mine/stop").status_code == 200
        until(lambda: run("mine").state == "stopped")
    told = [data["state"] for name, data, _ in api.events.told if name == "training"]
    assert "running" in told


def test_a_killed_training_of_the_command_line_is_stopped_at_once(tmp_path: Path) -> None:
    options = ["--name=theirs", "--new=tiny", "--stage=pixel", "--size=32", "--batch=2", "--hold-out=1", "--for=30m"]
    command = [sys.executable, "-c", PROGRAM, "train", str(pictures(tmp_path / "set")), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: runs(None) == ["theirs"] and run("theirs").state == "running" and run("theirs").losses)
        finally:
            process.kill()
        process.wait()
        assert run("theirs").state == "stopped"


def catches(pid: int | None, sent: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal, as Linux says."""
    [caught] = re.findall(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return bool(int(caught, 16) >> (sent - 1) & 1)


def test_a_training_that_is_stopped_while_it_imports_says_so() -> None:
    processes.start("early", ["train", "--world=storybook", "--name=early", "--new=tiny"])
    pid = processes.running("early")
    until(lambda: catches(pid, signal.SIGTERM))  # Python itself takes its time to begin
    assert processes.stop("early")
    until(lambda: processes.running("early") is None)
    assert processes.sentences(processes.output("early")) == ["It was stopped before it had begun; nothing is lost."]


def test_a_process_is_known_by_when_it_began(home: Path) -> None:
    processes.start("long", ["--help"])
    folder = home / "page" / "processes"
    told = json.loads((folder / "long.json").read_text())
    assert processes.running("long") == told["pid"]
    for other in ({"began": 1.0}, {"began": None}, {"pid": 1}, {"pid": 0}, {"pid": -1}, {"pid": 2**70}):
        record = told | {"pid": os.getpid()} | other  # its number was given anew, or an older record
        (folder / "other.json").write_text(json.dumps(record))
        assert processes.running("other") is None
        assert not processes.stop("other")
    os.waitpid(told["pid"], 0)
    assert processes.running("long") is None


def test_a_lock_that_another_program_left_is_nobodys(tmp_path: Path) -> None:
    with only_one(tmp_path / "run"):
        assert holder(tmp_path / "run") == os.getpid()
        with pytest.raises(ValueError, match="now: stop it first"), only_one(tmp_path / "run"):
            pass
        assert holder(tmp_path / "run") == os.getpid()
    for left in ("", "x", f"{os.getpid()} 1.0", f"{2**70} 1.0", "1 nan", "-5 0"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / "lock").write_text(left)
        assert holder(tmp_path / "run") is None


@pytest.mark.parametrize("record", ["null", "{", "[]", '{"pid": "x"}', '{"pid": 5, "began": 1, "command": []}'])
def test_a_damaged_record_is_set_aside(home: Path, record: str) -> None:
    folder = home / "page" / "processes"
    folder.mkdir(parents=True)
    (folder / "bad.json").write_text(record)
    (folder / "good.json").write_text(json.dumps({"pid": 2**22, "began": 0, "command": ["train", "x"]}))
    (folder / ".dry-run-0123.json").write_text(json.dumps({"pid": 2**22, "began": 0, "command": ["train", "x"]}))
    (folder / ".pull.json").write_text(json.dumps({"pid": 2**22, "began": 0, "command": ["models", "pull", "a/b"]}))
    assert runs(None) == ["good"]
    assert (folder / "bad.json.damaged").is_file()


def test_of_a_long_log_few_points_are_sent_and_torn_lines_are_left_out(home: Path) -> None:
    log = home / "runs" / "mine" / "denoiser" / "log.jsonl"
    log.parent.mkdir(parents=True)
    (home / "runs" / "mine" / "request.json").write_text("{}")
    lines = [json.dumps({"step": i, "seconds": i, "samples": 2 * i, "loss": 1.0}) for i in range(3000)]
    lines[7] = '{"step": 7, "sec' + lines[7]
    lines[9] = '{"step": "nine", "loss": [1]}'
    log.write_text("\n".join([*lines, '{"step": 3000, "lo']))
    found = run("mine")
    assert (found.step, found.loss, found.state) == (2999, 1.0, "stopped")
    assert 400 < len(found.losses) < 600
    with log.open("a") as file:  # what was torn is whole now, and more came
        file.write('ss": 2.0, "seconds": 3000, "samples": 6000}\n{"step": 3001, "loss": null, "samples": 1}\n')
    assert (run("mine").step, run("mine").loss) == (3001, None)
    log.unlink()
    log.write_text('{"step": 5, "seconds": 1, "samples": 1, "loss": 0.5}\n')  # as a resumption writes it anew
    assert (run("mine").step, run("mine").losses) == (5, [(5, 0.5, "training")])


def test_what_a_process_printed_is_told_whatever_it_is(home: Path) -> None:
    folder = home / "page" / "processes"
    folder.mkdir(parents=True)
    lines = [
        b'{"notes": ["first"]}',
        b"5",
        b"null",
        b"[" * 9999,
        b"\xff\xfe",
        b'{"share": "x"}',
        b"bar 1\rbar 2",
        b"why",
    ]
    (folder / "odd.log").write_bytes(b"\n".join(lines))
    said = processes.sentences(processes.output("odd"))
    assert (said[0], said[-2:]) == ("first", ["bar 2", "why"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"), ({"name": "../x"}, "name"), ({"name": "--help"}, "name"), ({"name": ".x"}, "name"),
        ({"name": 3}, "name"), ({"batch": "many"}, "batch"), ({"steps": -1}, "steps"), ({"evil": 1}, "evil"),
        ({"resume": "mine"}, "resume"), ({"data": 5}, "data"), ({"time": "soon"}, None), ({"seed": 1e400}, None),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_refused_in_a_sentence(changed: dict[str, Any], field: str | None) -> None:
    with Api().caller() as client:
        body = json.dumps(TINY | {"data": "/nowhere"} | changed).replace("Infinity", "1e400")
        answer = client.post("/api/train", content=body, headers={"content-type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["error"]
        assert field is None or answer.json()["field"] == field
        assert client.get("/api/trainings").json() == []


def test_behind_a_password_trainings_and_sets_are_their_owners_and_folders_are_nobodys(home: Path) -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        for client in (one, other):
            refused = client.post("/api/train", json=TINY | {"data": "/etc"})
            assert (refused.status_code, refused.json()["field"]) == (404, "data")
            refused = client.post("/api/train", json=TINY | {"world": "storybook", "start": "/etc", "new": None})
            assert (refused.status_code, refused.json()["field"]) == (404, "start")
        one.post("/api/sets/cats?name=1.png", content=EXAMPLE.read_bytes())
        assert [found["name"] for found in one.get("/api/sets").json()] == ["cats"]
        assert other.get("/api/sets").json() == []
        assert other.post("/api/train", json=TINY | {"data": "cats"}).status_code == 404
        assert other.delete("/api/sets/cats").status_code == 404
        name = json.dumps({"pid": 2**22, "began": 0, "command": ["train", "x"], "owner": "nobody here"})
        (home / "page" / "processes").mkdir(parents=True, exist_ok=True)
        (home / "page" / "processes" / "theirs.json").write_text(name)
        (home / "runs" / "theirs" / "samples").mkdir(parents=True)
        (home / "runs" / "theirs" / "samples" / "1.png").write_bytes(EXAMPLE.read_bytes())
        for client in (one, other):
            assert client.get("/api/trainings").json() == []
            for method, place in (("get", ""), ("get", "/samples"), ("post", "/stop"), ("post", "/resume")):
                assert client.request(method, f"/api/trainings/theirs{place}").status_code == 404
            assert client.delete("/api/models/theirs").status_code == 403
    with Api().caller() as client:
        assert client.get("/api/trainings/theirs/samples").content == EXAMPLE.read_bytes()


def test_a_set_takes_files_to_train_on_and_nothing_else(home: Path) -> None:
    with Api().caller() as client:
        for file in ("a.png", "../b.png", "c d.caption", "猫.jsonl"):
            assert client.post("/api/sets/my cats", params={"name": file}, content=b"x").status_code == 201
        folder = home / "page" / "sets" / "my cats"
        assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "c d.caption", "猫.jsonl"]
        for file in ("evil.py", ".hidden.png", "x", "", "a\0.png", "n" * 300 + ".png"):
            assert client.post("/api/sets/my cats", params={"name": file}, content=b"x").status_code == 415, file
        assert client.post("/api/sets/my cats?name=a.png", content=b"").status_code == 400
        for name in ("..", ".x", "-x"):
            assert client.post(f"/api/sets/{name}?name=a.png", content=b"x").status_code in (404, 405, 422)
        assert client.get("/api/sets").json() == [{"name": "my cats", "files": 4, "bytes": 4}]
        assert client.delete("/api/sets/my cats").status_code == 200
        assert not folder.exists()


NEEDED: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text("ab -é猫", min_size=1, max_size=6).filter(lambda name: name.strip() == name),
    "data": st.sampled_from([Path("/pictures of cats"), Path("/p")]),
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "medium": st.sampled_from([None, "picture", "sound"]),
    "start": st.just(""),
    "new": st.sampled_from([None, "tiny", "small"]),
    "objective": st.sampled_from([None, "flow", "v_prediction"]),
    "logit_normal": st.none() | st.tuples(st.floats(-9, 9), st.floats(0.02, 9)),
    "optimizer": st.sampled_from([None, "adamw"]),
    "rate": st.none() | st.floats(1e-6, 1.0),
    "steps": st.integers(0, 10**6),
    "batch": st.integers(1, 64),
    "text": st.none() | st.booleans(),
    "checkpointing": st.booleans(),
    "prompts": st.lists(st.text("a -é", max_size=5).map(str.strip), max_size=3).map(tuple),
    "minutes": st.none() | st.floats(0.01, 100),
    "seed": st.integers(0, 2**63 - 1),
    "dry_run": st.booleans(),
}


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(NEEDED, optional=VALUES))
def test_a_request_is_the_same_after_its_way_through_the_command_line(given_: dict[str, Any]) -> None:
    try:
        request = Train(**given_)
    except ValueError:
        return
    verb, *arguments = command_of(request)
    again = tyro.cli(Train, args=arguments)
    assert verb == "train"
    for field in fields(Train):
        before, after = getattr(request, field.name), getattr(again, field.name)
        if field.name == "prompts":  # of which one that begins with "-" has a space before it
            after = tuple(prompt.removeprefix(" ") for prompt in after)
        assert after == before, field.name
