"""Jobs: what was asked for and where it stands, on disk."""

import json
from collections.abc import Callable, Generator, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from regrow.interfaces.web.places import made
from regrow.media.files import write_whole
from regrow.media.image.picture import save
from regrow.models.model import Model

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass
class Job:
    """Something asked for.

    Attributes:
        id: of the job, and the name of its folder; sorts by time.
        owner: which browser asked for it.
        kind: what is to be done: a key of the worker's `kinds`.
        settings: JSON-able, for that kind.
        state: where it stands.
        files: what it made, relative to its folder.
        beside: further files that are shown with them, by what they are.
        notes: sentences for the user.
        facts: figures and tables, JSON-able.
        error: the sentence, where it failed.
        progress: part, index and steps.
        preview: pictures as they stand, not kept.
    """

    id: str
    owner: str
    kind: str
    settings: dict[str, Any]
    state: JobState = "waiting"
    files: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    progress: tuple[str, int, int] = ("", 0, 0)
    preview: list[Image.Image] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return made() / self.id

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def whole(self) -> bool:
        """Whether everything that it made is still there: results can be deleted."""
        return all((self.folder / name).is_file() for name in self.files)

    def lay_beside(self, what: str, picture: Float[Tensor, "3 h w"]) -> None:
        """Save a picture that is only shown with its results."""
        (self.folder / "beside").mkdir(exist_ok=True)
        self.beside[what] = f"beside/{what}.png"
        save(self.folder / self.beside[what], picture)

    def tell(self, notes: Iterable[str]) -> None:
        """Add sentences of an operation."""
        self.notes += notes

    def keep(self) -> None:
        """Write it down."""
        facts = {key: value for key, value in asdict(self).items() if key not in ("preview", "progress")}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.folder / "job.json", json.dumps(facts, ensure_ascii=False, indent=1).encode())


@dataclass(frozen=True)
class At:
    """After `index` of `steps` steps of `part`; `x` are latents of `model`, for a preview."""

    part: str
    index: int
    steps: int
    x: torch.Tensor | None = None
    model: Model | None = None


Work = Callable[[Job, Callable[[str], Model]], Generator[At, None, None]]
"""Does a job: fills in its files, beside, notes and facts."""
