"""An index of the folders of jobs, in SQLite; if it is lost, outdated or damaged, it is rebuilt from the folders."""

import logging
import sqlite3
import threading
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from regrow.interfaces.server.history.items import Item, marked_items
from regrow.interfaces.server.history.record import JobRecord, Mark, read_job
from regrow.interfaces.server.places import JOB, made

VERSION = 1
"""Version of the tables; an index of another version is rebuilt."""
TABLES = """
    create table jobs (job text primary key, stamp text not null, owner text not null);
    create table items (
        job text not null, name text not null, position integer not null, owner text not null, verb text not null,
        medium text not null, starred integer not null, deleted real, search text not null, item text not null,
        primary key (job, name)
    ) without rowid;
    create index newest on items (job desc, position);
    create table boards (job text not null, name text not null, board text not null, primary key (job, name, board));
"""
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A query for results.

    Attributes:
        owner: owner of the results; None for all owners.
        search: words that must all occur in a result's prompts, model or boards, in any order and case.
        board: that the results are on; "" for any.
        starred: whether to return only results with a star.
        medium: "picture" or "sound"; "" for both.
        verb: of the job; "" for any.
        before: id of the last known result, to return the older ones that follow it; "" for the newest.
        limit: largest number of results.
    """

    owner: str | None
    search: str = ""
    board: str = ""
    starred: bool = False
    medium: str = ""
    verb: str = ""
    before: str = ""
    limit: int = 60


def folded(words: str) -> str:
    """Return words normalised for comparison: without case, and in one Unicode form (NFKC)."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold()).split())


class Index:
    """The index of one home; thread-safe. It is opened on first use, which may take seconds.

    Args:
        path: of its file. If that cannot be written, the index is kept in memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._is_read = False

    @cached_property
    def _database(self) -> sqlite3.Connection:
        return self._opened()

    def refresh(self, job: str) -> tuple[str, list[tuple[Item, Mark]], list[tuple[Item, Mark]]]:
        """Read a job's folder again; return its owner, and its results before and after."""
        with self._lock:
            return self._sound(lambda: self._refresh(job), whole=False)

    def select(self, wanted: Wanted) -> list[Item]:
        """Return results, newest first; those of one job in the job's order."""
        where, values = _conditions(wanted)
        with self._lock:
            if wanted.before:
                job, _, name = wanted.before.partition("/")
                where += " and (job < ? or (job = ? and position > ifnull((select position from items where job = ?"
                where += " and name = ?), 1e9)))"
                values += [job, job, job, name]
            query = f"select item from items where {where} order by job desc, position limit ?"
            return self._sound(lambda: [_item(row) for row in self._database.execute(query, [*values, wanted.limit])])

    def boards(self, owner: str | None) -> list[tuple[str, int]]:
        """Return all boards, sorted by name, with the number of results on each."""
        where, values = _conditions(Wanted(owner))
        query = f"select board, count(*) from boards join items using (job, name) where {where} group by board"
        with self._lock:
            return sorted(self._sound(lambda: self._database.execute(query, values).fetchall()))

    def results(self, job: str) -> list[tuple[Item, Mark]]:
        """Return a job's results with their marks, including those in the trash."""
        with self._lock:
            return self._sound(lambda: self._results(job))

    def made_from(self, files: Iterable[str]) -> set[str]:
        """Return the ids of jobs that made results from any of these files."""
        query = "select distinct job from items where json_extract(item, '$.input') = ?"
        with self._lock:
            return self._sound(lambda: {row[0] for file in files for row in self._database.execute(query, [file])})

    def deleted_before(self, moment: float) -> list[tuple[str, str]]:
        """Return job and name of results that were moved to the trash before a moment."""
        query = "select job, name from items where deleted < ?"
        with self._lock:
            return self._sound(lambda: self._database.execute(query, [moment]).fetchall())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _sound(self, do: Callable[[], T], whole: bool = True) -> T:
        """Run a function on the index; if it turns out to be damaged, rebuild it and run again.

        Args:
            do: the function, run in one transaction.
            whole: whether changes that happened while no server ran must be read first.
        """
        try:
            with self._database:
                if whole and not self._is_read:
                    self._read_changed()
                    self._is_read = True
                return do()
        except (sqlite3.Error, ValidationError) as problem:
            log.warning("The history's index %s is damaged (%s); it is made again.", self._path, problem)
            with suppress(sqlite3.Error):
                self._database.close()
            self._remove()
            self._database = self._opened()
            with self._database:
                self._read_changed()
                self._is_read = True
                return do()

    def _opened(self) -> sqlite3.Connection:
        """Return a valid database with the tables: the existing file, a new one, or, on a full disk, one in memory."""
        for way in ("as it is", "made again", "in memory"):
            if way == "made again":
                self._remove()
            try:
                if way != "in memory":
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                place = ":memory:" if way == "in memory" else str(self._path)
                database = sqlite3.connect(place, timeout=10, check_same_thread=False)
                database.execute("pragma journal_mode = wal")
                database.execute("pragma synchronous = normal")
                (version,) = database.execute("pragma user_version").fetchone()
                if version == 0 and not database.execute("select count(*) from sqlite_master").fetchone()[0]:
                    database.executescript(f"begin; {TABLES} pragma user_version = {VERSION}; commit;")
                    return database
                if version == VERSION and database.execute("pragma quick_check").fetchone() == ("ok",):
                    return database
                database.close()
            except (sqlite3.Error, OSError) as problem:
                log.warning("The history's index %s cannot be opened %s (%s).", self._path, way, problem)
        raise AssertionError("an index in memory cannot be opened")

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + ending).unlink()

    def _read_changed(self) -> None:
        known = dict(self._database.execute("select job, stamp from jobs").fetchall())
        here = {folder.name: _stamp(folder) for folder in made().glob("*") if JOB.fullmatch(folder.name)}
        for job in [*(job for job, stamp in here.items() if known.get(job) != stamp), *(known.keys() - here.keys())]:
            self._put(job)

    def _refresh(self, job: str) -> tuple[str, list[tuple[Item, Mark]], list[tuple[Item, Mark]]]:
        before = self._results(job)
        owners = self._database.execute("select owner from jobs where job = ?", [job]).fetchone()
        record = self._put(job)
        return record.owner if record else owners[0] if owners else "", before, self._results(job)

    def _results(self, job: str) -> list[tuple[Item, Mark]]:
        query = "select item, deleted from items where job = ? order by position"
        rows = self._database.execute(query, [job]).fetchall()
        items = [(_item(row), row[1]) for row in rows]
        return [(item, Mark(starred=item.starred, boards=item.boards, deleted=deleted)) for item, deleted in items]

    def _put(self, job: str) -> JobRecord | None:
        """Replace the entries of a job by the content of its folder."""
        stamp = _stamp(made() / job)
        record = read_job(job)
        for table in ("jobs", "items", "boards"):
            self._database.execute(f"delete from {table} where job = ?", [job])
        if record is None:
            return None
        self._database.execute("insert into jobs values (?, ?, ?)", [job, stamp, record.owner])
        for position, (item, mark) in enumerate(marked_items(record)):
            search = folded(f"{item.words}\n{item.source}\n{item.model}\n{' '.join(item.boards)}")
            row = [job, item.name, position, record.owner, item.verb, item.medium, item.starred, mark.deleted, search]
            self._database.execute(
                "insert into items values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, item.model_dump_json()]
            )
            rows = [(job, item.name, board) for board in dict.fromkeys(item.boards)]
            self._database.executemany("insert into boards values (?, ?, ?)", rows)
        return record


def _stamp(folder: Path) -> str:
    """Return a stamp that changes when a file of a job's folder changes."""
    stamps = []
    for path in (folder, folder / "job.json", folder / "marks.json"):
        try:
            found = path.stat()
            stamps.append(f"{found.st_mtime_ns}:{found.st_size}")
        except OSError:
            stamps.append("-")
    return " ".join(stamps)


def _conditions(wanted: Wanted) -> tuple[str, list[Any]]:
    terms: list[tuple[str, Sequence[Any]]] = [("deleted is null", ())]
    if wanted.owner is not None:
        terms.append(("owner = ? and owner <> ''", [wanted.owner]))
    terms += [("instr(search, ?)", [word]) for word in folded(wanted.search).split()[:20]]
    terms += [(f"{name} = ?", [value]) for name in ("medium", "verb") if (value := getattr(wanted, name))]
    if wanted.starred:
        terms.append(("starred", ()))
    if wanted.board:
        of_board = "exists (select 1 from boards where job = items.job and name = items.name and board = ?)"
        terms.append((of_board, [wanted.board]))
    return " and ".join(f"({term})" for term, _ in terms), [value for _, values in terms for value in values]


def _item(row: Sequence[Any]) -> Item:
    return Item.model_validate_json(row[0])
