"""A job: a request and its state, stored on disk."""

import json
import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from regrow.interfaces.server.history.record import JobRecord
from regrow.interfaces.server.places import made
from regrow.media.files import write_whole
from regrow.messages.message import as_json

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
FLEETING = ("progress", "previews", "preview_version")
"""Attributes that are not stored on disk."""


@dataclass
class Job:
    """A request to the server.

    Attributes:
        id: of the job, and name of its folder; sorts by time.
        owner: who requested it (`Caller.owner`).
        verb: of the request; a key of the works.
        settings: for that verb, JSON-able, with files by their ids.
        by_id: whether a program without cookies requested it, which has access by the job's id.
        state: of the job.
        files: names of its results, which are in its folder.
        beside: further files to show with the results, by kind; relative to its folder.
        notes: sentences for the user.
        facts: figures and tables, JSON-able.
        summary: one sentence on what was done.
        error: the sentence, if it failed.
        tries: number of starts.
        took: seconds of computing; None if it did not finish.
        progress: part, index and steps.
        previews: of the unfinished results, as WebP.
        preview_version: number of changes of the previews.
    """

    id: str
    owner: str
    verb: str
    settings: dict[str, Any]
    by_id: bool = False
    state: JobState = "waiting"
    files: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    summary: str = ""
    error: str = ""
    tries: int = 0
    took: float | None = None
    progress: tuple[str, int, int] = ("", 0, 0)
    previews: list[bytes] = field(default_factory=list)
    preview_version: int = 0

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return made() / self.id

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def whole(self) -> bool:
        """Whether all of its results still exist; users can delete some."""
        return all((self.folder / name).is_file() for name in self.files)

    def lay_beside(self, what: str, picture: Any) -> None:
        """Save a picture that is only shown with the results.

        Args:
            what: its kind, such as "original".
            picture: `3 h w` in [-1, 1].
        """
        from regrow.media.image.picture import save

        (self.folder / "beside").mkdir(exist_ok=True)
        self.beside[what] = f"beside/{what}.png"
        save(self.folder / self.beside[what], picture)

    def tell(self, notes: Iterable[str]) -> None:
        """Add sentences of an operation."""
        self.notes += notes

    def keep(self, state: JobState | None = None) -> None:
        """Store its record on disk.

        Args:
            state: the state to store; None for the present one.

        Raises:
            MediaError: the record cannot be written.
            OSError: its folder cannot be made.
        """
        noted = finite({key: value for key, value in asdict(self).items() if key not in FLEETING})
        noted["state"] = state or self.state
        noted |= {
            "notes": list(map(as_json, self.notes)),
            "summary": as_json(self.summary),
            "error": as_json(self.error),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / "job.json", json.dumps(noted, ensure_ascii=False, indent=1).encode())

    @classmethod
    def of(cls, record: JobRecord) -> "Job":
        """Return the job of a record."""
        return cls(**record.model_dump())


@dataclass(frozen=True)
class At:
    """Progress of a job.

    Attributes:
        part: name of the current part of the work.
        index: number of finished steps of that part.
        steps: number of steps of that part; 0 if unknown.
        x: latents of `model`, `b c *cells`, for a preview.
        model: a `regrow.models.model.Model`, if there is one.
    """

    part: str
    index: int
    steps: int
    x: Any = None
    model: Any = None


Work = Callable[[Job, Callable[[str], Any]], Generator[At, None, None]]
"""The implementation of a verb: runs a job with a function that opens models, and sets the attributes of `MADE`."""


def finite(value: Any) -> Any:
    """Return a value with None for each number that is not finite, which JSON cannot represent."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value
