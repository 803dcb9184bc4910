"""The format of a project file.

A zip that holds only
    project.json          the jobs with settings, facts and marks, as `Project`
    inputs/ID             their input files
    jobs/JOB/NAME         results, with their recipes
    jobs/JOB/beside/NAME  files that are only shown with results
"""

from typing import Any, Literal

from pydantic import Field, field_validator

from regrow.interfaces.server.history.record import JobRecord, Mark
from regrow.interfaces.server.places import JOB, UPLOADED, is_record
from regrow.interfaces.server.sentences import Sentence
from regrow.interfaces.server.stored import Stored
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.messages.message import say

LIST = "project.json"
MOST_FILES = 1000
MOST_BYTES = 400_000_000
"""Largest total size of the unpacked files."""
MOST_OF_ONE = 60_000_000
ENDINGS = PICTURES.suffixes | SOUNDS.suffixes


class ProjectJob(Stored):
    """A job of a project; see `JobRecord`."""

    id: str
    verb: str = Field(max_length=40)
    settings: dict[str, Any] = Field(max_length=200)
    files: list[str] = Field(max_length=MOST_FILES)
    beside: dict[str, str] = Field(default_factory=dict, max_length=MOST_FILES)
    notes: list[Sentence] = Field(default_factory=list, max_length=1000)
    facts: dict[str, Any] = Field(default_factory=dict)
    summary: Sentence = ""
    took: float | None = None
    marks: dict[str, Mark] = Field(default_factory=dict, max_length=MOST_FILES)

    @field_validator("id")
    @classmethod
    def _is_id(cls, job: str) -> str:
        if not JOB.fullmatch(job):
            raise ValueError(say("no_job_id"))
        return job

    @field_validator("files")
    @classmethod
    def _are_results(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names) or any(not _is_media(name) for name in names):
            raise ValueError(say("no_result_names"))
        return JobRecord.plain(names)

    @field_validator("beside")
    @classmethod
    def _are_beside(cls, files: dict[str, str]) -> dict[str, str]:
        if any(not _is_media(file) for file in files.values()):
            raise ValueError(say("no_media_files"))
        return JobRecord.inside(files)


class Project(Stored):
    """The table of contents of a project file, `project.json`.

    Attributes:
        regrow: the version that wrote it.
        format: version of the format.
        inputs: ids of the jobs' input files.
        jobs: oldest first.
    """

    regrow: str = Field(max_length=40)
    format: Literal[1]
    inputs: list[str] = Field(max_length=MOST_FILES)
    jobs: list[ProjectJob] = Field(max_length=MOST_FILES)

    @field_validator("inputs")
    @classmethod
    def _are_uploads(cls, ids: list[str]) -> list[str]:
        if any(not UPLOADED.fullmatch(one) for one in ids):
            raise ValueError(say("no_file_ids"))
        return ids

    def names(self) -> list[str]:
        """Return the names of all other files in the zip."""
        results = [f"jobs/{job.id}/{name}" for job in self.jobs for name in (*job.files, *job.beside.values())]
        return [*(f"inputs/{one}" for one in self.inputs), *results]


def _is_media(name: str) -> bool:
    ending = f".{name.rpartition('.')[2].lower()}"
    return ending in ENDINGS and not is_record(name)
