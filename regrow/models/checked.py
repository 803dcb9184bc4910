"""Remember which checkpoint folders were checked completely, by the size and time of their files.

The first opening of a folder reads every weight and compares it with its config. The results (configs, content hash)
are kept in `home()/cache/checked`, so that later openings load only the parts that they compute with, and do not read
gigabytes to hash them. If a file changes in size or time, the folder is checked again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from regrow.media.cache import keep, kept
from regrow.media.home import home


@dataclass(frozen=True)
class Checked:
    """Results of checking a folder.

    Attributes:
        configs: configs of its parts, by name, with the defaults of their classes.
        facts: further results of its family.
        content_hash: hash of its files, see `content_hash`; empty until it is first computed.
    """

    configs: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    content_hash: str = ""


def content_hash(folder: Path, files: Sequence[Path]) -> str:
    """Return BLAKE2b, in hex, over the sorted relative paths and the contents of files in a folder.

    It is cached while the files keep their sizes and times.
    """
    checked = recall(folder, files)
    if checked and checked.content_hash:
        return checked.content_hash
    found = _hash_of(folder, files)
    if checked:
        remember(folder, files, replace(checked, content_hash=found))
    return found


def _hash_of(folder: Path, files: Sequence[Path]) -> str:
    whole = hashlib.blake2b(digest_size=32)
    for name, path in sorted((_name_in(folder, path), path) for path in files):
        with path.open("rb") as file:
            whole.update(name.encode() + b"\0" + hashlib.file_digest(file, "blake2b").digest())
    return whole.hexdigest()


def _name_in(folder: Path, path: Path) -> str:
    """Return a file's name for hashing: its path in the folder, or its bare name if it lies elsewhere."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def recall(folder: Path, files: Sequence[Path]) -> Checked | None:
    """Return a folder's cached results; None if it is new or changed, or the cache entry is damaged."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(bytes(kept(_place(folder)) or b"{}"))
        if found["signature"] == _signature(folder, files):
            return Checked(**found["checked"])
    return None


def remember(folder: Path, files: Sequence[Path], checked: Checked) -> None:
    """Cache the results of checking a folder."""
    with suppress(OSError, TypeError):  # a file has just vanished; a config may hold values that JSON cannot
        facts = {"folder": str(folder.resolve()), "signature": _signature(folder, files), "checked": asdict(checked)}
        keep(_place(folder), json.dumps(facts).encode())


def folder_with(content: str) -> Path | None:
    """Return a folder that was opened on this machine before and had this content hash; None if there is none."""
    for path in (home() / "cache" / "checked").glob("*"):
        found = json.loads(bytes(kept(path) or b"{}"))
        if found.get("checked", {}).get("content_hash") == content and Path(found.get("folder", "")).is_dir():
            return Path(found["folder"])
    return None


def _signature(folder: Path, files: Sequence[Path]) -> list[Any]:
    """Names, sizes and times of the files, and the libraries that checked them.

    The modification time can be set back, as copying tools do; the change time (ctime) cannot.
    """
    stats = [(_name_in(folder, path), path.stat()) for path in sorted(files)]
    libraries = [version("diffusers"), version("transformers")]
    return [*libraries, *([name, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for name, s in stats)]


def _place(folder: Path) -> Path:
    name = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=16).hexdigest()
    return home() / "cache" / "checked" / name
