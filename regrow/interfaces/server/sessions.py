"""Identify the sender of a request: browsers have a cookie, programs may have none."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

COOKIE = "regrow"
"""The cookie that identifies a browser. Scripts cannot read it, and requests from other sites do not carry it."""
PROGRAM = ""
"""The common owner of files and jobs of all programs without cookies, which have access by id."""


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    Attributes:
        owner: name of the owner of its jobs, a hash of its cookie.
        by_id: whether the request had no cookie. Such callers are separated only by the ids of their files and jobs,
            which nobody can guess.
        fresh: a new cookie for the answer, if the request had none.
        language: of the answers: "en" or "zh".
    """

    owner: str = PROGRAM
    by_id: bool = False
    fresh: str = ""
    language: str = "en"

    @classmethod
    def of(cls, cookie: str, language: str = "en") -> "Caller":
        """Return the caller with this cookie; without one, a caller with a new cookie."""
        if cookie:
            return cls(_named(cookie), language=language)
        fresh = secrets.token_urlsafe(24)
        return cls(_named(fresh), True, fresh, language)

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which its files are recorded."""
        return (self.owner, PROGRAM) if self.by_id else (self.owner,)


async def caller_of(request: Request) -> Caller:
    """Return the sender of a request, set by the guard. It is `async`, as FastAPI runs other functions in threads."""
    return request.scope[COOKIE]


Asker = Annotated[Caller, Depends(caller_of)]
"""The type of a route's argument that receives the caller."""


def language_of(query: str, header: str) -> str:
    """Return the language of the answers.

    Args:
        query: the value of `?lang=`; "" if there is none.
        header: the value of Accept-Language.
    """
    wanted = query or header.split(",")[0].strip()
    return "zh" if wanted.lower().startswith("zh") else "en"


def _named(cookie: str) -> str:
    """Return a hash of the cookie, which does not reveal it, as the name is stored in job.json."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32]
