"""POST /api/frame says what an edit's own arithmetic says: the page draws what the model will see."""

import io
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from web_server import Server

from regrow.interfaces.server.routes.frames import tiles_of
from regrow.media.image.framing import Box, Placement

WIDE = 900, 600


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    with server.caller() as client:
        yield client


def kept(client: httpx.Client, pixels: np.ndarray) -> str:
    return client.post("/api/files", params={"name": "a.png"}, content=png(pixels)).json()["id"]


@pytest.fixture(scope="module")
def picture(client: httpx.Client) -> str:
    return kept(client, np.full((*WIDE[::-1], 3), 90, "uint8"))


def frame(client: httpx.Client, **settings: Any) -> dict[str, Any]:
    answer = client.post("/api/frame", json={"model": "storybook", **settings})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_storybook_crops(client: httpx.Client, picture: str) -> None:
    found = frame(client, image=picture)
    assert found["source"] == {"top": 0, "left": 150, "height": 600, "width": 600}
    assert found["target"] == {"top": 0, "left": 0, "height": found["frame"][0], "width": found["frame"][1]}
    assert found["tiles"] == []


def test_a_mask_and_a_region_narrow_the_part_that_is_seen(client: httpx.Client, picture: str) -> None:
    mask = np.zeros(WIDE[::-1], "uint8")
    mask[400:440, 700:760] = 255
    masked = frame(client, image=picture, mask=kept(client, mask), frame="region")["source"]
    assert masked["left"] <= 700 <= 760 <= masked["left"] + masked["width"] < 900
    assert masked["top"] <= 400 <= 440 <= masked["top"] + masked["height"] < 600
    boxed = frame(client, image=picture, region="0.1,0.1,0.2,0.2", frame="region")["source"]
    assert boxed["left"] <= 90
    assert boxed["left"] + boxed["width"] < 600


def test_tiles_cover_the_picture(client: httpx.Client, picture: str) -> None:
    tiles = frame(client, image=picture, frame="whole", tiles=True)["tiles"]
    assert len(tiles) > 2
    assert min(tile["left"] for tile in tiles) == min(tile["top"] for tile in tiles) == 0
    assert max(tile["left"] + tile["width"] for tile in tiles) == pytest.approx(900)
    assert max(tile["top"] + tile["height"] for tile in tiles) == pytest.approx(600)


def test_tiles_are_those_that_the_model_takes() -> None:
    model: Any = SimpleNamespace(size=(64, 64), factor=8)
    placement = Placement("whole", (64, 112), Box(0, 0, 64, 112), (64, 112), Box(0, 0, 64, 112))
    assert [(tile["left"], tile["width"]) for tile in tiles_of(placement, model)] == [(0, 64), (48, 64)]


def test_what_is_no_picture_has_no_frame(client: httpx.Client) -> None:
    with open("examples/piano.flac", "rb") as sound:
        file_id = client.post("/api/files", params={"name": "a.flac"}, content=sound.read()).json()["id"]
    answer = client.post("/api/frame", json={"image": file_id})
    assert answer.status_code == 400
    assert "not a picture" in answer.json()["error"]
