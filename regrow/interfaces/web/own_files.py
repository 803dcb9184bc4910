"""Whose files are whose: what a caller uploaded or was shown, and what its own jobs made.

One table answers for all ways to a file: what an API call names, what is fetched, painted, listed, read and deleted.
"""

import glob
import hashlib
import json
import os
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from regrow.interfaces.web.places import KEPT, made, page
from regrow.media.files import file_hash

COOKIE = "regrow"
"""What a browser is known by. Scripts cannot read it, and other sites' requests do not carry it."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    Attributes:
        name: of the browser, made of its cookie; "" for a program that keeps no cookies.
        names: those under which its files are noted. A program without cookies shares one name with all others like
            it, and is held apart from them by the names of the files alone, which nobody can guess.
        fresh: the cookie that the answer hands out, where the request had none.
    """

    name: str = ""
    names: frozenset[str] = frozenset([""])
    fresh: str = ""

    @classmethod
    def of(cls, cookie: str) -> "Caller":
        """The caller with this cookie, or one that gets its first."""
        if cookie:
            name = _named(cookie)
            return cls(name, frozenset([name]))
        fresh = secrets.token_urlsafe(24)
        return cls("", frozenset(["", _named(fresh)]), fresh)


def caller_of(request: gr.Request | None) -> Caller:
    """Return who sent a request that gradio hands to a handler."""
    scope = getattr(getattr(request, "request", None), "scope", {})
    return scope.get(COOKIE, Caller())


def owner_of(request: gr.Request) -> str:
    """Return the name that jobs are noted under: the browser's, or of a program without cookies its session's."""
    return caller_of(request).name or (f"session {request.session_hash}" if request.session_hash else "")


class OwnFiles:
    """Which files each caller may name and fetch.

    Args:
        private: whether callers are held apart in what was made, too; else one person's browsers share the history.
    """

    def __init__(self, private: bool) -> None:
        self.private = private
        self._granted: defaultdict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def grant(self, caller: Caller, *files: str | Path) -> None:
        """Note files that a caller uploaded or was shown."""
        with self._lock:
            for file in files:
                self._granted[os.path.realpath(file)] |= caller.names

    def named(self, caller: Caller, file: str) -> str | None:
        """The file that a caller may hand on as an input, its links resolved; None where it may not."""
        if "\0" in file:
            return None
        real = os.path.realpath(file)
        with self._lock:
            own = bool(self._granted.get(real, frozenset()) & caller.names)
        return real if own and os.path.isfile(real) else None

    def may_fetch(self, caller: Caller, file: str) -> bool:
        """Whether a caller may read a file: one that it may name, or one of its jobs'."""
        return self.named(caller, file) is not None or ("\0" not in file and self.of_jobs(caller.name, Path(file)))

    def of_jobs(self, owner: str, file: Path) -> bool:
        """Whether a file was made by a job of this owner or made something in one; of anybody, unless private."""
        real = file.resolve()
        if real.parent in (page().resolve() / kept for kept in KEPT):
            return not self.private or any(str(real) in job["settings"].values() for job in _jobs(owner))
        root = made().resolve()
        if not real.is_relative_to(root) or len(real.relative_to(root).parts) < 2 or real.name == "job.json":
            return False
        return not self.private or any(job["id"] == real.relative_to(root).parts[0] for job in _jobs(owner))

    def in_recipe(self, owner: str, known: Any) -> Path | None:
        """The file that a recipe names, if it is this owner's and unchanged: a recipe comes from anyone.

        Args:
            owner: whose files count.
            known: of the recipe: "file", of which the last part counts, and "hash" or "file_hash".
        """
        if not isinstance(known, dict) or not isinstance(known.get("file"), str) or "\0" in known["file"]:
            return None
        name = glob.escape(re.split(r"[/\\]", known["file"])[-1])  # older recipes hold whole paths
        if name in ("", ".", ".."):
            return None
        found = [file for folder in (*KEPT, "made/*") for file in page().glob(f"{folder}/{name}")]
        own = (file for file in found if file.is_file() and self.of_jobs(owner, file))
        noted = known.get("file_hash", known.get("hash"))
        return next((file.resolve() for file in own if file_hash(file) == noted), None)


def _jobs(owner: str) -> Iterator[dict[str, Any]]:
    """What is written down of an owner's jobs, the newest first."""
    for file in sorted(made().glob("*/job.json"), reverse=True) if owner else ():
        try:
            job = json.loads(file.read_text(encoding="utf-8"))
            if job["owner"] == owner and isinstance(job["settings"], dict) and job["id"] == file.parent.name:
                yield job
        except (OSError, ValueError, KeyError, TypeError):
            continue  # one that is not whole, or no job of ours


def _named(cookie: str) -> str:
    """A name that does not give the cookie away: it is written down in job.json."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]
