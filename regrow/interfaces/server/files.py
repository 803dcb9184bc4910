"""Access to files: a caller may use files that it uploaded or was given, and results of its own jobs.

All access is checked here: files that a request names, downloads, previews and lists.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.records import job_on_disk, newest
from regrow.interfaces.server.places import find, page
from regrow.interfaces.server.schemas.requests import FORMS
from regrow.interfaces.server.schemas.settings import settings_of
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.usage import Usage
from regrow.interfaces.server.verbs.requests import WORDS_OR_FILES


class Files:
    """Checks which files each caller may name and download.

    Args:
        private: whether callers are separated; otherwise all share everything on the server.
        usage: limits of the callers.
    """

    def __init__(self, private: bool, usage: Usage | None = None) -> None:
        self.private, self.usage = private, usage or Usage(private=private)
        self._lock = threading.Lock()

    def own(self, caller: Caller, file_id: str, field: str | None = None) -> Path:
        """Return the path of a caller's file.

        Args:
            caller: who sent the request.
            file_id: of an upload, or "JOB/NAME" of a result.
            field: of the request that names it.

        Raises:
            Refused: the file does not exist or belongs to another caller; the sentence is the same.
        """
        path = find(file_id) if isinstance(file_id, str) else None
        if path is None or not self._allowed(caller, file_id):
            raise Refused(404, "no_file", field, file=f"{file_id!s:.80}")
        return path

    def may(self, caller: Caller, file_id: str) -> bool:
        """Return whether a caller may use the file of this id, if it exists."""
        return find(file_id) is not None and self._allowed(caller, file_id)

    def grant(self, caller: Caller, *file_ids: str) -> None:
        """Record files that a caller uploaded or was given; the record is kept on disk."""
        if self.private:  # otherwise owners do not matter
            rows = [(file_id, name) for file_id in file_ids for name in caller.names]
            with self._lock, closing(_table()) as table, table:
                table.executemany("INSERT OR IGNORE INTO owners VALUES (?, ?)", rows)

    def _allowed(self, caller: Caller, file_id: str) -> bool:
        if not self.private:
            return True
        job_id, _, _ = file_id.partition("/") if "/" in file_id else ("", "", "")
        if job_id:
            job = job_on_disk(job_id)
            return job is not None and (job.owner == caller.owner or (job.by_id and caller.by_id))
        return self._granted(caller, file_id) or any(
            file_id in named_files(job.verb, job.settings) for job in _jobs(caller)
        )

    def _granted(self, caller: Caller, file_id: str) -> bool:
        with self._lock, closing(_table()) as table:
            found = table.execute("SELECT owner FROM owners WHERE file = ?", (file_id,)).fetchall()
        return any(owner in caller.names for (owner,) in found)


def named_files(verb: str, settings: Mapping[str, Any]) -> set[str]:
    """Return the ids of files in the file settings of a verb; text that looks like an id, as in a prompt, is ignored.

    They were checked as the caller's own when the job was submitted.
    """
    if verb not in FORMS:
        return set()
    fields = settings_of(FORMS[verb])
    naming = {name for name, field in fields.items() if field.is_file or name in WORDS_OR_FILES} & settings.keys()
    return {value for name in naming if isinstance(value := settings[name], str)}


def owners_of() -> dict[str, list[str]]:
    """Return the recorded owners of uploads, by the ids of the files."""
    found: dict[str, list[str]] = {}
    with closing(_table()) as table:
        for file_id, owner in table.execute("SELECT file, owner FROM owners").fetchall():
            found.setdefault(file_id, []).append(owner)
    return found


def _jobs(caller: Caller) -> Iterator[Job]:
    return (job for job in newest() if job.owner == caller.owner)


def _table() -> sqlite3.Connection:
    """Open the table of owners; a damaged one is set aside, and its files must be uploaded again."""
    path = page() / "owners.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    for damaged in (False, True):
        if damaged:
            path.replace(path.with_suffix(".damaged"))
        table = sqlite3.connect(path, timeout=20)
        try:
            table.execute("CREATE TABLE IF NOT EXISTS owners (file TEXT, owner TEXT, PRIMARY KEY (file, owner))")
        except sqlite3.DatabaseError as problem:
            table.close()
            if damaged or type(problem) is not sqlite3.DatabaseError:  # a subclass, such as for a full disk
                raise
            continue
        return table
    raise AssertionError("the loop returns or raises")
