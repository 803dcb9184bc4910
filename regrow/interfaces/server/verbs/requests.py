"""Convert a verb's settings in JSON to its request dataclass."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from regrow.interfaces.server.places import JOB, UPLOADED, kept_path
from regrow.interfaces.server.schemas.requests import FORMS
from regrow.interfaces.server.schemas.settings import settings_of
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.messages.message import say

Request = TypeVar("Request")
Find = Callable[[str, str], Path]
"""Returns the path of a file, by its id and the name of the field."""
TUNE = re.compile(r"[A-Ga-gRr#♯♭0-9.:|\s-]*")
"""Characters of a written tune, which exclude most file names, as these would be files of the server."""
WORDS_OR_FILES = ("tune", "first", "second")
"""Settings that hold either words or the id of a file."""
MOST_NAME = 1000
"""Most characters of a file name."""


def request_of(verb: str, kind: type[Request], settings: Mapping[str, Any], find: Find | None = None) -> Request:
    """Return the request with the given settings.

    Args:
        verb: of the request.
        kind: the class of the request, with a field for each setting.
        settings: of the request, with files by their ids.
        find: finds files; if not given, all files of the server, without checking their owner.

    Raises:
        MediaError: a file does not exist.
        ValueError: a setting is wrong.
    """
    find = find or (lambda file_id, _: kept_path(file_id))
    known, given = settings_of(FORMS[verb]), {}
    for name, value in settings.items():
        if value is None and not known[name].is_optional:
            continue  # keeps the request's default
        value = tuple(value) if isinstance(value, list) else value
        if isinstance(value, str) and known[name].is_file and value not in known[name].choices:
            value = find(value, name)
        elif name in WORDS_OR_FILES and value:
            value = _words_or_file(name, str(value), find)
        given[name] = value
    return kind(**given)


def is_id(text: str) -> bool:
    """Return whether a text has the form of a file's id."""
    job, _, name = text.rpartition("/")
    return bool(JOB.fullmatch(job.removesuffix("/beside")) if job else UPLOADED.fullmatch(name))


def _words_or_file(name: str, text: str, find: Find) -> str:
    """Return words unchanged, or the path of a file if they are its id.

    Raises:
        ValueError: they are the name of another file.
    """
    if is_id(text):
        return str(find(text, name))
    is_written = "\n" in text or (TUNE.fullmatch(text) and not Path(text).suffix[1:].isalpha())
    if name == "tune" and not is_written:
        raise ValueError(say("tune_malformed"))
    named = Path(text[:MOST_NAME]).suffix.lower() in (*PICTURES.suffixes, *SOUNDS.suffixes)
    # refused even if there is no such file, so that callers cannot find out which files the server has
    named = named or text.startswith(("/", "~", ".", "\\")) or (len(text) < MOST_NAME and os.path.lexists(text))
    if name != "tune" and "\n" not in text and named:
        raise ValueError(say("words_or_upload", name=name, file=Path(text).name[:80]))
    return text
