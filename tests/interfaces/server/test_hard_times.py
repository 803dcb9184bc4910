"""A disk that is full for real, and hundreds of connections that send nothing: the server goes on answering."""

import random
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from web_server import EXAMPLE, Server

MOUNTED = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"'
SLOW = 300


def noise(seed: int) -> bytes:
    """A picture of 200 kB that nothing makes smaller, another one for each seed."""
    return b"P6 256 256 255 " + random.Random(seed).randbytes(256 * 256 * 3)


def is_sentence(answer: httpx.Response) -> bool:
    return set(answer.json()) == {"error", "field"} and "regrow:" not in answer.json()["error"]


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0, reason="no namespaces here"
)
def test_a_disk_that_fills_up_is_said_and_the_server_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    server = Server(disk / "home", before=["unshare", "-rm", "sh", "-c", MOUNTED, str(disk)])
    inside = Path(f"/proc/{server.process.pid}/root{disk}")
    try:
        with server.caller() as client:
            kept = client.post("/api/files?name=cat.png", content=EXAMPLE.read_bytes()).json()["id"]
            answers = [client.post("/api/files?name=a.ppm", content=noise(i)) for i in range(20)]
            refused = [answer for answer in answers if answer.status_code != 200]
            assert {answer.status_code for answer in refused} == {507}
            assert all(map(is_sentence, refused))
            with (inside / "filler").open("wb", buffering=0) as filler, suppress(OSError):  # to the last byte
                while True:
                    filler.write(b"0" * 4096)
            asked = client.post("/api/edit", json={"image": kept, "target": ["a dog"], "source": "a cat"})
            assert (asked.status_code, is_sentence(asked)) == (507, True)
            put = client.put("/api/presets/mine", json={"verb": "edit", "settings": {}})
            assert (put.status_code >= 400, is_sentence(put)) == (True, True)
            for road in ("/", "/api/jobs", "/api/history", "/api/models", "/api/presets", f"/api/files/{kept}"):
                assert client.get(road).status_code == 200, road
            (inside / "filler").unlink()
            assert client.put("/api/presets/mine", json={"verb": "edit", "settings": {}}).status_code == 200
        assert server.process.poll() is None
    finally:
        server.stop()
    assert "Traceback" not in capfd.readouterr().err


def test_connections_that_send_nothing_keep_nobody_from_being_answered(server: Server) -> None:
    with ExitStack() as held:
        for i in range(SLOW):
            line = held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if i % 3 == 1:
                line.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            elif i % 3 == 2:
                line.sendall(
                    b"POST /api/edit HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    b"Content-Length: 900000\r\n\r\n{"
                )
        with server.caller() as client:
            for _ in range(5):
                assert client.get("/api/jobs").status_code == 200
                assert "items" in client.get("/api/history").json()
