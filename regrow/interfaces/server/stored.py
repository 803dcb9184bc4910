"""Read JSON records from disk by a schema; invalid ones are set aside and reported, and the server continues."""

import math
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from regrow.media.files import MediaError, reason, write_whole
from regrow.messages.message import say

MOST_BYTES = 20_000_000
"""Largest record; larger ones were not written by regrow."""
MOST_NAMED = 100
"""Number of damaged files that are listed, the newest."""
ASIDE = ".damaged"
"""Suffix added to the name of a file that is set aside."""
_aside: dict[Path, str] = {}
_lock = threading.Lock()


class Stored(BaseModel):
    """A record on disk. Unknown fields, such as those of newer versions, are ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, populate_by_name=True)


S = TypeVar("S", bound=Stored)


def parse(data: bytes, schema: type[S]) -> S:
    """Return a record from its JSON.

    Raises:
        ValueError: it is not JSON of this schema, with a short phrase as reason. This includes deep nesting, numbers
            that are not finite, invalid Unicode and wrong types.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(say("record_too_large", count=len(data), most=MOST_BYTES))
    try:
        value: Any = from_json(data, allow_inf_nan=False)
    except ValueError as problem:
        raise ValueError(say("record_no_json", reason=reason(problem))) from problem
    if problem := unusable(value):
        raise ValueError(problem)
    try:
        return schema.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole"
        raise ValueError(f"{place}: {first['msg']}"[:200]) from problem


def read(path: Path, schema: type[S]) -> S | None:
    """Return the record in a file; None if there is none, or it is damaged.

    A damaged file is renamed to `NAME.damaged`, so that it is not read again, and listed by `damaged`.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ValueError(say("record_no_file"))
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ValueError(say("record_too_large", count=size, most=MOST_BYTES))
        return parse(path.read_bytes(), schema)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as problem:
        _note(path, reason(problem))
        with suppress(OSError):  # if it cannot be renamed, it is skipped each time
            path.rename(path.with_name(path.name + ASIDE))
        return None
    except OSError as problem:  # a problem of the system, not of the file, which may be readable next time
        _note(path, reason(problem))
        return None


def write(path: Path, record: Stored) -> None:
    """Write a record, whole or not at all; its folder is created.

    Raises:
        MediaError: the disk cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise MediaError(say("folder_not_made", folder=path.parent, reason=reason(problem))) from problem
    write_whole(path, record.model_dump_json(indent=1).encode())


class Damaged(BaseModel):
    """A record that could not be read: file, folder, and reason."""

    file: str
    why: str


def damaged() -> list[Damaged]:
    """Return the records that could not be read since the server started, newest last."""
    with _lock:
        return [Damaged(file=f"{path.parent.name}/{path.name}", why=why) for path, why in _aside.items()]


def unusable(value: Any) -> str:
    """Return why a value cannot be written as JSON again; "" if it can."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return "a number in it is not finite"
        if isinstance(one, int) and abs(one) >= 2**64:
            return "a number in it is too large"
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return ""


def _note(path: Path, why: str) -> None:
    with _lock:
        _aside[path] = why
        while len(_aside) > MOST_NAMED:
            del _aside[next(iter(_aside))]
