"""Files: what is taken, where it is kept, whose it is, and every way to name one that is not the caller's."""

import io
import os
import re
import secrets
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from gates import client_of, started
from homes import sharing_engines
from PIL import Image
from starlette.testclient import TestClient
from web_server import EXAMPLE, PIANO, Server

from regrow.interfaces.server import uploads
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.places import find, id_of, kept_path, made, page
from regrow.interfaces.server.sessions import Caller
from regrow.media.files import MediaError, file_hash

NOBODYS = "0123456789abcdef0123456789abcdef.png"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    return tmp_path / "home"


@pytest.fixture
def client(home: Path) -> TestClient:
    return client_of(started({}))


def upload(client: Any, data: bytes, name: str = "cat.png") -> httpx.Response:
    return client.post("/api/files", params={"name": name}, content=data)


def encoded(kind: str, **settings: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((40, 30), 99).convert("RGB").save(file, kind, **settings)
    return file.getvalue()


def test_a_picture_is_kept_once_under_its_content(client: TestClient) -> None:
    one, again = (upload(client, EXAMPLE.read_bytes(), name).json() for name in ("my cat.png", "../../x.jpg"))
    assert one["id"] == again["id"] == f"{file_hash(EXAMPLE)}.png"
    assert (one["name"], again["name"]) == ("my cat.png", "x.jpg")
    assert (one["medium"], one["width"], one["height"], one["preview"]) == ("picture", 256, 256, None)
    answer = client.get(one["url"])
    assert answer.content == EXAMPLE.read_bytes()
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "image/png"
    assert client.get(f"{one['url']}/about").json()["width"] == 256
    assert len(list((page() / "pictures").iterdir())) == 1


def test_a_sound_is_kept_and_drawn(client: TestClient) -> None:
    kept = upload(client, PIANO.read_bytes(), "piano.flac").json()
    assert (kept["medium"], kept["rate"], kept["channels"], kept["seconds"]) == ("sound", 22050, 1, 6.0)
    part = client.get(kept["url"], headers={"range": "bytes=0-3"})  # as players ask
    assert (part.status_code, part.content) == (206, b"fLaC")
    drawn = client.get(kept["preview"])
    with Image.open(io.BytesIO(drawn.content)) as picture:
        assert picture.width > 200
    assert upload(client, PIANO.read_bytes(), "no ending").json()["id"] == kept["id"]


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (b"MThd\0\0\0\6\0\0\0\1\0\x60", ".mid"),
        (b"X:1\nT:A tune\nK:C\nCDEF|\n", ".abc"),
        (b"% made by hand\nX: 1\nK:C\nC|\n", ".abc"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE score-partwise>\n<score-partwise/>', ".musicxml"),
    ],
)
def test_tunes_are_kept(client: TestClient, data: bytes, ending: str) -> None:
    kept = upload(client, data, "song").json()
    assert (kept["medium"], Path(kept["id"]).suffix) == ("tune", ending)
    assert client.get(kept["url"]).content == data


def test_pictures_that_browsers_do_not_show_have_a_preview(client: TestClient) -> None:
    kept = upload(client, encoded("TIFF"), "x.tif").json()
    assert kept["id"].endswith(".tiff")
    assert client.get(kept["preview"]).content[8:12] == b"WEBP"


def test_a_turned_picture_has_the_sides_that_are_seen(client: TestClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = upload(client, encoded("JPEG", exif=exif), "phone.jpg").json()
    assert (kept["width"], kept["height"]) == (30, 40)


def bomb() -> bytes:
    """A PNG of a few kilobytes with 900 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "name", "status", "words"),
    [
        (b"", "cat.png", 400, "cat.png is empty"),
        (bytes(1000), "x.bin", 415, "x.bin is not a picture, sound or tune"),
        (b"hello", "notes", 415, "notes is not a picture"),
        (b"\x89PNG\r\n\x1a\n", "cut.png", 400, "cut.png"),
        (EXAMPLE.read_bytes()[:5000], "cut.png", 400, "cut.png is (incomplete|damaged)"),
        (PIANO.read_bytes()[:9000], "cut.flac", 400, "cut.flac is (incomplete|damaged)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "x.svg", 400, "x.svg"),
        (b"<html><script>alert(1)</script></html>", "x.png", 400, "x.png"),
        (b"<html><script>alert(1)</script></html>", "x.html", 415, "x.html"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "x.eps", 415, "x.eps"),
        (bomb(), "bomb.png", 400, "bomb.png is far above the limit of 24 megapixels: scale it down first"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    client: TestClient, data: bytes, name: str, status: int, words: str
) -> None:
    answer = upload(client, data, name)
    assert answer.status_code == status, answer.text
    said = answer.json()["error"]
    assert re.search(words, said), said
    assert "Traceback" not in said
    assert "\n" not in said
    assert str(page()) not in said
    kept = [path for folder in ("pictures", "sounds", "tunes") for path in (page() / folder).glob("*")]
    assert kept == []


def test_sounds_and_pictures_have_their_bounds(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_SECONDS", 5)
    monkeypatch.setattr(uploads, "MOST_PIXELS", 100)
    assert "lasts 6 s; the limit is 5 s: cut a part out" in upload(client, PIANO.read_bytes(), "p.flac").json()["error"]
    assert "more than the 0.0001 megapixels" in upload(client, EXAMPLE.read_bytes()).json()["error"]


def test_larger_bodies_than_are_taken_are_stopped(either: Server) -> None:
    with either.caller() as client:
        for path, size, most in (
            ("/api/files?name=x.png", 31_000_000, "30 MB"),
            ("/api/generate", 1_100_000, "1 MB"),
            ("/api/jobs/x/move", 1_100_000, "1 MB"),
        ):
            whole = client.post(path, content=bytes(size), headers={"content-type": "application/json"})
            assert (whole.status_code, most in whole.json()["error"]) == (413, True), path
            parts = (bytes(100_000) for _ in range(size // 100_000))  # without saying how long it is
            try:
                sent = client.post(path, content=parts, headers={"content-type": "application/json"})
            except httpx.TransportError:  # closed while it still wrote
                continue
            assert sent.status_code == 413
    left = [path for path in (either.home / "page").iterdir() if path.name.startswith("tmp")]
    assert left == []


def test_what_nothing_was_made_of_is_deleted_when_it_is_too_much(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = upload(client, encoded("PNG")).json()
    used = upload(client, encoded("PNG")).json()
    Job("20260101-000000-000000-aaaa", "x", "edit", {"image": used["id"]}, state="done").keep()
    size = kept_path(first["id"]).stat().st_size
    monkeypatch.setattr(uploads, "MOST_UNUSED", int(1.5 * size))
    refused = upload(client, encoded("PNG"))  # all are fresh
    assert (refused.status_code, "within an hour" in refused.json()["error"]) == (507, True)
    for kept in (first, used):
        os.utime(kept_path(kept["id"]), (time.time() - 7200,) * 2)
    last = upload(client, encoded("PNG")).json()
    there = [find(kept["id"]) is not None for kept in (first, used, last)]
    assert there == [False, True, True]


def names_of(secret: Path, kept: str) -> list[Any]:
    """Every way to name a file that is not the caller's; `kept` is one that is."""
    path = str(secret)
    spelled = [path, path[1:], f"/.{path}", f"file:{path}", f"file://{path}", f"..{path}", f"../../../..{path}"]
    spelled += [f"{kept}/../../../../../../../../..{path}", f"{kept}\0{path}", f"..\\..{path}", "http://127.0.0.1:9/x"]
    spelled += [f"./{kept}", f"{kept}/", f"/{kept}", f"x/../{kept}", kept.upper(), kept + "\n", f" {kept}", f"{kept}."]
    spelled += ["job.json", "20260101-000000-000000-aaaa/job.json", "20260101-000000-000000-aaaa/../lock"]
    spelled += ["20260101-000000-000000-aaaa/beside/../job.json", "20260101-000000-000000-aaaa/secret.png"]
    spelled += ["20260101-000000-000000-aaaa/.hidden.png", "../lock", "lock", "owners.sqlite", NOBODYS, "a" * 100_000]
    return spelled


def test_no_request_takes_a_file_that_is_not_its_callers(client: TestClient, tmp_path: Path, home: Path) -> None:
    secret = tmp_path / "secret.png"
    Image.effect_noise((64, 64), 99).save(secret)
    job = made() / "20260101-000000-000000-aaaa"
    Job(job.name, "x", "edit", {}, state="done").keep()
    (job / "secret.png").symlink_to(secret)  # a link would lead out of the folder
    (job / ".hidden.png").write_bytes(secret.read_bytes())
    (page() / "pictures").mkdir()
    (page() / "pictures" / NOBODYS).symlink_to(secret)
    kept = upload(client, EXAMPLE.read_bytes()).json()["id"]
    for name in names_of(secret, kept):
        for setting in ("image", "mask", "reference_sound"):
            asked = {"image": kept, "source": "a cat", "target": ["a dog"], setting: name}
            answer = client.post("/api/edit", json=asked)
            assert answer.status_code in (400, 404, 422), (setting, name, answer.text)
            assert set(answer.json()) == {"error", "field"}
    for wrong in (3, None, True, [kept], {"path": str(secret)}, [], {}):
        answer = client.post("/api/edit", json={"image": wrong, "source": "a cat", "target": ["a dog"]})
        assert (answer.status_code, answer.json()["field"]) == (422, "image"), wrong
    assert client.post("/api/generate", json={"prompt": "a", "melody": str(secret)}).status_code in (400, 404, 422)
    data = secret.read_bytes()
    copies = [path for path in home.rglob("*") if path.is_file() and path.read_bytes() == data]
    assert {path.name for path in copies} == {"secret.png", ".hidden.png", NOBODYS}


@pytest.mark.parametrize("road", ["/api/files/", "/api/results/", "/page/", "/"])
def test_no_file_outside_can_be_fetched(server: Server, road: str) -> None:
    names = ["etc/passwd", "../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2f..%2fetc%2fpasswd"]
    names += ["proc/self/environ", "..%5c..%5cetc/passwd", "%00", "....//etc/passwd", "http:%2f%2f127.0.0.1:1%2f"]
    names += ["../lock", "../owners.sqlite", "../../pyproject.toml", "%2fetc%2fpasswd", "../server/app.py", "job.json"]
    with httpx.Client(base_url=server.address) as client:
        for name in names:
            request = client.build_request("GET", "/")
            request.url = request.url.copy_with(raw_path=f"{road}{name}".encode())  # as it is, not tidied up
            answer = client.send(request)
            assert answer.status_code in (403, 404), (name, answer.text)
            assert "root:" not in answer.text


def test_a_job_takes_the_callers_own_result_as_its_input(home: Path) -> None:
    from regrow.interfaces.server.places import made as folder

    job = Job("20260101-000000-000000-aaaa", "x", "edit", {}, state="done", files=["a-1.png"])
    job.keep()
    (job.folder / "a-1.png").write_bytes(EXAMPLE.read_bytes())
    assert kept_path(f"{job.id}/a-1.png") == folder() / job.id / "a-1.png"
    assert id_of(job.folder / "a-1.png") == f"{job.id}/a-1.png"
    assert id_of("/etc/passwd") is None
    for name in ("job.json", "../x", "b-1.png"):
        with pytest.raises(MediaError, match="is no longer on this server"):
            kept_path(f"{job.id}/{name}")
    client = client_of(started({}))
    asked = {"image": f"{job.id}/a-1.png", "source": "a cat", "target": ["a dog"]}
    assert client.post("/api/edit", json=asked).status_code == 202


def test_behind_a_password_files_belong_to_who_uploaded_made_or_used_them(home: Path) -> None:
    files, one, other = Files(private=True), Caller("one"), Caller("other")
    kept = uploads.keep(files, one, io.BytesIO(EXAMPLE.read_bytes()), "cat.png")["id"]
    assert (files.may(one, kept), files.may(other, kept)) == (True, False)
    assert Files(private=True).may(one, kept)  # a server that starts anew
    Job("20260101-000000-000000-aaaa", "other", "edit", {"target": kept, "deep": [kept]}, state="done").keep()
    assert not files.may(other, kept)  # an id in a prompt grants nothing
    Job("20260101-000000-000000-aaab", "other", "edit", {"image": kept}, state="done").keep()
    assert files.may(other, kept)
    job = Job("20260101-000000-000000-bbbb", "one", "edit", {}, state="done", files=["a-1.png"])
    job.keep()
    (job.folder / "a-1.png").write_bytes(EXAMPLE.read_bytes())
    assert (files.may(one, f"{job.id}/a-1.png"), files.may(other, f"{job.id}/a-1.png")) == (True, False)
    job.lay_beside("mask", torch.zeros(3, 8, 8))
    assert (files.may(one, f"{job.id}/beside/mask.png"), files.may(other, f"{job.id}/beside/mask.png")) == (True, False)
    assert Files(private=False).may(other, f"{job.id}/a-1.png")  # one person's browsers share what was made


def test_a_damaged_table_of_owners_is_set_aside(home: Path) -> None:
    page().mkdir(parents=True)
    (page() / "owners.sqlite").write_bytes(b"no database" * 1000)
    files = Files(private=True)
    kept = uploads.keep(files, Caller("one"), io.BytesIO(EXAMPLE.read_bytes()), "cat.png")["id"]
    assert files.may(Caller("one"), kept)
    assert (page() / "owners.damaged").is_file()


def test_the_answers_to_wrong_requests_are_sentences_in_the_callers_language(client: TestClient) -> None:
    for body, field, english, chinese in (
        ("{", None, "not JSON", "不是可读的 JSON"),
        ("[]", None, "must be a JSON object", "JSON 对象"),
        ("", None, "has no body", "没有内容"),
        ("[" * 100_000, None, "not JSON", "不是可读的 JSON"),
        ("{}", "image", "image is required", "image 是必填项"),
        ('{"image": 3}', "image", "image must be words", "必须是可用的文字"),
        ('{"image": "x", "target": "a"}', "target", "target must be a list", "必须是列表"),
        ('{"image": "x", "target": ["a"], "no": 1}', "no", "no is not a setting of this request", "没有 no 这个设置"),
    ):
        for language, words in (("en", english), ("zh-CN,zh;q=0.9", chinese)):
            headers = {"accept-language": language, "content-type": "application/json"}
            answer = client.post("/api/edit", content=body, headers=headers)
            assert answer.status_code in (400, 422)
            assert set(answer.json()) == {"error", "field"}
            assert words in answer.json()["error"], answer.json()
            assert answer.json()["field"] == field
    json = {"content-type": "application/json"}
    answer = client.post("/api/generate", content=b'{"prompt": "half \\ud800"}', headers=json)
    assert (answer.status_code, "invalid characters" in answer.json()["error"]) == (422, True)
    for method, path, status in (("GET", "/nothing", 404), ("DELETE", "/api/files", 405), ("POST", "/", 405)):
        answer = client.request(method, path, params={"lang": "zh"})
        assert (answer.status_code, set(answer.json())) == (status, {"error", "field"})
        assert "/docs" in answer.json()["error"]


def test_what_nobody_foresaw_is_a_sentence_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("regrow.interfaces.server.routes.jobs._listed", fail)
    answer = client.get("/api/jobs")
    assert (answer.status_code, answer.json()["error"]) == (
        500, "There is an error in regrow: RuntimeError: two lines",
    )  # fmt: skip
    assert "content-security-policy" in answer.headers


def test_random_bodies_never_end_in_anything_but_a_sentence(client: TestClient) -> None:
    for _ in range(30):
        for path in ("/api/edit", "/api/generate", "/api/files"):
            answer = client.post(path, content=secrets.token_bytes(200), headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500
            assert set(answer.json()) == {"error", "field"}


def test_the_api_describes_itself(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    page = client.get("/docs").text
    for path in ("/api/files", "/api/jobs/{job_id}/wait", "/api/edit", "/api/events"):
        assert path in paths
        assert path in page
    assert "<script" not in page


@pytest.mark.parametrize(("verb", "settings", "field"), [
    ("edit", {}, "image"),
    ("generate", {}, "prompt"),
    ("interpolate", {"first": "a cat", "second": "a dog", "count": " "}, "count"),
    ("replay", {}, "file"),
])  # fmt: skip
def test_a_command_of_wrong_settings_is_refused_by_its_field(
    client: TestClient, verb: str, settings: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/command", json={"verb": verb, "settings": settings})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_half_letters_are_refused_in_a_sentence(client: TestClient) -> None:
    for path, body in (
        ("/api/tune", b'{"lyrics": "la la", "tune": "C4 D4", "singer": "\\ud800"}'),
        ("/api/command", b'{"verb": "generate", "settings": {"prompt": "a \\ud800"}}'),
        ("/api/generate", b'{"prompt": "a \\ud800"}'),
        ("/api/generate", b'{"\\ud800": 1}'),
    ):
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422), path
        assert "surrogates not allowed" not in answer.json()["error"]
