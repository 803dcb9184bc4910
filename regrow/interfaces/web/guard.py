"""What stands before gradio's routes: only this page, only this computer's files, nothing from the network.

And one line of script that has to come before gradio's own.
"""

import ipaddress
from urllib.parse import unquote, urlsplit

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrow.interfaces.web.assets import asset

CHINESE = f"<script>\n{asset('chinese.js')}</script>".encode()
"""Comes first in the page's head, before gradio's own script."""
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)


def is_local(host: str) -> bool:
    """Whether an address is reached from this computer alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def fetch_nothing(url: str, cache_dir: str) -> str:
    """In place of gradio's download of whatever address an API call names where a file should be.

    Raises:
        gr.Error: always.
    """
    raise gr.Error("This page fetches nothing from the network: upload the file itself.", print_exception=False)


class Guard:
    """Refuses what the page never asks for, and tells the browser to load nothing from elsewhere.

    Args:
        app: gradio's.
        local: whether the page is for this computer alone; then a request under another name is one that some website
            has led here (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, local: bool) -> None:
        self.app, self.local = app, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        name = host.rsplit(":", 1)[0]
        path = unquote(unquote(scope["path"]))
        if self.local and not is_local(name.strip("[]")):
            await PlainTextResponse("This page answers to this computer alone.", 403)(scope, receive, send)
            return
        if "/proxy=" in path or "file=http" in path:  # gradio would fetch that address for whoever asks
            await PlainTextResponse("This page fetches nothing from the network.", 403)(scope, receive, send)
            return

        origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
        if self.local and scope["method"] == "POST" and origin and origin != host:
            await PlainTextResponse("Another site may send nothing to this page.", 403)(scope, receive, send)
            return

        page = path == "/"
        start: Message = {}
        body = bytearray()

        async def status(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
                if page:
                    start.update(message)
                    return
            elif page:  # gradio puts what it is given for the head there too late
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                whole = bytes(body).replace(b"<head>", b"<head>" + CHINESE, 1)
                length = (b"content-length", str(len(whole)).encode())
                start["headers"] = [*(one for one in start["headers"] if one[0] != length[0]), length]
                await send(start)
                message = {"type": "http.response.body", "body": whole}
            await send(message)

        await self.app(scope, receive, status)
