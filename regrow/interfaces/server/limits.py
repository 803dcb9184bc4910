"""Limits of a server for each user, and how its host changes them."""

import math
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from regrow.messages.message import say


@dataclass(frozen=True)
class Limits:
    """Limits of a server; 0 for no limit. All programs without cookies count as one user.

    Attributes:
        jobs: waiting jobs per user.
        megapixels: of all pictures in a user's waiting jobs, size times number.
        minutes: of computing per user within an hour, after which no further job is accepted.
        gigabytes: of a user's uploads and results on disk.
        uploads: gigabytes of all users' uploads.
        days: after which an upload is removed if no job in the history names it.
    """

    jobs: float = 200
    megapixels: float = 20_000
    minutes: float = 0
    gigabytes: float = 500
    uploads: float = 100
    days: float = 365


AT_HOME = Limits()
"""Default limits without a password, where all browsers belong to one user."""
SHARED = Limits(jobs=40, megapixels=1000, minutes=30, gigabytes=10, uploads=20, days=7)
"""Default limits with a password."""


def limits_of(file: Path | None, private: bool) -> Limits:
    """Return the default limits of a server, with changes from a file.

    Args:
        file: TOML, one limit per line, such as `jobs = 100`; None for no changes.
        private: whether there is a password.

    Raises:
        ValueError: the file cannot be read, or an entry is not a valid limit.
    """
    usual = SHARED if private else AT_HOME
    if file is None:
        return usual
    try:
        said: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise ValueError(say("limits_unreadable", file=file, reason=str(reason))) from problem
    known = [field.name for field in fields(Limits)]
    for name, value in said.items():
        if name not in known:
            raise ValueError(say("limit_unknown", file=file, name=name, names=", ".join(known)))
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise ValueError(say("limit_out_of_range", file=file, name=name, given=str(value)))
    return replace(usual, **said)
