"""The layout of the server's folder, and the ids of its files in the API.

$REGROW_HOME/page/
  made/JOB/           of a job: results with their recipes, `job.json`, and `beside/` for files that are only shown
  pictures/HASH.png   uploaded pictures, unchanged; recipes name them
  sounds/HASH.wav     uploaded sounds
  tunes/HASH.mid      uploaded tunes and scores
  sets/NAME/          files uploaded for training

A file's id is "HASH.png" for an upload and "JOB/NAME" for a result.
"""

import re
from pathlib import Path

from regrow.media.files import MediaError
from regrow.media.home import home
from regrow.messages.message import say

KEPT = ("pictures", "sounds", "tunes")
"""The folders of uploads."""
UPLOADED = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{1,8}")
JOB = re.compile(r"\d{8}-\d{6}(-\d{1,6})?-[0-9a-f]{2,32}")
"""Ids of jobs: the time to the microsecond, and a random part that nobody can guess."""
NAME = re.compile(r"(?!\.)[^\0-\x1f/\\]{1,200}")
"""Names of results: plain file names, not hidden."""


def page() -> Path:
    """Return the server's folder."""
    return home() / "page"


def made() -> Path:
    """Return the folder of all jobs' results."""
    return page() / "made"


def kept_path(file_id: str) -> Path:
    """Return the path of a file of the server, without checking its owner.

    Args:
        file_id: "HASH.png" or "JOB/NAME".

    Raises:
        MediaError: there is no such file, or this is not an id.
    """
    found = find(file_id)
    if found is None:
        raise MediaError(say("file_not_kept", file=file_id))
    return found


def find(file_id: str) -> Path | None:
    """Return the path of a file of the server; None if there is none with this id."""
    job, slash, name = file_id.rpartition("/")
    if not slash:
        paths = [page() / folder / name for folder in KEPT] if UPLOADED.fullmatch(name) else []
    elif job.endswith("/beside"):
        paths = [made() / job / name] if JOB.fullmatch(job.removesuffix("/beside")) and NAME.fullmatch(name) else []
    else:
        paths = [made() / job / name] if JOB.fullmatch(job) and NAME.fullmatch(name) and not is_record(name) else []
    return next((path for path in paths if path.is_file() and not path.is_symlink()), None)


def is_record(name: str) -> bool:
    """Return whether a file in a job's folder is a record of the server, not a result."""
    return name.endswith(".json")


def id_of(path: Path | str) -> str | None:
    """Return the id of a file of the server; None for any other path."""
    path = Path(path)
    if path.parent.name in KEPT and path.parent.parent == page() and UPLOADED.fullmatch(path.name):
        return path.name
    if path.is_relative_to(made()):
        relative = path.relative_to(made())
        return relative.as_posix() if len(relative.parts) in (2, 3) else None
    return None
