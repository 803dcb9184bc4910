"""What stands before gradio's routes: only this page and this computer's user, only their files, nothing fetched.

And one line of script that has to come before gradio's own.
"""

import ipaddress
import json
import re
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrow.interfaces.web.assets import asset
from regrow.interfaces.web.own_files import COOKIE, Caller, OwnFiles

CHINESE = f"<script>\n{asset('chinese.js')}</script>".encode()
"""Comes first in the page's head, before gradio's own script."""
HEADERS = {
    "content-security-policy": (
        "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without any referrer the page's own forms would come from the origin "null"
    "cross-origin-resource-policy": "same-origin",
}
UNUSED = re.compile(r"/(proxy=|component_server|process_recording|stream/|deep_link|vibe-|undo-vibe|run-history)")
"""Routes of gradio that the page never asks for: they fetch, store or change what callers name."""
FILE = re.compile(r"/gradio_api/file[=/]")
UPLOAD = "/gradio_api/upload"
DOOR = (
    '<!doctype html><meta charset="utf-8"><title>regrow</title><p>Another site led here. '
    '<a href="/">Open regrow</a><p lang="zh">这是从别的网站打开的。<a href="/">打开 regrow</a>'
)
YEAR = 31_536_000
Reader = Callable[[int, bytes], bytes]
"""Takes the status and the body of an answer, and returns the body that is sent."""


def is_local(host: str) -> bool:
    """Whether an address is reached from this computer alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Refuses what the page never asks for and what other sites ask, and says to each request who sent it.

    It stands before all of gradio's own layers, so that none of them answers in its place.

    Args:
        app: gradio's.
        files: whose files are whose.
        named: whether the page answers under any name: behind a password. Without one, a request under another name
            than this computer's own is one that some website has led here (DNS rebinding).
        public: further names of the page, as "host" or "host:port"; the tunnel of `--share` is known late.
    """

    def __init__(self, app: ASGIApp, files: OwnFiles, named: bool, public: set[str]) -> None:
        self.app, self.files, self.named, self.public = app, files, named, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # the page opens none
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        caller = Caller.of(_cookie(headers.get("cookie", "")))
        path = unquote(unquote(scope["path"]))
        refused = self._refused(scope, headers, path, caller)
        if refused:
            await refused(scope, receive, self._sent(send, {}))
            return
        reader: Reader | None = _with_first_script if path == "/" else None
        if scope["method"] == "POST" and path.rstrip("/") == UPLOAD:
            reader = partial(self._noted, caller)
        # the origin is ours, so no layer of gradio has to allow it; and what is read below may not be packed
        hidden = {b"origin", b"accept-encoding"} if reader else {b"origin"}
        scope = dict(scope, headers=[one for one in scope["headers"] if one[0] not in hidden], **{COOKIE: caller})
        fresh = "" if _led_here_perhaps(headers) else caller.fresh
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        added = {"set-cookie": f"{COOKIE}={fresh}; Path=/; Max-Age={YEAR}; HttpOnly{secure}"} if fresh else {}
        await self.app(scope, receive, self._sent(send, added, reader))

    def _noted(self, caller: Caller, status: int, body: bytes) -> bytes:
        """Note whose files were uploaded, as the answer lists them."""
        if status == 200:
            self.files.grant(caller, *json.loads(body))
        return body

    def _refused(self, scope: Scope, headers: dict[str, str], path: str, caller: Caller) -> Response | None:
        """The answer to what may not come here; None where it may."""
        host = headers.get("host", "").lower()
        origins = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"origin"]
        if not self.named and not is_local(host.rsplit(":", 1)[0].strip("[]")):
            return PlainTextResponse("This page answers to this computer alone.", 403)
        ours = {f"{scheme}://{name}" for scheme in ("http", "https") for name in (host, *self.public) if name}
        if not set(origins) <= ours:
            return PlainTextResponse("Another site may ask nothing of this page.", 403)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            leads = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            if leads and scope["method"] == "GET":
                return HTMLResponse(DOOR, 403)
            return PlainTextResponse("Another site may ask nothing of this page.", 403)
        if UNUSED.search(path) or "file=http" in path:  # gradio would fetch that address for whoever asks
            return PlainTextResponse("This page fetches nothing from the network.", 403)
        file = FILE.match(scope["path"])
        if file and not self.files.may_fetch(caller, scope["path"][file.end() :]):
            return PlainTextResponse("This is no file of yours on this page.", 403)
        return None

    def _sent(self, send: Send, added: dict[str, str], reader: Reader | None = None) -> Send:
        """`send` with the headers of every answer; one with a reader is sent when it is whole."""
        start: Message = {}
        body = bytearray()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = [(key.encode(), value.encode()) for key, value in (HEADERS | added).items()]
                message["headers"] = [(key, _strict(key, value)) for key, value in [*message.get("headers", ()), *ours]]
                if reader:
                    start.update(message)
                    return
            elif reader:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                whole = reader(start["status"], bytes(body))
                length = (b"content-length", str(len(whole)).encode())
                start["headers"] = [*(one for one in start["headers"] if one[0] != length[0]), length]
                await send(start)
                message = {"type": "http.response.body", "body": whole}
            await send(message)

        return sent


def _with_first_script(_: int, body: bytes) -> bytes:
    """The page with the script that gradio, given it for the head, would put there too late."""
    return body.replace(b"<head>", b"<head>" + CHINESE, 1)


def _strict(key: bytes, value: bytes) -> bytes:
    """A header; a cookie as one that requests from other sites do not carry: gradio's say SameSite=None."""
    if key != b"set-cookie":
        return value
    return re.sub(rb";\s*samesite=\w+", b"", value, flags=re.IGNORECASE) + b"; SameSite=Strict"


def _cookie(header: str) -> str:
    """What the page's own cookie says; "" where there is none."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return next((value for name, _, value in pairs if name == COOKIE), "")


def _led_here_perhaps(headers: dict[str, str]) -> bool:
    """Whether another site's link may have led here: its request lacks a cookie that the browser does have."""
    return not {"sec-fetch-site", "origin"} & set(headers) and "text/html" in headers.get("accept", "")
