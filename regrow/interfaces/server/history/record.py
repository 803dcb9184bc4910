"""Schemas of a job's record and of the marks on its results, as stored on disk."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from regrow.interfaces.server.places import JOB, NAME, id_of, made
from regrow.interfaces.server.sentences import Sentence
from regrow.interfaces.server.stored import Stored, read, write
from regrow.messages.message import say

OLD_VERBS = {"again": "replay", "look": "inspect"}
"""Verbs of older records, and their present names."""


class JobRecord(Stored):
    """A job as stored in `made/JOB/job.json`.

    Attributes:
        id: of the job, and name of its folder; sorts by time.
        owner: who requested it.
        verb: of the request.
        settings: of the request, with files by their ids.
        by_id: whether a program without cookies requested it, which has access by the job's id.
        state: of the job.
        files: names of its results, relative to its folder.
        beside: further files to show with the results, by kind.
        notes: sentences for the user.
        facts: figures and tables.
        summary: one sentence on what was done.
        error: the sentence, if it failed.
        tries: number of starts.
        took: seconds of computing; None if it did not finish.
    """

    id: str
    owner: str
    verb: str = Field(max_length=40)
    settings: dict[str, Any]
    by_id: bool = False
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    files: list[str] = Field(default_factory=list, max_length=10_000)
    beside: dict[str, str] = Field(default_factory=dict)
    notes: list[Sentence] = Field(default_factory=list)
    facts: dict[str, Any] = Field(default_factory=dict)
    summary: Sentence = ""
    error: Sentence = ""
    tries: int = Field(default=0, ge=0, le=10**6)
    took: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _current(cls, noted: Any) -> Any:
        """Convert records of the previous page."""
        if not isinstance(noted, dict) or "kind" not in noted:
            return noted
        facts, settings = noted.get("facts"), noted.get("settings")
        if not isinstance(facts, dict) or not isinstance(settings, dict) or not isinstance(noted["kind"], str):
            return noted
        settings = {name: _as_id(value) for name, value in settings.items()}
        counted = {"took": facts.get("took"), "tries": facts.get("tries", 0)}
        return noted | counted | {"verb": OLD_VERBS.get(noted["kind"], noted["kind"]), "settings": settings}

    @field_validator("files")
    @classmethod
    def plain(cls, names: list[str]) -> list[str]:
        """Return names of results; raise ValueError if one is not a plain file name."""
        if wrong := next((name for name in names if not is_plain(name)), None):
            raise ValueError(say("no_result_name", name=wrong[:40]))
        return names

    @field_validator("beside")
    @classmethod
    def inside(cls, files: dict[str, str]) -> dict[str, str]:
        """Return files of the folder `beside/`; raise ValueError if one is elsewhere."""
        for file in files.values():
            folder, _, name = file.partition("/")
            if folder != "beside" or not is_plain(name):
                raise ValueError(say("no_file_beside_result", file=file[:40]))
        return files


class Mark(Stored):
    """The marks of one result.

    Attributes:
        starred: whether it has a star.
        boards: that it is on.
        deleted: time at which it was moved to the trash, in seconds since 1970; None if it is not there.
    """

    starred: bool = False
    boards: list[str] = Field(default_factory=list, max_length=100)
    deleted: float | None = None


class Marks(Stored):
    """`made/JOB/marks.json`: marks of a job's results by their names."""

    results: dict[str, Mark] = Field(default_factory=dict)


def is_plain(name: str) -> bool:
    """Return whether a name is a plain file name: no path, and not hidden."""
    return bool(NAME.fullmatch(name))


def read_job(job: str) -> JobRecord | None:
    """Return a job's record; None if it is missing, damaged, or that of another job."""
    if not JOB.fullmatch(job):
        return None
    record = read(made() / job / "job.json", JobRecord)
    return record if record and record.id == job else None


def read_marks(job: str) -> Marks:
    """Return the marks of a job's results; empty if they are damaged."""
    return read(made() / job / "marks.json", Marks) or Marks()


def write_mark(job: str, name: str, mark: Mark) -> None:
    """Store the marks of a result in its job's folder.

    Raises:
        MediaError: the disk cannot be written.
    """
    marks = read_marks(job)
    marks.results[name] = mark
    write(made() / job / "marks.json", marks)


def _as_id(value: Any) -> Any:
    """Return a setting; the path of a file is replaced by its id."""
    return (id_of(value) or value) if isinstance(value, str) and "/" in value else value
