"""The page's server over HTTP: what it refuses, and its API."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest
from web_server import EXAMPLE, PATIENCE, PROGRAM, Server, status

from regrow.media.image.picture import read_recipe


@pytest.mark.parametrize(
    "path",
    [
        "file=/etc/passwd",
        "file=../../../../etc/passwd",
        "file=%2e%2e/%2e%2e/etc/passwd",
        "file=/proc/self/environ",
        "file=pyproject.toml",
        "file=C:/etc/passwd",
        "file=http://127.0.0.1:1/",
        "file=https://example.org/",
        "file/etc/passwd",
        "proxy=https://example.org/",
    ],
)
def test_no_file_outside_can_be_read(server: Server, path: str) -> None:
    assert status(server.address, f"/gradio_api/{path}") in (403, 404)


def test_its_home_is_not_its_to_show_and_other_names_are_refused(server: Server) -> None:
    assert status(server.address, "/") == 200
    assert status(server.address, "/docs") == 404
    for host in ("evil.example", "evil.example:80"):
        assert status(server.address, "/", Host=host) == 403
    for host in ("localhost", "127.0.0.2:7860", "[::1]:7860"):  # whatever --host names of this computer
        assert status(server.address, "/", Host=host) == 200
    with urllib.request.urlopen(server.address + "/") as answer:
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "fonts.googleapis.com" not in answer.read().decode()


def test_uploads_are_bounded_and_a_second_server_is_refused(server: Server) -> None:
    too_much = {"files": ("big.png", bytes(31_000_000))}
    assert httpx.post(f"{server.address}/gradio_api/upload", files=too_much).status_code == 413
    elsewhere = {"origin": "https://evil.example"}
    small = {"files": ("small.png", EXAMPLE.read_bytes())}
    assert httpx.post(f"{server.address}/gradio_api/upload", files=small, headers=elsewhere).status_code == 403
    assert httpx.post(f"{server.address}/gradio_api/upload", files=small).status_code == 200
    second = subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", "--no-browser"],
        env={**os.environ, "REGROW_HOME": str(server.home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 1
    assert second.stderr == (
        f"regrow: The page is open already, at {server.address}/; end that one first, or set REGROW_HOME to another "
        "folder.\n"
    )


def test_the_http_api_edits_as_documented(server: Server) -> None:
    """The example of docs/page.md."""
    text = (Path(__file__).parents[2] / "docs" / "page.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    shown: dict = {}
    exec(code.replace("http://127.0.0.1:7860", server.address).replace("examples/cat.png", str(EXAMPLE)), shown)
    recipe = read_recipe(shown["files"][0])
    assert recipe is not None
    assert recipe["settings"]["target"] == ["an orange puppy on a beach"]
    client = shown["client"]
    made = client.predict("a white rabbit in the snow", "storybook", 3, 2, 0, api_name="/generate")
    assert [read_recipe(file)["settings"]["seed"] for file in made] == [3, 3]  # of the first; the second has one more
    hostile = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    # not by the client, which would upload its own machine's file
    call = f"{server.address}/gradio_api/call/edit"
    event = httpx.post(call, json={"data": [hostile, "a", "b", 0.5]}).json()["event_id"]
    assert "event: error" in httpx.get(f"{call}/{event}", timeout=PATIENCE).text
    taken = [path for path in (server.home / "page").rglob("*") if path.is_file()]
    assert not [path for path in taken if b"root:" in path.read_bytes()]
