"""Add a project file to a caller's results. The file is untrusted, so all of it is checked before any is stored."""

import hashlib
import io
import shutil
import stat
import struct
import tempfile
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import IO, Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.history.items import Item
from regrow.interfaces.server.history.record import JobRecord, Marks
from regrow.interfaces.server.places import JOB, UPLOADED, made
from regrow.interfaces.server.projects.form import LIST, MOST_BYTES, MOST_FILES, MOST_OF_ONE, Project, ProjectJob
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.stored import parse, write
from regrow.interfaces.server.texts import said
from regrow.interfaces.server.uploads import check, keep
from regrow.media.files import UNZIPPING, MediaError, write_whole

END = b"PK\5\6"
"""Signature of the end record of a zip, which holds the number of entries and the place of their list (APPNOTE
4.3.16)."""


def read_project(file: IO[bytes], history: History, files: Files, caller: Caller) -> list[Item]:
    """Add the content of a project file to a caller's history, and return its results.

    A job that the caller already has is not added again, but its results are restored from the trash.

    Raises:
        Refused: it is not a project file, is too large, or holds anything unexpected: other names, links, folders, or
            files whose content does not match their names.
        MediaError: the disk is full; jobs that were added before stay.
    """
    data = _unpacked(file, caller.language)
    project = _project(data, caller.language)
    ids: dict[str, str] = {}
    for one in project.inputs:
        ids[one] = keep(files, caller, io.BytesIO(data[f"inputs/{one}"]), one)["id"]
    added: list[Item] = []
    for job in project.jobs:
        ids[job.id] = new = _id(job.id, caller, history)
        if not history.has(caller, new):
            _write(job, new, data, ids, caller)
        history.refresh(new)
        added += history.bring_back(caller, new)
    return added


def _unpacked(file: IO[bytes], language: str) -> dict[str, bytes]:
    """Return the contents of a zip's files, by name."""
    _check_end(file, language)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MOST_BYTES or len(entries) > MOST_FILES:
                raise _refused("project_size", language, megabytes=MOST_BYTES // 10**6, files=MOST_FILES)
            data: dict[str, bytes] = {}
            for entry in entries:
                if entry.filename in data or not _is_plain_file(entry):
                    raise _refused("project_entry", language, name=f"{entry.filename!r:.80}")
                with archive.open(entry) as opened:
                    data[entry.filename] = opened.read(entry.file_size + 1)
            return data
    except UNZIPPING as problem:
        raise _refused("project_zip", language) from problem


def _check_end(file: IO[bytes], language: str) -> None:
    """Refuse a zip with too many entries before their list is read, or one of more than 4 GB."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    place = tail.rfind(END)
    if place < 0 or len(tail) - place < 22:
        raise _refused("project_zip", language)
    _, _, _, count, length, _, _ = struct.unpack("<HHHHIIH", tail[place + 4 : place + 22])
    if count > MOST_FILES or length > 1000 * MOST_FILES:
        raise _refused("project_size", language, megabytes=MOST_BYTES // 10**6, files=MOST_FILES)
    file.seek(0)


def _is_plain_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a plain file (no link, folder or device), not encrypted, in a usual compression."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    usual = entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    plain = kind in (0, stat.S_IFREG) and not entry.is_dir() and not entry.flag_bits & 0x41
    return plain and usual and entry.file_size <= MOST_OF_ONE


def _project(data: dict[str, bytes], language: str) -> Project:
    """Return a project's contents; refuse it if files are missing, superfluous, or do not match their names."""
    try:
        project = parse(data[LIST], Project)
    except KeyError as problem:
        raise _refused("project_list", language, why=LIST) from problem
    except ValueError as problem:
        raise _refused("project_list", language, why=problem) from problem
    names = project.names()
    if foreign := data.keys() - {LIST, *names}:
        raise _refused("project_entry", language, name=f"{min(foreign)!r:.80}")
    ids = [job.id for job in project.jobs]
    if (
        len(set(names)) < len(names)
        or len(set(ids)) < len(ids)
        or any(job.verb not in REQUESTS for job in project.jobs)
    ):
        raise _refused("project_list", language, why="jobs")
    for name in names:
        try:
            _, ending = check(data[name], Path(name).name)
        except (KeyError, MediaError, Refused) as problem:
            raise _refused("project_file", language, name=f"{name!r:.120}") from problem
        if not name.lower().endswith(ending):
            raise _refused("project_file", language, name=f"{name!r:.120}")
    return project


def _id(job: str, caller: Caller, history: History) -> str:
    """Return the id under which a project's job is stored: its own id if the caller already has the job.

    Otherwise the id has the job's time, and a hash of job and caller, so that adding a project twice has no effect.
    """
    if history.has(caller, job):
        return job
    stamp, _, _ = job.rpartition("-")
    return f"{stamp}-{hashlib.blake2b(f'{caller.owner}/{job}'.encode(), digest_size=8).hexdigest()}"


def _write(job: ProjectJob, new: str, data: dict[str, bytes], ids: dict[str, str], caller: Caller) -> None:
    """Write a job's folder completely or not at all."""
    noted: dict[str, Any] = job.model_dump(exclude={"id", "settings", "marks"})
    settings = _settings(job, ids)
    record = JobRecord(
        **noted, id=new, owner=caller.owner, by_id=caller.by_id, state="done", settings=settings, tries=1
    )
    made().mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=made(), prefix=".project-"))
    try:
        for name in (*job.files, *job.beside.values()):
            path = aside / name
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data[f"jobs/{job.id}/{name}"])
        marks = {name: mark.model_copy(update={"deleted": None}) for name, mark in job.marks.items()}
        write(aside / "marks.json", Marks(results=marks))
        write(aside / "job.json", record)
        aside.chmod(0o755)  # mkdtemp makes folders private
        aside.rename(made() / new)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _settings(job: ProjectJob, ids: dict[str, str]) -> dict[str, Any]:
    """Return the settings of the job's request, with the ids of its files on this server."""
    known = {field.name for field in fields(REQUESTS[job.verb])} - {"trajectory", "cache"}
    return {name: _here(value, ids) for name, value in job.settings.items() if name in known}


def _here(value: Any, ids: dict[str, str]) -> Any:
    """Return a setting with the id of its file on this server; "" for a file that is not in the project."""
    if not isinstance(value, str):
        return value
    job, slash, name = value.partition("/")
    if slash and JOB.fullmatch(job):
        return f"{ids[job]}/{name}" if job in ids else ""
    return ids.get(value, "") if UPLOADED.fullmatch(value) else value


def _refused(key: str, language: str, **figures: Any) -> Refused:
    return Refused(400, "no_project", why=said(key, language, **figures))
