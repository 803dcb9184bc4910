"""The history of results: list, search, mark, move to the trash, and restore."""

import shutil
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.history.index import Index, Wanted
from regrow.interfaces.server.history.items import Item
from regrow.interfaces.server.history.record import JobRecord, Mark, read_job, write_mark
from regrow.interfaces.server.history.thumbnails import thumbnails
from regrow.interfaces.server.places import JOB, made
from regrow.interfaces.server.sessions import Caller
from regrow.media.files import MediaError
from regrow.media.home import home
from regrow.messages.message import say

DAY = 86_400.0
"""Seconds for which the trash keeps a result."""
MOST_BOARDS, MOST_LETTERS = 20, 60
"""Most boards of a result, and most characters of a board's name."""
Publish = Callable[[str, dict[str, Any]], None]
"""Receives an owner, and the added, changed and removed results of that owner."""


@dataclass(frozen=True)
class Page:
    """A page of the history: items, newest first; whether there are more; boards with their numbers of results."""

    items: list[Item]
    more: bool
    boards: list[tuple[str, int]]


class History:
    """The results of one home; thread-safe.

    Args:
        private: whether callers are separated; otherwise they share one history.
        publish: is called with each change.
    """

    def __init__(self, private: bool = False, publish: Publish = lambda owner, change: None) -> None:
        self.private = private
        self._publish = publish
        self._index = Index(home() / "page" / "history.sqlite")
        self._lock = threading.Lock()
        self._purged = 0.0

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def page(self, wanted: Wanted) -> Page:
        """Return a page of the history."""
        if time.time() - self._purged > DAY / 24:
            self.purge()
        more = Wanted(**{**vars(wanted), "limit": wanted.limit + 1})
        items = self._index.select(more)
        return Page(items[: wanted.limit], len(items) > wanted.limit, self._index.boards(wanted.owner))

    def refresh(self, job: str) -> None:
        """Read a job's folder again, such as when the job is over or was changed from outside."""
        owner, before, after = self._index.refresh(job)
        was, now = ({item.id: item for item, mark in some if mark.deleted is None} for some in (before, after))
        change = {
            "added": [item.model_dump() for key, item in now.items() if key not in was],
            "removed": [key for key in was if key not in now],
            "changed": [item.model_dump() for key, item in now.items() if key in was and was[key] != item],
        }
        if any(change.values()):
            self._publish(owner, change)

    def owner_of(self, caller: Caller) -> str | None:
        """Return the owner whose results a caller sees; None for all owners."""
        return caller.owner if self.private else None

    def item(self, caller: Caller, item: str) -> tuple[JobRecord, Item, Mark]:
        """Return a result by its id, with its job's record and its marks.

        Raises:
            Refused: there is none, or it belongs to another caller.
        """
        job, _, name = item.partition("/")
        record = read_job(job) if JOB.fullmatch(job) else None
        if record and name in record.files and self._may(record, caller):
            for found, mark in self._index.results(job):
                if found.name == name:
                    return record, found, mark
        raise Refused(404, "no_result")

    def has(self, caller: Caller, job: str) -> bool:
        """Return whether a caller has a job of this id."""
        record = read_job(job) if JOB.fullmatch(job) else None
        return record is not None and self._may(record, caller)

    def results(self, caller: Caller, job: str) -> list[Item]:
        """Return the results of a caller's job that are not in the trash."""
        found = self._index.results(job) if self.has(caller, job) else []
        return [item for item, mark in found if mark.deleted is None]

    def made_from(self, caller: Caller, files: Iterable[str]) -> set[str]:
        """Return the ids of the caller's jobs that made results from any of these files."""
        return {job for job in self._index.made_from(files) if self.has(caller, job)}

    def bring_back(self, caller: Caller, job: str) -> list[Item]:
        """Restore all results of a caller's job from the trash, and return them."""
        for item, mark in self._index.results(job):
            if mark.deleted is not None:
                self.restore(caller, item.id)
        return self.results(caller, job)

    def mark(self, caller: Caller, item: str, starred: bool | None = None, boards: list[str] | None = None) -> Item:
        """Set the star or the boards of a result; None leaves them unchanged.

        Raises:
            Refused: as for `item`.
            MediaError: a board's name is too long, there are too many, or the disk cannot be written.
        """
        changed: dict[str, Any] = {} if starred is None else {"starred": starred}
        if boards is not None:
            changed["boards"] = _checked(boards)
        return self._change(caller, item, changed)

    def delete(self, caller: Caller, item: str) -> None:
        """Move a result to the trash, which keeps it for a day.

        Raises:
            Refused: as for `item`.
        """
        self._change(caller, item, {"deleted": time.time()})

    def restore(self, caller: Caller, item: str) -> Item:
        """Restore a result from the trash.

        Raises:
            Refused: as for `item`.
        """
        return self._change(caller, item, {"deleted": None})

    def purge(self, keep: float = DAY) -> None:
        """Delete results that were in the trash for `keep` seconds; with a job's last result, delete its folder."""
        self._purged = time.time()
        for job, name in self._index.deleted_before(time.time() - keep):
            with self._lock, suppress(OSError):
                (made() / job / name).unlink(missing_ok=True)
                (thumbnails(job) / f"{name}.webp").unlink(missing_ok=True)
                record = read_job(job)
                left = record and any((made() / job / other).is_file() for other in record.files)
                if record and not left and record.state not in ("waiting", "running"):
                    shutil.rmtree(made() / job)
                    shutil.rmtree(thumbnails(job), ignore_errors=True)
            self.refresh(job)

    def _may(self, record: JobRecord, caller: Caller) -> bool:
        """Whether a caller may read and change a job's results; a program without cookies needs only its id."""
        return not self.private or record.owner == caller.owner or (record.by_id and caller.by_id)

    def _change(self, caller: Caller, item: str, changed: dict[str, Any]) -> Item:
        with self._lock:
            record, found, mark = self.item(caller, item)
            write_mark(record.id, found.name, mark.model_copy(update=changed))
            self.refresh(record.id)
            return self.item(caller, item)[1]


def _checked(boards: list[str]) -> list[str]:
    names = list(dict.fromkeys(name for board in boards if (name := " ".join(board.split()))))
    if len(names) > MOST_BOARDS or any(len(name) > MOST_LETTERS for name in names):
        raise MediaError(say("boards_out_of_range", most_boards=MOST_BOARDS, most_letters=MOST_LETTERS))
    return names
