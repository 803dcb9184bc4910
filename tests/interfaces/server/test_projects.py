"""Project files: a session goes out and comes in whole; whatever else a zip may hold is refused."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from record_api import EXAMPLE, Api, job, owner_of

from regrow.interfaces.server.history.record import read_job, read_marks
from regrow.interfaces.server.places import made, page
from regrow.media.image.picture import read_recipe, save


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def session(api: Api, client: httpx.Client) -> tuple[str, list[str]]:
    """An upload, an edit of it, an edit of that, another edit of the upload; and one that has nothing to do with it."""
    import torch

    owner = owner_of(client)
    source = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()["id"]
    first = job(1, owner, ("a-dog-1.png",), verb="edit", settings={"image": source, "target": ["a dog"], "seed": 1})
    save(made() / first / "a-dog-1.png", torch.zeros(3, 8, 8), {"operation": "edit", "settings": {}})
    second = job(2, owner, ("a-fox-1.png",), verb="edit", settings={"image": f"{first}/a-dog-1.png", "target": ["fox"]})
    third = job(3, owner, ("a-hat-1.png", "x-2.png"), verb="edit", settings={"image": source, "target": ["a hat", "x"]})
    other = job(4, owner)
    (made() / third / "beside").mkdir()
    (made() / third / "beside" / "mask.png").write_bytes(EXAMPLE.read_bytes())
    record = json.loads((made() / third / "job.json").read_text()) | {"beside": {"mask": "beside/mask.png"}}
    (made() / third / "job.json").write_text(json.dumps(record | {"notes": ["a note"], "took": 2.0}))
    for one in (first, second, third, other):
        api.history.refresh(one)
    client.patch(f"/api/history/{third}/a-hat-1.png", json={"starred": True, "boards": ["hats"]})
    client.delete(f"/api/history/{third}/x-2.png")
    return source, [first, second, third]


def exported(client: httpx.Client, item: str) -> bytes:
    answer = client.get("/api/project", params={"item": item})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_session_goes_out_and_comes_in_at_another_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    api = Api()
    with api.caller() as client:
        source, jobs = session(api, client)
        for item in (f"{jobs[1]}/a-fox-1.png", f"{jobs[2]}/a-hat-1.png"):  # from wherever in it
            data = exported(client, item)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
                listed = json.loads(archive.read("project.json"))
            assert [one["id"] for one in listed["jobs"]] == jobs
            assert set(names) == {
                "project.json", f"inputs/{source}", f"jobs/{jobs[0]}/a-dog-1.png", f"jobs/{jobs[1]}/a-fox-1.png",
                f"jobs/{jobs[2]}/a-hat-1.png", f"jobs/{jobs[2]}/beside/mask.png",
            }  # fmt: skip
            assert owner_of(client).encode() not in data
        assert not list(page().glob(".project-*"))
        bytes_of = {path.name: path.read_bytes() for path in made().glob("*/*.png")}

    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "elsewhere"))
    api = Api()
    with api.caller() as client:
        for _ in range(2):  # the second time brings nothing new
            came = client.post("/api/project", content=data).json()["items"]
            assert sorted(item["words"] for item in came) == ["a dog", "a hat", "fox"]
            assert len(client.get("/api/history").json()["items"]) == 3
        hat = next(item for item in came if item["words"] == "a hat")
        assert (hat["starred"], hat["boards"], hat["input"], hat["made"][:10]) == (True, ["hats"], source, "2026-01-01")
        fox, dog = (next(item for item in came if item["words"] == words) for words in ("fox", "a dog"))
        assert fox["input"] == dog["id"]
        assert read_job(hat["job"]).notes == ["a note"]  # pyright: ignore[reportOptionalMemberAccess]
        assert (made() / hat["job"] / "beside" / "mask.png").is_file()
        for item in came:
            assert client.get(item["url"]).content == bytes_of[item["name"]]
        assert (read_recipe(made() / dog["id"]) or {})["operation"] == "edit"
        form = client.get(f"/api/history/{dog['id']}/settings").json()
        assert (form["complete"], form["input"]["id"]) == (True, source)
        client.delete(f"/api/history/{hat['id']}")
        client.post("/api/project", content=data)  # out of the trash
        assert len(client.get("/api/history").json()["items"]) == 3


def test_behind_a_password_it_holds_and_brings_only_ones_own() -> None:
    api = Api(private=True)
    with api.caller() as one, api.caller() as other:
        source, jobs = session(api, one)
        data = exported(one, f"{jobs[0]}/a-dog-1.png")
        assert other.get("/api/project", params={"item": f"{jobs[0]}/a-dog-1.png"}).status_code == 404
        theirs = job(9, owner_of(other), ("a-cap-1.png",), verb="edit", settings={"image": source, "target": ["a cap"]})
        api.history.refresh(theirs)
        assert exported(one, f"{jobs[0]}/a-dog-1.png") == data or b"a-cap" not in data
        came = other.post("/api/project", content=data).json()["items"]
        assert not {item["job"] for item in came} & set(jobs)  # copies, and not the other's jobs
        assert {read_job(item["job"]).owner for item in came} == {owner_of(other)}  # pyright: ignore
        assert len(one.get("/api/history").json()["items"]) == 4
        other.delete(f"/api/history/{came[0]['id']}")
        assert len(one.get("/api/history").json()["items"]) == 4


def zipped(files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], Any] = lambda entry: None) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            archive.writestr(entry, data)
    return written.getvalue()


JOB = "20260101-000001-000001-0123456789abcdef"
CAT = EXAMPLE.read_bytes()


def listing(**changed: Any) -> dict[str, Any]:
    one = {"id": JOB, "verb": "generate", "settings": {"prompt": "a cat"}, "files": ["a-1.png"]} | changed
    return {"regrow": "1", "format": 1, "inputs": [], "jobs": [one]}


def project(more: dict[str, bytes] | None = None, **changed: Any) -> dict[str, bytes]:
    results = {f"jobs/{JOB}/a-1.png": CAT} if "files" not in changed else {}
    return {"project.json": json.dumps(listing(**changed)).encode()} | results | (more or {})


def linked(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def lying(data: bytes) -> bytes:
    """A zip whose entries claim to be of 10 bytes."""
    size = len(CAT).to_bytes(4, "little")
    return data.replace(size, (10).to_bytes(4, "little"))


SCRIPT = b"<html><script>alert(1)</script>"
TWICE = json.dumps(listing() | {"jobs": listing()["jobs"] * 2}).encode()
ENDLESS = json.dumps(listing(took=1e308)).replace("1e+308", "1e999").encode()
HOSTILE = [
    (b"", "not a zip file"),
    (b"PK" * 1000, "not a zip file"),
    (zipped(project())[:-40], "not a zip file"),
    (zipped({f"jobs/{JOB}/a-1.png": CAT}), "project.json is missing"),
    (zipped(project({"project.json": b"[" * 100_000})), "project.json is missing or damaged"),
    (zipped(project({"project.json": json.dumps(listing() | {"format": 2}).encode()})), "format"),
    (zipped(project({"project.json": ENDLESS})), "not finite"),
    (zipped(project({"project.json": TWICE})), "jobs"),
    (zipped(project({"../evil.png": CAT})), "'../evil.png', which does not belong in a project file"),
    (zipped(project({"/etc/evil.png": CAT})), "which does not belong in a project file"),
    (zipped(project({"more.png": CAT})), "which does not belong in a project file"),
    (zipped(project({f"jobs/{JOB}/../../evil.png": CAT}, files=["../../evil.png"])), "files"),
    (zipped(project({f"jobs/{JOB}/.evil.png": CAT}, files=[".evil.png"])), "files"),
    (zipped(project({f"jobs/{JOB}/job.json": b"{}"}, files=["job.json"])), "files"),
    (zipped(project({f"jobs/{JOB}/a-1.html": CAT}, files=["a-1.html"])), "files"),
    (zipped(project({f"jobs/{JOB}/beside/../x.png": CAT}, beside={"m": "beside/../x.png"})), "beside"),
    (zipped(project(id="../../pictures")), "id"),
    (zipped(project(verb="rm -rf")), "jobs"),
    (zipped(project({f"jobs/{JOB}/a-1.png": CAT}, files=["a-1.png", "b-2.png"])), "b-2.png"),
    (zipped(project({f"jobs/{JOB}/a-1.png": SCRIPT})), "not what its name says"),
    (zipped(project({f"jobs/{JOB}/a-1.wav": CAT}, files=["a-1.wav"])), "not what its name says"),
    (zipped(project({f"jobs/{JOB}/a-1.svg": b"<svg onload='x()'/>"}, files=["a-1.svg"])), "not what its name says"),
    (zipped(project(), linked), "which does not belong in a project file"),
    (zipped(project({"jobs/": b""})), "which does not belong in a project file"),
    (zipped(project({f"jobs/{JOB}/a-1.png": bytes(450_000_000)})), "larger than 400 MB"),
    (zipped(project({f"inputs/{i}": b"" for i in range(2000)})), "more than 1000 files"),
    (lying(zipped(project())), ""),
]


@pytest.mark.parametrize(("data", "reason"), HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_zips_are_refused_in_a_sentence_and_leave_nothing(data: bytes, reason: str, home: Path) -> None:
    with Api().caller() as client:
        answer = client.post("/api/project", content=data)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"].startswith("This is not a project file of regrow: ")
        assert reason in answer.json()["error"]
        assert client.get("/api/history").json()["items"] == []
    assert not made().exists() or list(made().iterdir()) == []
    assert not list(home.parent.rglob("*evil*"))


def test_what_a_project_may_hold_is_taken_without_settings_that_its_verb_has_not() -> None:
    hostile = {"prompt": "a cat", "evil": "x", "melody": "/etc/passwd", "seed": 3, "reference_sound": f"{'0' * 32}.wav"}
    with Api().caller() as client:
        mark = {"a-1.png": {"starred": True, "deleted": 1.0}}
        came = client.post("/api/project", content=zipped(project(settings=hostile, marks=mark))).json()["items"]
        assert [(item["words"], item["starred"], item["input"]) for item in came] == [("a cat", True, None)]
        form = client.get(f"/api/history/{came[0]['id']}/settings").json()
    assert "evil" not in form["settings"]
    assert read_job(came[0]["job"]).settings["reference_sound"] == ""  # pyright: ignore[reportOptionalMemberAccess]
    assert (form["settings"]["melody"], form["settings"]["seed"], form["complete"]) == (None, 3, False)
    assert read_marks(came[0]["job"]).results["a-1.png"].deleted is None
