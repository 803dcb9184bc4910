"""Write a diffusers folder for a checkpoint whose weights lie elsewhere: configs, tokenizers and `weights.json`.

Only small files are copied. For a file that is opened by its path, the folder is in the cache and rewritten when the
file changes; with `regrow models add` it is a named folder among the user's models.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from regrow.media.home import home
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json
from regrow.models.registry import family_of_pipeline
from regrow.models.single_files.companions import companions
from regrow.models.single_files.header import SUFFIXES, read_header
from regrow.models.single_files.kinds import Kind, kind_of
from regrow.models.single_files.layouts import Layout, layout, write_tokenizer
from regrow.models.single_files.weights_file import Place, write_weights_file

NOTES_FILE = "notes.json"


def is_single_file(path: Path) -> bool:
    """Return whether a path may be a single-file checkpoint."""
    return path.suffix.lower() in SUFFIXES and os.path.isfile(path)  # accepts any name, as from a recipe


def check_place(path: Path) -> None:
    """Raise an error if a path is a folder without a model, a broken link, a pipe or a device.

    Raises:
        ModelError: it is one.
    """
    if os.path.islink(path) and not os.path.exists(path):
        raise ModelError(say("link_to_nothing", path=path, target=os.readlink(path)))
    if os.path.exists(path) and not os.path.isdir(path):
        raise ModelError(say("no_ordinary_file", path=path))
    if os.path.isdir(path):
        file = min((each for each in path.glob("*") if is_single_file(each)), default=None)
        step = say("name_one_of_its_files", file=file, path=path) if file else ""
        raise ModelError(say("path_is_no_model", path=path, step=step))


def checkpoint_kind(path: Path, allow_pickle: bool = False, base: Path | None = None) -> Kind:
    """Return the kind of the checkpoint in a file.

    Args:
        path: the file.
        allow_pickle: whether it may be a pickle.
        base: a checkpoint folder, whose network or codec the file replaces.

    Raises:
        ModelError: it is not a checkpoint; the message says what it is, and what to do.
    """
    kind = kind_of(read_header(path, allow_pickle))
    if base is not None and (kind.role == "network" or kind.role.startswith("vae")):
        network = "transformer" if (base / "transformer").is_dir() else "unet"
        return replace(kind, parts={network if kind.role == "network" else "vae": kind.parts[""]})
    if not kind.layout:
        raise ModelError(say("file_is_no_checkpoint", path=path, title=kind.title, next_step=kind.next_step))
    return kind


def cached_view(path: Path, places: Sequence[Path], allow_pickle: bool = False) -> Path:
    """Return a diffusers folder in the cache for a single-file checkpoint.

    Args:
        path: the file.
        places: folders to search for parts that it lacks.
        allow_pickle: whether it may be a pickle.

    Raises:
        ModelError: it is no checkpoint, or lacks parts that are not found.
    """
    path = path.resolve()
    mark = hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()
    folder = home() / "cache" / "single_files" / f"{path.stem}-{mark}"
    return write_view(folder, path, None, places, allow_pickle)


def write_view(
    folder: Path, path: Path, base: Path | None, places: Sequence[Path] = (), allow_pickle: bool = False
) -> Path:
    """Write a diffusers folder for a single-file checkpoint, unless it exists with the same contents.

    Args:
        folder: to write.
        path: the file.
        base: a checkpoint folder to take configs, tokenizers and missing parts from.
        places: folders to search for missing parts, if there is no base.
        allow_pickle: whether it may be a pickle.

    Returns:
        The folder.

    Raises:
        ModelError: it is no checkpoint, or lacks parts that are not found.
    """
    kind = checkpoint_kind(path, allow_pickle, base)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".regrow-", dir=folder.parent))
    try:
        aside.chmod(0o755)
        notes = [*kind.notes]
        own = {part: Place(path, begins) for part, begins in kind.parts.items()}
        if base is not None:
            elsewhere = _from_base(aside, base, own, path, kind)
        else:
            made = layout(kind.layout)
            elsewhere, more = companions(path, kind.layout, own, places)
            notes += more
            _write_configs(aside, made, kind, {**own, **elsewhere})
        write_weights_file(aside, {**elsewhere, **own})
        (aside / NOTES_FILE).write_text(json.dumps(notes), encoding="utf-8")
        with _alone_in(folder.parent):
            if folder.is_dir() and _same(folder, aside):
                return folder
            shutil.rmtree(folder, ignore_errors=True)
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder against changes by other processes, which may open the same file at the same time."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def read_notes(folder: Path) -> tuple[str, ...]:
    """Return messages on what had to be assumed when the folder was written."""
    path = folder / NOTES_FILE
    if not path.is_file():
        return ()
    with suppress(ValueError, RecursionError):
        notes = json.loads(path.read_bytes())
        if isinstance(notes, list) and all(isinstance(note, str) for note in notes):
            return tuple(notes)
    raise ModelError(say("notes_file_damaged", path=path))


def _write_configs(folder: Path, made: Layout, kind: Kind, places: Mapping[str, Place]) -> None:
    index: dict[str, Any] = {"_class_name": made.pipeline}
    for part, name in made.classes.items():
        words = part.replace("tokenizer", "text_encoder")
        if part in made.optional and words not in places:
            index[part] = [None, None]
            continue
        library = "transformers" if part.startswith(("text_encoder", "tokenizer")) else "diffusers"
        index[part] = [library, name]
        (folder / part).mkdir()
        if part.startswith("tokenizer"):
            write_tokenizer(folder / part, made.configs[part])
            continue
        file = "scheduler_config.json" if part == "scheduler" else "config.json"
        config = {**made.configs[part], **(kind.changes if part == "scheduler" else {})}
        if part == "scheduler":
            config["_class_name"] = name
        (folder / part / file).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "model_index.json").write_text(json.dumps({**index, **made.others}, indent=2) + "\n", encoding="utf-8")


def _from_base(folder: Path, base: Path, own: Mapping[str, Place], path: Path, kind: Kind) -> dict[str, Place]:
    """Copy files without weights from a base, and return the places of the parts that the file at `path` lacks."""
    index = read_json(base / "model_index.json")
    pipeline = str(index.get("_class_name"))
    if kind.layout and family_of_pipeline(layout(kind.layout).pipeline) != family_of_pipeline(pipeline):
        raise ModelError(
            say("base_of_other_family", path=path, title=layout(kind.layout).title, base=base, pipeline=pipeline)
        )
    parts = [part for part, entry in index.items() if isinstance(entry, list) and entry != [None, None]]
    if lacking := [part for part in own if part not in parts]:
        raise ModelError(say("base_lacks_parts", base=base, lacking=lacking[0]))
    small = [path for path in base.rglob("*") if path.suffix in (".json", ".txt", ".model") and path.is_file()]
    for source in small:
        name = source.relative_to(base)
        if (len(name.parts) == 1 or name.parts[0] in parts) and not source.name.endswith(".index.json"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
    held = [part for part in parts if (base / part / "config.json").is_file() and part not in own]
    return {part: Place((base / part).resolve()) for part in held}


def _same(first: Path, second: Path) -> bool:
    names = {p.relative_to(first) for p in first.rglob("*")}
    return names == {p.relative_to(second) for p in second.rglob("*")} and all(
        (first / name).is_dir() or (first / name).read_bytes() == (second / name).read_bytes() for name in names
    )
