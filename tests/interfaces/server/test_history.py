"""The history: listed, searched, marked, deleted and given back; each caller's own; whatever is on the disk."""

import json
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_api import EXAMPLE, Api, job, owner_of

from regrow.interfaces.server import stored
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.history.index import Wanted, folded
from regrow.interfaces.server.history.record import JobRecord, Marks, read_job
from regrow.interfaces.server.places import made, page
from regrow.interfaces.server.sessions import Caller

ME = Caller("me")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def ids(history: History, **wanted: Any) -> list[str]:
    return [item.id for item in history.page(Wanted(**{"owner": None} | wanted)).items]


def test_newest_first_in_pages_with_what_an_item_says() -> None:
    jobs = [job(i, files=("a-cat-1.png", "a-cat-2.png")) for i in range(5)]
    history = History()
    every = [f"{name}/a-cat-{i}.png" for name in reversed(jobs) for i in (1, 2)]
    assert ids(history) == every
    paged: list[str] = []
    while (part := history.page(Wanted(None, before=paged[-1] if paged else "", limit=3))).items:
        paged += [item.id for item in part.items]
        assert part.more == (len(paged) < len(every))
    assert paged == every
    item = history.page(Wanted(None, limit=1)).items[0]
    assert (item.words, item.medium, item.width, item.height, item.verb) == ("a cat", "picture", 64, 48, "generate")
    assert item.made.startswith("2026-01-01T00:00:04")


def test_a_job_that_is_over_is_told_of_once() -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    history = History(publish=lambda owner, change: told.append((owner, change)))
    name = job(1)
    history.refresh(name)
    history.refresh(name)
    assert [(owner, [item["id"] for item in change["added"]]) for owner, change in told] == [
        ("me", [f"{name}/a-cat-1.png"])
    ]
    history.mark(ME, f"{name}/a-cat-1.png", starred=True)
    assert told[-1][1]["changed"][0]["starred"]


def test_a_result_is_told_of_even_if_nobody_has_looked_at_the_history_yet() -> None:
    old = job(1)
    History().page(Wanted(None))
    new = job(2)
    told: list[list[str]] = []
    history = History(publish=lambda owner, change: told.append([item["id"] for item in change["added"]]))
    history.refresh(new)
    assert told == [[f"{new}/a-cat-1.png"]]
    assert ids(history) == [f"{new}/a-cat-1.png", f"{old}/a-cat-1.png"]


def test_stars_and_boards_survive_a_lost_and_a_damaged_index() -> None:
    item = f"{job(1)}/a-cat-1.png"
    job(2)
    history = History()
    history.mark(ME, item, starred=True, boards=["  best  of ", "cats", "cats"])
    history.close()
    index = page() / "history.sqlite"
    for damage in (b"", b"no database at all" * 999, None):
        if damage is None:
            index.unlink()
        else:
            index.write_bytes(damage)
        history = History()
        found = history.page(Wanted(None, starred=True))
        assert [(one.id, one.boards) for one in found.items] == [(item, ["best of", "cats"])]
        assert found.boards == [("best of", 1), ("cats", 1)]
        assert len(ids(history)) == 2
        history.close()


def test_an_index_that_cannot_be_written_is_kept_in_memory() -> None:
    item = f"{job(1)}/a-cat-1.png"
    (page() / "history.sqlite" / "x").mkdir(parents=True)
    history = History()
    assert history.mark(ME, item, starred=True).starred
    assert ids(history, starred=True) == [item]


def test_an_index_that_is_damaged_while_the_server_runs_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    jobs = [job(i) for i in range(60)]
    history = History()
    ids(history)
    place = page() / "history.sqlite"
    history._index._database.execute("pragma wal_checkpoint(truncate)")
    whole = bytearray(place.read_bytes())
    whole[4096 : 4096 * 6] = random.Random(1).randbytes(4096 * 5)
    place.write_bytes(whole)
    history._index._database.execute("pragma shrink_memory")  # or it would read none of that
    assert ids(history, limit=100) == [f"{name}/a-cat-1.png" for name in reversed(jobs)]
    assert "is damaged" in caplog.text


def test_deleted_results_come_back_for_a_day_and_then_go_with_their_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    name = job(1, files=("a-1.png", "a-2.png"))
    history = History()
    first, second = f"{name}/a-1.png", f"{name}/a-2.png"
    history.delete(ME, first)
    assert ids(history) == [second]
    history.close()
    history = History()  # a restart in between
    assert history.restore(ME, first).id == first
    assert ids(history) == [first, second]
    history.delete(ME, first)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_399)
    history.purge()
    assert (made() / first).is_file()
    monkeypatch.setattr(time, "time", lambda: now + 86_402)
    history.purge()
    assert not (made() / first).exists()
    assert (made() / second).is_file()
    history.delete(ME, second)
    monkeypatch.setattr(time, "time", lambda: now + 3 * 86_400)
    history.purge()
    assert not (made() / name).exists()
    assert ids(history) == []


WORDS = st.text("aAäÄß 猫狗ＡＢ%_'\"\\É", max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompts=st.lists(WORDS, min_size=1, max_size=8), search=WORDS, data=st.data())
def test_search_finds_exactly_what_holds_all_words(prompts: list[str], search: str, data: st.DataObject) -> None:
    shutil.rmtree(page(), ignore_errors=True)
    owners = [data.draw(st.sampled_from(["me", "you"])) for _ in prompts]
    for i, (prompt, owner) in enumerate(zip(prompts, owners, strict=True)):
        made_of = {"prompt": prompt, "source": "", "model": ""}
        job(i, owner, (f"x-{i}.png",), settings=made_of)
    history = History(private=True)
    found = ids(history, owner="me", search=search)
    words = folded(search).split()
    shown = [prompt or "x" for prompt in prompts]
    expected = [i for i in range(len(prompts)) if owners[i] == "me" and all(word in folded(shown[i]) for word in words)]
    assert [int(one.rpartition("-")[2].removesuffix(".png")) for one in found] == expected[::-1]
    history.close()


DOINGS = st.lists(
    st.tuples(
        st.sampled_from(["star", "unstar", "board", "delete", "restore", "lose", "restart", "add"]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DOINGS)
def test_whatever_happens_a_rebuilt_index_says_what_the_living_one_said(doings: list[tuple[str, int]]) -> None:
    shutil.rmtree(page(), ignore_errors=True)
    items = [f"{job(i)}/a-cat-1.png" for i in range(4)]
    stars, boards, trash = set(), set(), set()
    history = History()
    for what, which in doings:
        item = items[which]
        match what:
            case "star" | "unstar":
                history.mark(ME, item, starred=what == "star")
                (stars.add if what == "star" else stars.discard)(item)
            case "board":
                history.mark(ME, item, boards=["b"])
                boards.add(item)
            case "delete":
                history.delete(ME, item)
                trash.add(item)
            case "restore":
                history.restore(ME, item)
                trash.discard(item)
            case "add":
                items.append(f"{job(len(items))}/a-cat-1.png")
                history.refresh(items[-1].partition("/")[0])
            case _:
                history.close()
                if what == "lose":
                    (page() / "history.sqlite").unlink()
                history = History()
        shown = [one for one in reversed(items) if one not in trash]
        assert ids(history) == shown
        assert ids(history, starred=True) == [one for one in shown if one in stars]
        assert ids(history, board="b") == [one for one in shown if one in boards]
    history.close()


NOT_JOBS = [
    b"null", b"[]", b"3", b"{}", b"", b"\xff\xfe", b"[" * 100_000, b'{"id": NaN}', b'{"a": 1e999}', b'"\\ud800"',
    b'{"id": 3, "owner": "me", "verb": "edit", "settings": {}, "state": "done"}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": [], "state": "done"}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {}, "state": "dancing"}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {}, "state": "done", "files": ["../../x.png"]}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {}, "state": "done", "files": ["/etc/passwd"]}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {}, "state": "done", "beside": {"x": "../job.json"}}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {"seed": 1e400}, "state": "done"}',
    b'{"id": "ID", "owner": "me", "verb": "edit", "settings": {"seed": %s}, "state": "done"}' % (b"9" * 30),
    b'{"kind": ["x"], "facts": 3, "settings": 3}',
]  # fmt: skip


@pytest.mark.parametrize("record", NOT_JOBS)
def test_a_damaged_record_is_set_aside_and_named_and_the_rest_is_served(record: bytes) -> None:
    good, bad = job(1), job(2)
    (made() / bad / "job.json").write_bytes(record.replace(b'"ID"', json.dumps(bad).encode()))
    api = Api()
    with api.caller() as client:
        answer = client.get("/api/history").json()
    assert [item["job"] for item in answer["items"]] == [good]
    assert f"{bad}/job.json" in [one["file"] for one in answer["damaged"]]
    assert (made() / bad / "job.json.damaged").exists()
    assert not (made() / bad / "job.json").exists()


def test_a_folder_or_a_link_in_a_records_place_is_set_aside(tmp_path: Path) -> None:
    good, folder, link = job(1), job(2), job(3)
    (made() / folder / "job.json").unlink()
    (made() / folder / "job.json").mkdir()
    (tmp_path / "other.json").write_bytes((made() / link / "job.json").read_bytes())
    (made() / link / "job.json").unlink()
    (made() / link / "job.json").symlink_to(tmp_path / "other.json")
    assert ids(History()) == [f"{good}/a-cat-1.png"]


def test_damaged_marks_cost_the_marks_and_not_the_results() -> None:
    name = job(1)
    (made() / name / "marks.json").write_text('{"results": {"a-cat-1.png": {"starred": "perhaps"}}}')
    assert ids(History()) == [f"{name}/a-cat-1.png"]
    assert any(one.file == f"{name}/marks.json" for one in stored.damaged())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*JobRecord.model_fields, "kind"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_no_json_gets_through_the_loader_that_is_no_record(value: Any) -> None:
    for schema in (JobRecord, Marks):
        try:
            found = stored.parse(json.dumps(value).encode(), schema)
        except ValueError:
            continue
        json.loads(found.model_dump_json())
        json.dumps(found.model_dump(), allow_nan=False)


def test_records_of_the_page_before_this_one_are_read(home: Path) -> None:
    name = job(1)
    kept = home / "page" / "pictures" / f"{'0' * 32}.png"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(EXAMPLE.read_bytes())
    old = {"id": name, "owner": "me", "kind": "edit", "settings": {"image": str(kept), "target": ["a dog"]}}
    old |= {"state": "done", "files": ["a-cat-1.png"], "facts": {"took": 2.5, "tries": 1, "guess": ["x"]}}
    (made() / name / "job.json").write_text(json.dumps(old))
    record = read_job(name)
    assert record
    assert (record.verb, record.settings["image"], record.took, record.tries) == ("edit", kept.name, 2.5, 1)
    item = History().page(Wanted(None)).items[0]
    assert (item.words, item.input, item.guess) == ("a dog", kept.name, True)


def test_the_routes_mark_delete_restore_and_fill_the_form() -> None:
    api = Api()
    with api.caller() as client:
        source = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()["id"]
        asked = {"image": source, "target": ["a dog", "a fox"], "source": "a cat", "seed": 7, "model": "storybook"}
        asked |= {"trajectory": "/etc/passwd", "unheard": 3}
        name = job(1, files=("a-dog-1.png", "a-fox-2.png"), verb="edit", settings=asked)
        api.history.refresh(name)
        fox = f"/api/history/{name}/a-fox-2.png"
        listed = client.get("/api/history", params={"search": "FOX"}).json()["items"]
        assert [(item["words"], item["input"]) for item in listed] == [("a fox", source)]
        assert client.patch(fox, json={"starred": True, "boards": ["b"]}).json()["boards"] == ["b"]
        assert client.get("/api/history?board=b&starred=true&medium=picture&verb=edit").json()["boards"] == [
            {"name": "b", "count": 1}
        ]
        assert client.delete(fox).json() == {"deleted": f"{name}/a-fox-2.png"}
        assert len(client.get("/api/history").json()["items"]) == 1
        assert client.post(f"{fox}/restore").json()["starred"]
        form = client.get(f"{fox}/settings").json()
        assert (form["verb"], form["complete"], form["input"]["id"], form["mask"]) == ("edit", True, source, None)
        assert form["settings"] == {key: asked[key] for key in ("image", "target", "source", "seed", "model")}
        (page() / "pictures" / source).unlink()
        gone = client.get(f"{fox}/settings").json()
        assert (gone["complete"], gone["input"], gone["settings"]["image"]) == (False, None, None)
        thumbnail = client.get(f"/api/results/{name}/a-fox-2.png/thumbnail")
        assert thumbnail.content[8:12] == b"WEBP"
    assert [name for name, *_ in api.events.told if name == "history"] == ["history"] * 4


@pytest.mark.parametrize(
    ("method", "body"),
    [("patch", {"starred": True}), ("delete", None), ("post", None), ("get", None)],
)
def test_behind_a_password_only_the_owner_reads_marks_deletes_and_restores(method: str, body: Any) -> None:
    api = Api(private=True)
    with api.caller() as mine, api.caller() as other:
        name = job(1, owner_of(mine))
        api.history.refresh(name)
        place = f"/api/history/{name}/a-cat-1.png" + {"post": "/restore", "get": "/settings"}.get(method, "")
        arguments = {} if body is None else {"json": body}
        refused = other.request(method, place, **arguments)
        assert (refused.status_code, refused.json()["error"]) == (
            404,
            "There is no such result: it was deleted, or it is not yours.",
        )
        assert other.get("/api/history").json()["items"] == []
        assert [item["job"] for item in mine.get("/api/history").json()["items"]] == [name]
        assert mine.request(method, place, **arguments).status_code == 200
    owners = {owner for name, _, owner in api.events.told if name == "history"}
    assert owners == {read_job(name).owner}  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize(
    "place",
    [
        "x/y",
        "../job.json",
        "20260101-000001-000001-0123456789abcdef/job.json",
        "20260101-000001-000001-0123456789abcdef/.x",
    ],
)
def test_what_is_no_result_is_answered_in_a_sentence(place: str) -> None:
    job(1)
    with Api().caller() as client:
        for answer in (client.delete(f"/api/history/{place}"), client.get(f"/api/history/{place}/settings")):
            assert answer.status_code in (404, 405)
            assert answer.json()["error"].endswith(".")
        assert len(client.get("/api/history").json()["items"]) == 1
