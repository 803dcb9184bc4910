"""Which checkpoint folders were opened whole before, by the size and time of their files.

The first opening of a folder reads every weight and compares it with its config. What it found (configs, content hash)
is kept in `home()/cache/checked`, so that the next one opens only the parts that it computes with, and does not read
gigabytes to hash them. A file that changed in size or time makes the folder a new one.
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
    """What was found out about a folder.

    Attributes:
        configs: of its parts, by name, with the defaults of their classes.
        facts: further findings of its family.
        content_hash: of its files, see `content_hash`; empty until it is asked for.
    """

    configs: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    content_hash: str = ""


def content_hash(folder: Path, files: Sequence[Path]) -> str:
    """Return BLAKE2b, in hex, over the sorted relative paths and the contents of files in a folder.

    It is computed once for files of the same sizes and times.
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
    """What a file is called in a hash: its path in the folder; its name alone where it lies elsewhere."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def recall(folder: Path, files: Sequence[Path]) -> Checked | None:
    """Return what is kept of a folder; None where it is new, changed, or what is kept is damaged."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(bytes(kept(_place(folder)) or b"{}"))
        if found["signature"] == _signature(folder, files):
            return Checked(**found["checked"])
    return None


def remember(folder: Path, files: Sequence[Path], checked: Checked) -> None:
    """Keep what was found out about a folder."""
    with suppress(OSError, TypeError):  # a file has just gone; a config may hold what JSON does not
        facts = {"folder": str(folder.resolve()), "signature": _signature(folder, files), "checked": asdict(checked)}
        keep(_place(folder), json.dumps(facts).encode())


def folder_with(content: str) -> Path | None:
    """Return a folder that was opened on this machine before and had this content hash; None where there is none."""
    for path in (home() / "cache" / "checked").glob("*"):
        found = json.loads(bytes(kept(path) or b"{}"))
        if found.get("checked", {}).get("content_hash") == content and Path(found.get("folder", "")).is_dir():
            return Path(found["folder"])
    return None


def _signature(folder: Path, files: Sequence[Path]) -> list[Any]:
    """Names, sizes and times of the files, and the libraries that checked them.

    The time of modification can be set back, as copying tools do; that of the last change cannot.
    """
    stats = [(_name_in(folder, path), path.stat()) for path in sorted(files)]
    libraries = [version("diffusers"), version("transformers")]
    return [*libraries, *([name, s.st_size, s.st_mtime_ns, s.st_ctime_ns] for name, s in stats)]


def _place(folder: Path) -> Path:
    name = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=16).hexdigest()
    return home() / "cache" / "checked" / name
