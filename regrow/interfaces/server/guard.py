"""Checks before all routes: local access or the password, no requests from other sites, and limited bodies.

Every answer passes through here, and gets headers that keep the page from contacting other hosts.
"""

import html
import ipaddress
import sys
import traceback
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrow.interfaces.server.cookies import cookie_in, cookie_set
from regrow.interfaces.server.errors import Refused, is_full, refusal
from regrow.interfaces.server.login import LASTS, SESSION, USER, Login, login_page
from regrow.interfaces.server.sessions import COOKIE, Caller, language_of
from regrow.interfaces.server.texts import said
from regrow.interfaces.server.threads import in_thread

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: data:; connect-src 'self' blob: data:; "
        "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'; base-uri 'self'; "
        "object-src 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with "no-referrer", the page's own forms would have the origin "null"
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
MOST_BYTES = {"/api/files": 30_000_000, "/api/sets/": 30_000_000, "/api/project": 500_000_000}
"""The largest body in bytes, by prefix of the address."""
MOST_OTHER = 1_000_000
YEAR = 31_536_000


def is_local(host: str) -> bool:
    """Return whether only this computer can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Refuses requests from other sites or without the password, and identifies the sender of all others.

    Args:
        app: the routes.
        login: knows the password; None if there is none. Then requests to another host name than this computer's own
            are refused, as a website may have caused them (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, login: Login | None) -> None:
        self.app, self.login = app, login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # the page uses none
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        language = language_of(query.get("lang", [""])[0], headers.get("accept-language", ""))
        caller = Caller.of(cookie_in(headers, COOKIE), language)
        added: list[str] = []
        send = _with_headers(send, added)
        refused = _another_sites(scope, headers, language, self.login is not None)
        if refused is None:
            if caller.fresh and not _led_here_perhaps(headers):
                added.append(cookie_set(COOKIE, caller.fresh, YEAR, scope))
            refused = await self._locked(scope, headers, receive, language, added)
        if refused:
            await refused(scope, receive, send)
            return
        await self._answered({**scope, COOKIE: caller}, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer; answer unexpected errors with a sentence, and print them for the host."""
        begun, session, language = False, scope.get(SESSION, ""), scope[COOKIE].language

        def is_out() -> bool:
            return bool(session) and not (self.login and self.login.knows(session))

        async def sent(message: Message) -> None:
            nonlocal begun
            if is_out():  # logged out during the answer
                raise _LoggedOutError
            begun = True
            await send(message)

        most = next((most for start, most in MOST_BYTES.items() if scope["path"].startswith(start)), MOST_OTHER)
        try:
            await self.app(scope, _bounded(receive, most), sent)
        except Exception as problem:
            if is_out():
                await _ended(scope, receive, send, begun, language)
            elif not begun:
                if isinstance(problem, Refused):
                    answer = refusal(problem.status_code, problem.sentence(language), problem.field)
                else:
                    traceback.print_exception(problem, file=sys.stderr)
                    kind, words = type(problem).__name__, " ".join(str(problem).split())
                    status = 507 if is_full(problem) else 500
                    answer = refusal(status, said("broken", language, kind=kind, problem=words))
                await answer(scope, receive, send)

    async def _locked(
        self, scope: Scope, headers: dict[str, str], receive: Receive, language: str, added: list[str]
    ) -> Response | None:
        """Return the answer of /login and /logout, or to a request without the password; None for other requests."""
        if self.login is None:
            return None
        token, path = cookie_in(headers, SESSION), scope["path"]
        address = scope["client"][0] if scope.get("client") else ""
        if path == "/logout" and scope["method"] == "POST":
            await in_thread(self.login.end, token)
            scope["app"].state.events.publish("queue", None, key="queue")  # wakes its streams, so that they end
            added.append(cookie_set(SESSION, "", 0, scope))
            return RedirectResponse("/login", 303)
        if path == "/login":
            if scope["method"] != "POST":
                return HTMLResponse(login_page(language))
            return await self._logged_in(scope, receive, address, language, added)
        if self.login.knows(token):
            scope[SESSION] = token
            return None
        basic = headers.get("authorization", "")
        if basic:
            if seconds := self.login.throttle.wait(address):
                return _wait(seconds, language)
            right = self.login.by_basic(basic)
            if right is not None:
                self.login.throttle.note(address, right)
            if right:
                return None
        if "text/html" in headers.get("accept", "") and scope["method"] == "GET":
            return RedirectResponse("/login", 303)
        # browsers would open their own dialog, but the page already has a form
        asks = {} if "sec-fetch-site" in headers else {"www-authenticate": f'Basic realm="{USER}", charset="UTF-8"'}
        return refusal(401, said("wrong_password" if basic else "log_in", language), headers=asks)

    async def _logged_in(
        self, scope: Scope, receive: Receive, address: str, language: str, added: list[str]
    ) -> Response:
        """Return the answer to the login form."""
        assert self.login
        body = b""
        try:
            receive = _bounded(receive, 10_000)
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
        except Refused as problem:
            return refusal(problem.status_code, problem.sentence(language))
        # checked after the body is read: many forms could have been begun before the first wrong guess
        if seconds := self.login.throttle.wait(address):
            sentence = said("too_many_guesses", language, seconds=seconds)
            return HTMLResponse(login_page(language, sentence), 429, headers={"retry-after": str(seconds)})
        given = parse_qs(body.decode("utf-8", "replace"))
        right = self.login.is_right(given.get("username", [USER])[0], given.get("password", [""])[0])
        self.login.throttle.note(address, right)
        if not right:
            return HTMLResponse(login_page(language, said("wrong_password", language)), 401)
        added.append(cookie_set(SESSION, await in_thread(self.login.begin), LASTS, scope))
        return RedirectResponse("/", 303)


class _LoggedOutError(Exception):
    """Ends an answer whose receiver has logged out in the meantime."""


async def _ended(scope: Scope, receive: Receive, send: Send, begun: bool, language: str) -> None:
    """Answer a receiver that has logged out in the meantime, or end its stream."""
    if not begun:
        await refusal(401, said("log_in", language))(scope, receive, send)
        return
    await send({"type": "http.response.body", "body": b""})


def _another_sites(scope: Scope, headers: dict[str, str], language: str, named: bool) -> Response | None:
    """Return the answer to a request from another site or to another host name; None for all others."""
    host = headers.get("host", "").lower()
    origins = [value.decode("latin-1").lower() for key, value in scope["headers"] if key == b"origin"]
    if not named and not is_local(host.rsplit(":", 1)[0].strip("[]")):
        return refusal(403, said("only_here", language))
    ours = {f"{scheme}://{host}" for scheme in ("http", "https") if host}
    if not set(origins) <= ours:
        return refusal(403, said("other_site", language))
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        leads = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if leads and scope["method"] == "GET":
            return HTMLResponse(_door(language), 403)
        return refusal(403, said("other_site", language))
    return None


def _door(language: str) -> str:
    """Return a page with a link: following it sends the cookies, which a request from another site does not carry."""
    said_first, _, link = said("door", language).partition("|")
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>regrow</title>'
        f'<p>{html.escape(said_first)} <a href="/">{html.escape(link)}</a>'
    )


def _wait(seconds: int, language: str) -> Response:
    sentence = said("too_many_guesses", language, seconds=seconds)
    return refusal(429, sentence, headers={"retry-after": str(seconds)})


def _bounded(receive: Receive, most: int) -> Receive:
    """Return a `receive` that limits the body to `most` bytes."""
    length = 0

    async def bounded() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > most:
            raise Refused(413, "too_large", most=most // 1_000_000 or 1)
        return message

    return bounded


def _with_headers(send: Send, cookies: list[str]) -> Send:
    """Return a `send` that adds the headers of every answer, and these cookies."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            added: list[Any] = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
            added += [(b"set-cookie", cookie.encode()) for cookie in cookies]
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sent


def _led_here_perhaps(headers: dict[str, str]) -> bool:
    """Return whether the request may come from a link on another site, and so lack cookies that the browser has."""
    return not {"sec-fetch-site", "origin"} & set(headers) and "text/html" in headers.get("accept", "")
