"""Which files the page's functions take, and which it shows: every function, every form of naming one, over HTTP."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from web_server import EXAMPLE, PIANO, Server, call

FILES = {"image", "audio", "file", "gallery", "imageslider", "imageeditor", "video", "model3d", "multimodaltextbox"}
META = {"_type": "gradio.FileData"}
SENTENCE = "not uploaded from here"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A picture of this machine that nobody uploaded."""
    Image.effect_noise((64, 64), 99).save(tmp_path / "secret.png")
    return tmp_path / "secret.png"


def upload(client: httpx.Client, file: Path = EXAMPLE) -> str:
    (path,) = client.post("/gradio_api/upload", files={"files": (file.name, file.read_bytes())}).json()
    return path


def forms(path: str, kept: str) -> list[Any]:
    """Every way to name a file that is not the caller's; `kept` is one that is."""
    folder, name = path.rsplit("/", 1)
    spelled = [path, f"{folder}/../{folder.rsplit('/', 1)[-1]}/{name}", f"/.{path}", f"file={path}", f"file://{path}"]
    spelled += [
        f"/gradio_api/file={path}",
        f"{kept}/../../../../../../../../../../../../..{path}",
        "http://127.0.0.1:9/x",
    ]
    dicts = [{"path": one, **more} for one in spelled for more in ({}, {"meta": META})]
    dicts += [{"path": path, "url": f"/gradio_api/file={kept}", "meta": META}, {"url": f"/gradio_api/file={path}"}]
    dicts += [{"path": path, "is_stream": True, "meta": META}, {"path": {"path": path}, "meta": META}]
    dicts += [{"path": None, "url": f"file://{path}"}, {"path": f"{kept}\0{path}"}, {"name": path, "is_file": True}]
    editor = {"background": {"path": path}, "layers": [{"path": path}], "composite": {"path": path, "meta": META}}
    return [*spelled, *dicts, [dicts[0]], [dicts[1]], [path], [[dicts[1]]], {"image": dicts[1]}, editor]


def functions(client: httpx.Client) -> list[tuple[int, list[Any], list[int]]]:
    """Every function that takes a file: its number, usual arguments, which of them are files; short ones first."""
    config = client.get("/config").json()
    parts = {part["id"]: part for part in config["components"]}
    found = []
    for function in config["dependencies"]:
        kinds = [parts[part]["type"] for part in function["inputs"]]
        values = [parts[part]["props"].get("value") for part in function["inputs"]]
        data = ["" if kind == "textbox" else value for kind, value in zip(kinds, values, strict=True)]
        if function["backend_fn"] and FILES & set(kinds):
            found.append((function["id"], data, [i for i, kind in enumerate(kinds) if kind in FILES]))
    return sorted(found, key=lambda one: len(one[1]))


def test_no_function_takes_a_file_that_its_caller_did_not_upload(either: Server, secret: Path) -> None:
    link = either.home / "page" / "uploads" / "link.png"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(secret)
    with either.caller() as other, either.caller() as client:
        theirs, own = upload(other, PIANO), upload(client)
        tried = 0
        shapes = [*forms(str(secret), own), *forms(theirs, own), {"path": str(link), "meta": META}, {"path": str(link)}]
        for k, (number, data, files) in enumerate(functions(client)):
            for i in files:
                # all forms on two of them, and all forms together on the others, which pass the same place
                for shape in shapes if k < 2 else shapes[k + i :: 20]:
                    asked = {"fn_index": number, "data": [*data[:i], shape, *data[i + 1 :]], "session_hash": "one"}
                    answer = client.post("/gradio_api/run/predict", json=asked)
                    assert answer.status_code == 500, (number, shape)
                    assert SENTENCE in answer.json()["error"], (number, shape)
                    tried += 1
        assert tried > 200
        for route in ("call", "call/v2"):  # whichever road it takes
            shape = {"path": str(secret), "meta": META}
            given = {"image": shape, "source": "a", "target": "b", "strength": 0.5}
            event = client.post(
                f"/gradio_api/{route}/edit", json=given if "v2" in route else {"data": [*given.values()]}
            )
            answer = client.get(f"/gradio_api/{route}/edit/{event.json()['event_id']}")
            assert "event: error" in answer.text
            assert SENTENCE in answer.text
    data = secret.read_bytes()
    copies = [path for path in either.home.rglob("*") if path.is_file() and path.read_bytes() == data]
    assert copies == [link]
    link.unlink()


def test_all_of_many_files_are_the_callers_own(either: Server) -> None:
    with either.caller() as client:
        files = [("files", (f"a-long-name-of-a-file-{i}.png", EXAMPLE.read_bytes())) for i in range(20)]
        paths = client.post("/gradio_api/upload", files=files, headers={"accept-encoding": "br, gzip"}).json()
        assert len(paths) == 20
        for path in paths:
            assert client.get(f"/gradio_api/file={path}").status_code == 200


def painted(client: httpx.Client) -> int:
    """The number of the function that takes what was painted."""
    config = client.get("/config").json()["dependencies"]
    return next(one["id"] for one in config if any(name == "painted" for _, name in one["targets"]))


def test_what_is_painted_must_have_been_uploaded_by_who_paints(either: Server, secret: Path) -> None:
    with either.caller() as other, either.caller() as client:
        number, own = painted(client), upload(client)
        for path in (str(secret), upload(other, PIANO), f"{own}/../../../../../etc/passwd", "http://127.0.0.1:9/x", 3):
            well, said = call(client, number, [], {"path": path})
            assert not well
            assert SENTENCE in said
        assert call(client, number, [], {"path": own})[0]


def test_own_files_are_taken_and_results_handed_on_and_others_see_neither(either: Server) -> None:
    with either.caller() as client, either.caller() as other:
        config = client.get("/config").json()["dependencies"]
        edit = next(one["id"] for one in config if one["api_name"] == "edit")
        words = ["an orange cat on a beach", "an orange puppy on a beach", 0.2]
        own = {"path": upload(client), "meta": META}
        well, made = call(client, edit, [own, *words])
        assert well, made
        (result,) = made[0]
        well, again = call(client, edit, [result, *words])  # as it came
        assert well, again
        assert SENTENCE in call(other, edit, [result, *words])[1]
        assert client.get(f"/gradio_api/file={result['path']}").content.startswith(b"\x89PNG")
        for path in (result["path"], own["path"]):
            assert other.get(f"/gradio_api/file={path}").status_code == 403
        # where it lies itself: everybody's history on one's own computer, and one's own behind a password
        (lies,) = [path for path in either.made() if path.name == Path(result["path"]).name][-1:]
        kept = next((either.home / "page" / "pictures").iterdir())
        for path in (lies, kept):
            assert client.get(f"/gradio_api/file={path}").status_code == 200
            assert other.get(f"/gradio_api/file={path}").status_code == (403 if either.password else 200)
        assert client.get(f"/gradio_api/file={lies.parent / 'job.json'}").status_code == 403
        stranger = httpx.Client(base_url=either.address)
        assert stranger.get(f"/gradio_api/file={result['path']}").status_code in (401, 403)


def test_a_program_without_cookies_names_what_it_uploaded_but_nothing_of_a_browser(server: Server) -> None:
    with server.caller() as browser:
        browser.get("/")
        files = {"files": ("theirs.flac", PIANO.read_bytes())}
        (theirs,) = browser.post("/gradio_api/upload", files=files).json()
    files = {"files": ("own.flac", PIANO.read_bytes())}
    (own,) = httpx.post(f"{server.address}/gradio_api/upload", files=files).json()
    assert own != theirs
    for path, taken in ((own, True), (theirs, False)):
        data = [{"path": path, "meta": META}, "", "", 0.5]
        with httpx.Client(base_url=server.address, cookies={}) as client:
            config = client.get("/config").json()["dependencies"]
        edit = next(one["id"] for one in config if one["api_name"] == "edit_sound")
        answer = httpx.post(f"{server.address}/gradio_api/run/predict", json={"fn_index": edit, "data": data}).json()
        assert (SENTENCE in answer["error"]) != taken


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "image, source, target, strength"),
        ([None, "a", "b"], "3 of them came"),
        ([None, "a", "b", 0.5], "Drop a picture first"),
        ([None, "a", "b", "strong"], "strength must be a number; got 'strong'"),
        ([None, "a", "b", None], "strength must be a number"),
        ([None, "a", "b", True], "strength must be a number"),
        ([None, 7, "b", 0.5], "source must be words; got 7"),
        ([None, "a", ["b"], 0.5], "target must be words"),
        ([None, "a", "b", 17], "17"),
        ([{"path": "/etc/passwd"}, "a", "b", 0.5], SENTENCE),
    ],
)
def test_a_bad_call_is_answered_in_a_sentence(either: Server, data: list[Any], sentence: str) -> None:
    with either.caller() as client:
        event = client.post("/gradio_api/call/edit", json={"data": data}).json()["event_id"]
        answer = client.get(f"/gradio_api/call/edit/{event}").text
    assert "event: error" in answer
    said = json.loads(answer.split("data: ")[-1])["error"]
    assert sentence in said
    assert "\n" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("road", "body", "sentence"),
    [
        ("call/v2/edit", {}, "No value provided for required argument: image"),
        ("call/v2/edit", {"picture": 1}, "`picture` is not a valid"),
        ("call/v2/nothing", {}, "no such function"),
        ("call/nothing", {"data": []}, "no such function"),
        ("run/edit", {"data": []}, "0 of them came"),
        ("run/predict", {"data": [], "fn_index": 9999}, "no such function"),
        ("queue/join", {"data": [], "fn_index": 9999, "session_hash": "x"}, "no such function"),
    ],
)
def test_a_call_of_nothing_is_answered_in_a_sentence(server: Server, road: str, body: Any, sentence: str) -> None:
    with server.caller() as client:
        answer = client.post(f"/gradio_api/{road}", json=body)
    assert sentence in answer.json()["error"]
