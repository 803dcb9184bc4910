"""The password: a login page for browsers, HTTP Basic for programs, and protection against guessing."""

import base64
import binascii
import hashlib
import hmac
import html
import json
import secrets
import threading
import time
from contextlib import suppress
from math import ceil
from pathlib import Path

from pydantic import Field

from regrow.interfaces.server.stored import Stored, read
from regrow.interfaces.server.texts import said
from regrow.media.files import write_whole

USER = "regrow"
SESSION = "regrow-session"
"""The cookie of a session, set at login."""
LASTS = 30 * 86_400
"""Duration of a session in seconds."""
FREE, MOST_WAIT = 5, 300
"""Wrong guesses of one address without a delay, and the longest delay in seconds after a further one."""
EVERYBODY, FREE_OF_ALL = "everybody", 50
"""Key that counts all addresses together, as a guesser may use or fake many, and its wrong guesses without a delay."""
SHORTEST = 8
"""Least characters of a password."""


class _Noted(Stored):
    """The stored sessions: hashes of their cookies, each with its end in seconds since 1970."""

    salt: str = Field(pattern="^([0-9a-f]{2})*$", max_length=64)
    password: str
    sessions: dict[str, float]


class Throttle:
    """Delays an address after wrong guesses, each time twice as long; logged-in users are not affected."""

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Return the seconds after which an address may guess again; 0 if it may now."""
        with self._lock:
            return max(self._wait(address, FREE), self._wait(EVERYBODY, FREE_OF_ALL))

    def note(self, address: str, right: bool) -> None:
        """Record a guess."""
        with self._lock:
            if right:
                self._wrong.pop(address, None)
                return
            now = time.monotonic()
            self._wrong = {one: (n, at) for one, (n, at) in self._wrong.items() if now - at < 4 * MOST_WAIT}
            for one in (address, EVERYBODY):
                self._wrong[one] = (self._wrong.get(one, (0, 0.0))[0] + 1, now)

    def _wait(self, address: str, free: int) -> int:
        count, last = self._wrong.get(address, (0, 0.0))
        if count < free:
            return 0
        return max(0, ceil(min(MOST_WAIT, 2 ** (count - free)) - (time.monotonic() - last)))


class Login:
    """Checks the password and keeps the sessions.

    Args:
        password: of the user "regrow".
        record: file with the hashes of the sessions, kept between starts; a changed password ends all sessions.
    """

    def __init__(self, password: str, record: Path) -> None:
        self.throttle = Throttle()
        self._password, self._record = password.encode(), record
        self._lock = threading.Lock()
        self._salt, self._sessions = self._read()

    def is_right(self, user: str, password: str) -> bool:
        """Return whether user name and password are correct."""
        right = hmac.compare_digest(password.encode(), self._password)
        return hmac.compare_digest(user.encode(), USER.encode()) and right

    def begin(self) -> str:
        """Start a session, and return its cookie."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            now = time.time()
            self._sessions = {one: until for one, until in self._sessions.items() if until > now}
            self._sessions[_hashed(token)] = now + LASTS
            self._keep()
        return token

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            if self._sessions.pop(_hashed(token), None):
                self._keep()

    def knows(self, token: str) -> bool:
        """Return whether a cookie belongs to a valid session."""
        return bool(token) and self._sessions.get(_hashed(token), 0) > time.time()

    def by_basic(self, header: str) -> bool | None:
        """Return whether an Authorization header is correct; None if its scheme is not HTTP Basic."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        with suppress(binascii.Error, UnicodeDecodeError):
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            return self.is_right(user, password)
        return False

    def _read(self) -> tuple[str, dict[str, float]]:
        noted = read(self._record, _Noted)
        if noted and hmac.compare_digest(noted.password.encode(), self._hash(noted.salt).encode()):
            return noted.salt, noted.sessions
        return secrets.token_hex(16), {}

    def _keep(self) -> None:
        noted = {"salt": self._salt, "password": self._hash(self._salt), "sessions": self._sessions}
        with suppress(OSError, ValueError):  # on a full disk, sessions end with the server
            self._record.parent.mkdir(parents=True, exist_ok=True)
            self._record.touch(mode=0o600)
            write_whole(self._record, json.dumps(noted).encode())
            self._record.chmod(0o600)

    def _hash(self, salt: str) -> str:
        return hashlib.scrypt(self._password, salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def login_page(language: str, sentence: str = "") -> str:
    """Return the login page, with an error sentence if given."""
    title, label, button = (said(f"login_{one}", language) for one in ("title", "password", "button"))
    wrong = f'<p role="alert">{html.escape(sentence)}</p>' if sentence else ""
    return f"""<!doctype html>
<html lang="{language}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
form {{ max-width: 20rem; margin: 20vh auto 0; padding: 1.5rem; display: grid; gap: 1rem; }}
input, button {{ font: inherit; padding: .6rem .8rem; border-radius: 8px; border: 1px solid GrayText; width: 100%;
  box-sizing: border-box; }}
button {{ background: #1a7f4b; color: #fff; border: 0; cursor: pointer; }}
h1 {{ font-size: 1.4rem; margin: 0; }} p {{ margin: 0; }}
</style>
<form method="post" action="/login">
<h1>regrow</h1>{wrong}
<label>{label}<input name="password" type="password" autocomplete="current-password" required autofocus></label>
<button>{button}</button>
</form>
</html>
"""


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
