"""A hub on this machine: what `huggingface_hub` asks for over HTTP to read a model, from a folder; lines can be cut."""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "c0ffee" + 34 * "0"


class HubServer:
    """Serves the repositories `user/repo` in a folder.

    Attributes:
        asked: the file's name and its first byte for every answer to a request for a file.
        cut: for a file's name, the byte at which every answer with it breaks off.
        refused: for a file's name, the status that is answered.
        licence: that the cards state; "" for none.
        gate: the token that is let in to files, as on a gated repository; "" where all are.
        tokens: of the requests for files, "" without one.
        ranges: whether it goes on at a byte that is asked for, or sends the whole again.
        sending: called with the file's name and the number of bytes after every piece that was sent.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commit = COMMIT
        self.asked: list[tuple[str, int]] = []
        self.cut: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.licence = ""
        self.gate = ""
        self.tokens: list[str] = []
        self.ranges = True
        self.sending: Callable[[str, int], None] = lambda name, sent: None
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):  # who asked is gone
                    hub.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def siblings(self, repo: str) -> list[dict]:
        """Every file with its size, and the large ones with the hash that git-lfs keeps of them."""
        found = []
        for path in sorted(path for path in (self.root / repo).rglob("*") if path.is_file()):
            data = path.read_bytes()
            sibling: dict = {"rfilename": path.relative_to(self.root / repo).as_posix(), "size": len(data)}
            if path.suffix in (".safetensors", ".bin", ".gguf"):
                sibling["lfs"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 130}
            found.append(sibling)
        return found

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.split("?")[0]
        if asked := re.fullmatch(r"/api/models/([^/]+/[^/]+)", path):
            told: dict = {"id": asked[1], "sha": self.commit, "private": False, "siblings": self.siblings(asked[1])}
            told |= {"cardData": {"license": self.licence}} if self.licence else {}
            told |= {"gated": "manual"} if self.gate else {}
            self._reply(request, 200, json.dumps(told).encode())
            return
        asked = re.fullmatch(rf"/([^/]+/[^/]+)/resolve/{self.commit}/(.+)", path)
        file = self.root / asked[1] / asked[2] if asked else None
        if not asked or not file or not file.is_file():
            self._reply(request, 404, b"")
            return
        name, data = asked[2], file.read_bytes()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens.append(token)
        if name in self.refused or (self.gate and token != self.gate):
            gated = {"X-Error-Code": "GatedRepo"} if name not in self.refused else {}
            self._reply(request, self.refused.get(name, 403 if token else 401), b"", gated)
            return
        if first := re.fullmatch(r"bytes=0-(\d+)", request.headers.get("Range", "") if self.ranges else ""):
            self._reply(request, 206, data[: int(first[1]) + 1])
            return
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "") if self.ranges else "")
        start = int(wanted[1]) if wanted else 0
        self.asked.append((name, start))
        request.send_response(206 if wanted else 200)
        if wanted:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        end = min(len(data), self.cut.get(name, len(data)))
        for at in range(start, end, 1 << 20):
            request.wfile.write(data[at : min(end, at + (1 << 20))])
            self.sending(name, min(end, at + (1 << 20)))
        if end < len(data):
            request.close_connection = True

    def _reply(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
