"""Read the jobs of a batch from a file, and convert each line to a request."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

from regrow.interfaces.lyrics import with_lyrics
from regrow.media.files import MediaError, file_hash, readable
from regrow.messages.message import say, sentence_of

VERBS = ("edit", "generate", "extend", "interpolate")
"""Verbs that a job may have."""
MOST_BYTES = 2**28
"""Largest size of a file of jobs, in bytes."""


@dataclass(frozen=True)
class BatchJob:
    """A job of a batch.

    Attributes:
        line: its line number in the file, from 1.
        verb: one of `VERBS`.
        request: its settings.
    """

    line: int
    verb: str
    request: Any

    @cached_property
    def key(self) -> str:
        """The job's key, a hash of its settings and of its files' content; equal on all machines.

        Raises:
            MediaError: a file cannot be read.
        """
        settings = {name: _content(value) for name, value in asdict(self.request).items()}
        whole = json.dumps([self.verb, settings], sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(whole.encode(), digest_size=10).hexdigest()

    @property
    def words(self) -> str:
        """A short description for names of files and tables."""
        file = getattr(self.request, "image", None) or getattr(self.request, "sound", None)
        words = " ".join(getattr(self.request, "target", ())) or getattr(self.request, "prompt", "") or self.verb
        return f"{file.stem} {words}" if file else words


def read_jobs(path: Path, given: Sequence[str] = ()) -> list[BatchJob]:
    """Return the jobs of a file, without duplicates.

    Args:
        path: of a JSON Lines file; empty lines are skipped.
        given: defaults for settings that a job does not name, as NAME=VALUE.

    Raises:
        MediaError: the file cannot be read.
        ValueError: a line is not a job; the sentence names the line.
    """
    readable(path)
    if path.stat().st_size > MOST_BYTES:
        raise MediaError(say("jobs_file_too_large", path=path, most=MOST_BYTES // 2**20))
    defaults = {name: _value(text) for name, _, text in (one.partition("=") for one in given)}
    jobs: dict[str, BatchJob] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise MediaError(say("not_utf_8", where=path)) from problem
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            job = job_of(number, json.loads(line), defaults, path.absolute().parent)
            jobs.setdefault(job.key, job)
        except (ValueError, TypeError, RecursionError) as problem:
            raise ValueError(say("job_line_wrong", path=path, number=number, reason=sentence_of(problem))) from problem
    if not jobs:
        raise MediaError(say("jobs_file_empty", path=path))
    return list(jobs.values())


def job_of(line: int, settings: Any, defaults: Mapping[str, Any], folder: Path) -> BatchJob:
    """Return the job of one line.

    Args:
        line: its number.
        settings: its parsed JSON.
        defaults: values of settings that it leaves out; those that its verb does not have are ignored.
        folder: that relative paths start from.

    Raises:
        ValueError: it is not a job.
    """
    if not isinstance(settings, dict) or settings.get("verb") not in VERBS:
        raise ValueError(say("job_needs_verb", verbs=", ".join(VERBS)))
    verb = settings["verb"]
    kind = import_module(f"regrow.requests.{verb}").__dict__[verb.capitalize()]
    known = {field.name for field in fields(kind)}
    own = {name: value for name, value in settings.items() if name != "verb"}
    if unknown := sorted(set(own) - known):
        raise ValueError(say("job_setting_unknown", verb=verb, name=str(unknown[0])[:40]))
    hints = get_type_hints(kind)
    merged = {name: value for name, value in defaults.items() if name in known} | own
    needed = [field.name for field in fields(kind) if field.default is field.default_factory is MISSING]
    if missing := [name for name in needed if name not in merged]:
        raise ValueError(say("job_setting_missing", verb=verb, name=missing[0]))
    request = kind(**{name: _typed(value, hints[name], folder) for name, value in merged.items()})
    return BatchJob(line, verb, with_lyrics(request) if hasattr(request, "lyrics") else request)


def _typed(value: Any, hint: Any, folder: Path) -> Any:
    """Return a setting with the request's type: lists become tuples, a single text too, and file names become paths."""
    options = get_args(hint)
    if isinstance(value, str) and (hint is Path or Path in options) and value not in _literals(options):
        return folder / Path(value).expanduser()
    if isinstance(value, str) and getattr(hint, "__origin__", None) is tuple and options[-1] is ...:
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _literals(options: Sequence[Any]) -> list[Any]:
    return [value for option in options for value in get_args(option)]


def _content(value: Any) -> Any:
    """Return a setting for the key; a file is replaced by the hash of its content."""
    if not isinstance(value, Path):
        return value
    return {"file": file_hash(value)}


def _value(text: str) -> Any:
    """Return the value of NAME=VALUE, parsed as JSON if possible, else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
