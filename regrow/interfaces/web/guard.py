"""What stands before gradio's routes: only this page, only this computer's files, nothing from the network."""

from urllib.parse import unquote

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


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
        name = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0] if b"host" in headers else ""
        path = unquote(unquote(scope["path"]))
        if self.local and name not in LOCAL_NAMES:
            await PlainTextResponse("This page answers to this computer alone.", 403)(scope, receive, send)
            return
        if "/proxy=" in path or "file=http" in path:  # gradio would fetch that address for whoever asks
            await PlainTextResponse("This page fetches nothing from the network.", 403)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        await self.app(scope, receive, told)
