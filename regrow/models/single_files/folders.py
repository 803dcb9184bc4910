"""Folders of other programs (ComfyUI, AUTOMATIC1111, InvokeAI) with checkpoints, which the user adds."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from regrow.media.home import home
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import is_model, read_json
from regrow.models.single_files.header import PICKLED, SUFFIXES, read_header
from regrow.models.single_files.kinds import Kind, kind_of
from regrow.models.single_files.other_kinds import EMBEDDING, LORA

FOLDERS_FILE = "folders.json"
_SKIPPED = {"node_modules", "venv", ".venv", "python_embeded", "site-packages", "custom_nodes", "output", "outputs"}
_MOST_FILES = 20_000


@dataclass(frozen=True)
class SingleFile:
    """A weight file in an added folder, and its kind."""

    path: Path
    kind: Kind

    @property
    def is_addition(self) -> bool:
        """Whether it can be added to a checkpoint: a LoRA file or an embedding."""
        return self.kind.title in (LORA, EMBEDDING)


def added_folders() -> list[Path]:
    """Return the added folders that exist."""
    # os.path, as Path.is_dir raises an error for a name that no file system allows
    return [folder for folder in _stated() if os.path.isdir(folder)]


def add_folder(folder: Path) -> list[SingleFile]:
    """Add a folder; its checkpoints can then be opened by name, in place.

    Returns:
        The weight files in it that regrow can use.

    Raises:
        ModelError: it is not a folder, or holds no such file.
    """
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise ModelError(say("nothing_to_add", path=folder))
    if is_model(folder):
        raise ModelError(say("added_folder_is_model", folder=folder))
    found = [file for file in single_files([folder]) if file.kind.layout or file.kind.role or file.is_addition]
    if not found:
        raise ModelError(say("added_folder_is_empty", folder=folder))
    _state([*(stated for stated in _stated() if stated != folder), folder])
    return found


def forget_folder(folder: Path) -> bool:
    """Remove a folder from the list, without touching its files; return whether it was listed."""
    folder = folder.expanduser().resolve()
    stated = _stated()
    if folder not in stated:
        return False
    _state([other for other in stated if other != folder])
    return True


def single_files(folders: Sequence[Path]) -> Iterator[SingleFile]:
    """Yield the weight files in and below folders, except pickles, damaged files and diffusers folders."""
    for path in _weight_files(folders):
        if (kind := _kind_at(path)) is not None:
            yield SingleFile(path, kind)


def single_file_named(name: str, folders: Sequence[Path]) -> Path | None:
    """Return the first checkpoint file of this name, with or without its suffix."""
    for path in _weight_files(folders):
        if name in (path.stem, path.name) and (kind := _kind_at(path)) and kind.layout:
            return path
    return None


def addition_named(name: str, folders: Sequence[Path], title: str) -> Path | None:
    """Return the first LoRA or embedding file of this name, with or without its suffix.

    Args:
        name: the file's name.
        folders: to look in.
        title: title of its kind.
    """
    for path in _weight_files(folders):
        if name in (path.stem, path.name) and (kind := _kind_at(path)) and kind.title == title:
            return path
    return None


def files_named(name: str, folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the weight files of this name and any kind, with or without its suffix."""
    return (path for path in _weight_files(folders) if name in (path.stem, path.name))


def _kind_at(path: Path) -> Kind | None:
    """Return a file's kind; None if it is damaged."""
    with suppress(OSError, ModelError):
        stat = path.stat()
        return _kind_then(path, stat.st_size, stat.st_mtime_ns)
    return None


@lru_cache(maxsize=_MOST_FILES)
def _kind_then(path: Path, size: int, time: int) -> Kind:
    """Return the kind of a file of this size and time; cached, as the web page lists files often."""
    return kind_of(read_header(path))


def _weight_files(folders: Sequence[Path]) -> Iterator[Path]:
    count = 0
    for folder in folders:
        for where, below, names in os.walk(folder):
            # a folder in the diffusers layout is opened as that
            if {"model_index.json", "config.json"} & set(names):
                below.clear()
                continue
            below[:] = sorted(name for name in below if name not in _SKIPPED and not name.startswith("."))
            for name in sorted(names):
                if name.lower().endswith(SUFFIXES) and not name.lower().endswith(PICKLED):
                    count += 1
                    if count > _MOST_FILES:
                        return
                    yield Path(where) / name


def _stated() -> list[Path]:
    path = home() / FOLDERS_FILE
    if not path.is_file():
        return []
    try:
        names = read_json(path).get("folders", [])
    except ModelError:
        names = None
    if not isinstance(names, list):
        raise ModelError(say("folder_list_damaged", path=path))
    return [Path(name) for name in names if isinstance(name, str)]


def _state(folders: list[Path]) -> None:
    home().mkdir(parents=True, exist_ok=True)
    aside = home() / f".{FOLDERS_FILE}"
    aside.write_text(json.dumps({"folders": [str(folder) for folder in folders]}, indent=2) + "\n", encoding="utf-8")
    aside.replace(home() / FOLDERS_FILE)
