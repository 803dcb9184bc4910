"""Write the project file of all results that were made from the same input."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from regrow import __version__
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files, named_files
from regrow.interfaces.server.history.history import History
from regrow.interfaces.server.history.record import JobRecord, read_job, read_marks
from regrow.interfaces.server.places import find, made, page
from regrow.interfaces.server.projects.form import ENDINGS, LIST, MOST_BYTES, MOST_FILES, Project, ProjectJob
from regrow.interfaces.server.sessions import Caller


def write_project(history: History, files: Files, caller: Caller, item: str) -> Path:
    """Write a project to a temporary file, which must be deleted after use, and return its path.

    Args:
        history: of the result.
        files: checks access to files.
        caller: who sent the request.
        item: the id of a result; the project holds its input, and all of the caller's results made from it.

    Raises:
        Refused: there is no such result, or the project would be too large.
        OSError: the disk cannot be written.
    """
    records = _session(history, caller, item)
    jobs = [_job(record) for record in records]
    wanted = dict.fromkeys(name for job in jobs for name in sorted(named_files(job.verb, job.settings)))
    inputs = [name for name in wanted if "/" not in name and files.may(caller, name)]
    project = Project(regrow=__version__, format=1, inputs=inputs, jobs=jobs)
    paths = [_path(name) for name in project.names()]
    if len(paths) >= MOST_FILES or sum(path.stat().st_size for path in paths) > MOST_BYTES:
        raise Refused(413, "project_too_large", megabytes=MOST_BYTES // 10**6, files=MOST_FILES)
    page().mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=page(), prefix=".project-", suffix=".zip", delete=False) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(LIST, project.model_dump_json(indent=1))
            for name, path in zip(project.names(), paths, strict=True):
                archive.write(path, name, zipfile.ZIP_STORED)  # pictures and sounds are compressed already
        return Path(file.name)


def _session(history: History, caller: Caller, item: str) -> list[JobRecord]:
    """Return the jobs of a result's session, oldest first: all that came from the same input."""
    record, found, _ = history.item(caller, item)
    names, root = {item}, found.input
    while root and root not in names:  # a result may have been made from another result
        names.add(root)
        before = find(root) if "/" in root else None
        root = history.item(caller, root)[1].input if before else None
    jobs = {record.id} | {name.partition("/")[0] for name in names if "/" in name}
    while True:
        names |= {one.id for job in jobs for one in history.results(caller, job)}
        more = history.made_from(caller, names) - jobs
        if not more:
            break
        jobs |= more
    return [record for job in sorted(jobs) if (record := read_job(job))]


def _job(record: JobRecord) -> ProjectJob:
    """Return a job with its remaining results, without its owner."""
    folder, marks = made() / record.id, read_marks(record.id).results
    here = [name for name in record.files if (folder / name).is_file()]
    kept = [name for name in here if not (name in marks and marks[name].deleted is not None)]
    beside = {what: name for what, name in record.beside.items() if _is_shown(folder / name)}
    noted: dict[str, Any] = record.model_dump(include={"id", "verb", "settings", "notes", "facts", "summary", "took"})
    return ProjectJob(**noted, files=kept, beside=beside, marks={name: marks[name] for name in kept if name in marks})


def _is_shown(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in ENDINGS


def _path(name: str) -> Path:
    """Return the path on the server of a file by its name in a project."""
    kind, _, rest = name.partition("/")
    found = find(rest) if kind == "inputs" else made() / rest
    assert found is not None, name
    return found
