"""A folder in the diffusers layout for a checkpoint whose weights lie elsewhere: configs, words, and `weights.json`.

Nothing is copied but small files. The folder of a file that is opened by its path lies in the cache and is made anew
when it changes; one that `regrow models add` makes lies among the user's models, by a name.
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
    """Return whether a path may be that of a checkpoint in one file."""
    return path.is_file() and path.suffix.lower() in SUFFIXES


def check_place(path: Path) -> None:
    """Refuse a folder that is no model, a link that leads to nothing, and a pipe or a device.

    Raises:
        ModelError: it is one.
    """
    if os.path.islink(path) and not os.path.exists(path):
        raise ModelError(
            f"{path} is a link that leads to nothing ({os.readlink(path)}): mend it, or name another file."
        )
    if os.path.exists(path) and not os.path.isdir(path):
        raise ModelError(f"{path} is not an ordinary file: copy its content into one first.")
    if os.path.isdir(path):
        file = min((each for each in path.glob("*") if is_single_file(each)), default=None)
        step = f" Name one of its files (--model {file}), or add all by name: regrow models add {path}." if file else ""
        raise ModelError(f"{path} is no model: it has neither a model_index.json nor a config.json.{step}")


def checkpoint_kind(path: Path, allow_pickle: bool = False, base: Path | None = None) -> Kind:
    """Return what the checkpoint in a file is.

    Args:
        path: of the file.
        allow_pickle: whether it may be a pickle.
        base: a checkpoint folder, in which the file takes the place of the network or the codec.

    Raises:
        ModelError: it is none: one sentence says what it is, and what can be done with it.
    """
    kind = kind_of(read_header(path, allow_pickle))
    if base is not None and (kind.role == "network" or kind.role.startswith("vae")):
        network = "transformer" if (base / "transformer").is_dir() else "unet"
        return replace(kind, parts={network if kind.role == "network" else "vae": kind.parts[""]})
    if not kind.layout:
        raise ModelError(f"{path} is no checkpoint, but {kind.title}. {kind.next_step}")
    return kind


def cached_view(path: Path, places: Sequence[Path], allow_pickle: bool = False) -> Path:
    """Return a folder for a checkpoint in one file.

    Args:
        path: of the file.
        places: folders in which parts that it lacks are looked for.
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
    """Write a folder for a checkpoint in one file; what is there already and the same stays as it is.

    Args:
        folder: to write.
        path: of the file.
        base: a checkpoint folder that configs, words and the parts that the file lacks are taken from.
        places: folders in which parts that it lacks are looked for, where there is no base.
        allow_pickle: whether it may be a pickle.

    Returns:
        the folder.

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
    """Wait until no other process changes what is in a folder: several open the same file at once."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


def read_notes(folder: Path) -> tuple[str, ...]:
    """Return what had to be assumed when the folder was written."""
    path = folder / NOTES_FILE
    if not path.is_file():
        return ()
    with suppress(ValueError):
        notes = json.loads(path.read_bytes())
        if isinstance(notes, list) and all(isinstance(note, str) for note in notes):
            return tuple(notes)
    raise ModelError(f"{path} lists no sentences: remove it, or add the model again.")


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
    """Copy what has no weights from another checkpoint, and say where those are that the file at `path` lacks."""
    index = read_json(base / "model_index.json")
    pipeline = str(index.get("_class_name"))
    if kind.layout and family_of_pipeline(layout(kind.layout).pipeline) != family_of_pipeline(pipeline):
        raise ModelError(
            f"{path} is a checkpoint of {layout(kind.layout).title}, and {base} is a {pipeline}: take a base "
            "of the same family."
        )
    parts = [part for part, entry in index.items() if isinstance(entry, list) and entry != [None, None]]
    if lacking := [part for part in own if part not in parts]:
        raise ModelError(f"{base} has no {lacking[0]}, which the file holds: it is of another model.")
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
