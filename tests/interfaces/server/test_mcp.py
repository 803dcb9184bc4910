"""`regrow serve --mcp`: an assistant edits by the official client; the server's rules hold for it, too."""

import asyncio
import base64
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client
from PIL import Image
from web_server import EXAMPLE, PATIENCE, Server

from regrow.interfaces.server.schemas.requests import REQUESTS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("mcp") / "home", options=["--mcp"])
    yield started
    started.stop()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("locked") / "home"
    started = Server(home, password="eight letters", options=["--mcp"])
    yield started
    started.stop()


def asked(server: Server, talk: Callable[[Client], Awaitable[Any]], mode: str = "auto") -> Any:
    async def session() -> Any:
        async with Client(f"{server.address}/mcp", read_timeout_seconds=PATIENCE, mode=mode) as client:  # pyright: ignore
            return await talk(client)

    return asyncio.run(session())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_all_verbs_are_tools_with_the_settings_of_the_api(server: Server, mode: str) -> None:
    listed = asked(server, lambda client: client.list_tools(), mode).tools
    tools = {tool.name: tool for tool in listed}
    assert set(REQUESTS) | {"train", "add_file", "list_models", "list_results", "show_result"} <= tools.keys()
    assert tools["edit"].input_schema["required"] == ["image"]
    assert "strength" in tools["edit"].input_schema["properties"]
    assert all(tool.description and tool.description.strip().endswith(".") for tool in listed)


def test_an_assistant_edits_a_picture_and_sees_the_result(server: Server) -> None:
    steps: list[tuple[float, float | None, str | None]] = []

    async def heard_of(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total, message))

    async def talk(client: Client) -> Any:
        file = await client.call_tool("add_file", {"path": str(EXAMPLE)})
        image = file.structured_content["id"]
        settings = {"image": image, "target": ["a puppy on a beach"], "source": "an orange cat on a beach", "steps": 4}
        edited = await client.call_tool("edit", settings, progress_callback=heard_of)
        shown = await client.call_tool("show_result", {"id": edited.structured_content["results"][0]["id"]})
        found = await client.call_tool("list_results", {"search": "PUPPY"})
        return image, edited, shown, found

    image, edited, shown, found = asked(server, talk)
    assert not edited.is_error, edited.content
    text, picture = edited.content
    assert json.loads(text.text) == edited.structured_content
    (result,) = edited.structured_content["results"]
    assert base64.b64decode(picture.data) == Path(result["path"]).read_bytes()
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).size == (256, 256)
    assert steps
    assert shown.structured_content["settings"]["image"] == image
    assert shown.content[1].data == picture.data
    assert [one["id"] for one in found.structured_content["results"]] == [result["id"]]


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("edit", {"image": "0" * 32 + ".png", "target": ["x"]}, "You have no file"),
        ("edit", {"image": "/etc/passwd", "target": ["x"]}, "You have no file"),
        ("edit", {"target": ["x"]}, "image: "),
        ("generate", {"prompt": "a cat", "evil": 1}, "evil: "),
        ("generate", {"prompt": "a cat", "steps": "many"}, "steps"),
        ("generate", {"prompt": "a cat", "model": "/etc"}, "There is no model"),
        ("add_file", {"path": "/etc/passwd"}, "not a picture"),
        ("add_file", {"path": "/nowhere.png"}, "There is no file"),
        ("add_file", {"data": "%"}, "not base64"),
        ("show_result", {"id": "../../etc/passwd"}, "There is no such result"),
        ("show_training", {"name": "nothing"}, "no training called nothing"),
        ("train", {"name": "../x", "world": "storybook"}, "Give the model a name"),
        ("format_disk", {}, "no tool called format_disk"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    server: Server, tool: str, arguments: dict[str, Any], sentence: str
) -> None:
    answer = asked(server, lambda client: client.call_tool(tool, arguments))
    assert answer.is_error
    assert sentence in answer.content[0].text


CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}],
)
def test_other_sites_and_names_get_nothing(server: Server, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{server.address}/mcp", json=CALL, headers=ACCEPT | headers)
    assert answer.status_code == 403
    assert "edit" not in answer.text


def test_the_password_is_asked_for_and_files_of_the_computer_are_not_named(locked: Server) -> None:
    assert httpx.post(f"{locked.address}/mcp", json=CALL, headers=ACCEPT).status_code == 401
    known = ("regrow", locked.password)
    assert httpx.post(f"{locked.address}/mcp", json=CALL, headers=ACCEPT, auth=known).status_code == 200
    call = CALL | {"method": "tools/call", "params": {"name": "add_file", "arguments": {"path": str(EXAMPLE)}}}
    refused = httpx.post(f"{locked.address}/mcp", json=call, headers=ACCEPT, auth=known, timeout=PATIENCE)
    assert "open to this computer alone" in refused.text


def test_without_the_option_there_is_no_such_address(tmp_path: Path) -> None:
    started = Server(tmp_path / "home")
    try:
        assert httpx.post(f"{started.address}/mcp", json=CALL, headers=ACCEPT).status_code in (404, 405)
    finally:
        started.stop()
