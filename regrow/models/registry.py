"""Families of checkpoints: registered by the classes of their parts, opened from a folder.

A family is one file in `families/`: a subclass of `Model` with an `open` of its own, under `@register`. Families import
no heavy library until a part is opened.
"""

import fnmatch
import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium
from regrow.messages.message import say
from regrow.models import families
from regrow.models.errors import ModelError
from regrow.models.folder import mend, read_json
from regrow.models.folder_forms.plain_pipelines import plain_pipeline
from regrow.models.sidecars.family_file import FAMILY_FILE, read_family
from regrow.models.sidecars.mel_file import MEL_FILE

AnyFamily = TypeVar("AnyFamily", bound=type)

SIDE_FILES = [
    "model_index.json",
    "config.json",
    "scheduler_config.json",
    "words.json",
    "mel.json",
    "family.json",
    "contour.json",
    "edit.json",
    "singers.json",
    "transcriber.safetensors",
    "describer.safetensors",
    "mel/mel_config.json",
    "training.json",
    "diffusion_pytorch_model.safetensors",
    "scheduler/*.json",
]
"""Files of a model outside its parts' folders."""
PICKLED = (".bin", ".*.bin", "-0*.bin", ".bin.index*.json")
"""Name endings of pickled weights."""


@dataclass(frozen=True)
class Family:
    """One layout of checkpoint.

    Attributes:
        name: its name in recipes and lists.
        title: its name in messages, with the pipelines' names.
        pipelines: pipeline classes in `model_index.json` that identify it.
        parts: classes of the parts that identify it, whatever the pipeline's class.
        folders: folders of the parts that it is read from.
        medium: what it generates; a folder with a `mel.json` generates sounds from mels instead.
        named: a word in the names of its checkpoints, if their files cannot identify them, as their `pipelines` are
            another family's. Else empty.
        kind: the subclass of `Model`, with `open(source)`.
        short: a short alternative name, "" for none.
    """

    name: str
    title: str
    pipelines: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]]
    folders: tuple[str, ...]
    medium: Medium
    named: str
    kind: Any
    short: str = ""


_FAMILIES: dict[str, Family] = {}


def register(
    name: str,
    title: str,
    pipelines: Sequence[str] = (),
    parts: Mapping[str, Sequence[str]] | None = None,
    folders: Sequence[str] = ("unet",),
    medium: Medium = PICTURE,
    named: str = "",
    short: str = "",
) -> Callable[[AnyFamily], AnyFamily]:
    """Register a subclass of `Model` as a family; see `Family`. A later registration of the same name replaces it."""

    def registered(kind: AnyFamily) -> AnyFamily:
        known = {part: tuple(names) for part, names in (parts or {}).items()}
        _FAMILIES[name] = Family(name, title, tuple(pipelines), known, tuple(folders), medium, named, kind, short)
        return kind

    return registered


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(families.__path__):
        importlib.import_module(f"{families.__name__}.{module.name}")


def all_families() -> tuple[Family, ...]:
    """Return every family, those of `families/` first."""
    _discover()
    return tuple(_FAMILIES.values())


def family_named(name: str, where: str = "--as") -> Family:
    """Return a family by its name.

    Args:
        name: its name, or its short name.
        where: the option or file that names it, for messages.

    Raises:
        ModelError: there is none.
    """
    families = {family.name: family for family in all_families()}
    short = {family.short: family for family in families.values() if family.short}
    if name not in families | short:
        raise ModelError(say("family_unknown", where=where, name=name, families=", ".join(sorted(families))))
    return (families | short)[name]


def split_name(name: str) -> tuple[str, str]:
    """Return the family that a name such as `riffusion:folder` begins with, or "", and the rest."""
    first, colon, rest = name.partition(":")
    return (first, rest) if colon and rest and first in {family.name for family in all_families()} else ("", name)


def joined_name(family: str, name: str) -> str:
    """Return a name that `split_name` splits into both; the name alone where the family is ""."""
    return f"{family}:{name}" if family else name


def supported() -> str:
    """Return the titles of all families in one phrase, for error messages."""
    titles = sorted(family.title for family in all_families())
    return ", ".join(titles[:-1]) + " and " + titles[-1]


def recognise(folder: Path, as_family: str = "", name: str = "") -> tuple[Family, Mapping[str, Any] | None]:
    """Return the family of a folder, and the contents of its `model_index.json`.

    In order of precedence: `as_family`; the family that `family.json` names; a family that is recognised by the
    checkpoint's name, unless there is a `mel.json`; the family of the classes in `model_index.json` or `config.json`.

    Args:
        folder: the checkpoint's folder.
        as_family: the name of a family; "" to detect it.
        name: name of the checkpoint, or of its repository; the folder's own if not given.

    Raises:
        ModelError: it describes a model that regrow does not support, or names an unknown family.
    """
    index_file = folder / "model_index.json"
    index = read_json(index_file) if index_file.is_file() else None
    if as_family:
        return family_named(as_family), index
    if said := read_family(folder):
        return family_named(said, str(folder / FAMILY_FILE)), index
    family = named(name or _name_of(folder))
    if family and index and index.get("_class_name") in family.pipelines and not (folder / MEL_FILE).is_file():
        return family, index
    return _by_classes(folder, index), index


def _by_classes(folder: Path, index: Mapping[str, Any] | None) -> Family:
    families = [family for family in all_families() if not family.named]
    if index is None:
        config_file = folder / "config.json"
        kind = read_json(config_file).get("_class_name")
        if not isinstance(kind, str):
            raise ModelError(say("config_names_no_class", file=config_file))
        for family in families:
            if kind in family.parts.get("", ()):
                return family
        raise ModelError(say("part_is_no_model", file=config_file, kind=kind, supported=supported()))
    kind = index.get("_class_name")
    if not isinstance(kind, str) or not kind:
        raise ModelError(say("index_names_no_pipeline", folder=folder / "model_index.json", mend=mend(folder)))
    if family := family_of_pipeline(kind) or family_of_pipeline(plain_pipeline(kind)):
        return family
    classes = {part: entry[1] for part, entry in index.items() if isinstance(entry, list) and len(entry) == 2}
    for family in families:
        known = {part: names for part, names in family.parts.items() if part}
        if known and all(classes.get(part) in names for part, names in known.items()):
            return family
    raise ModelError(say("pipeline_unsupported", folder=folder / "model_index.json", kind=kind, supported=supported()))


def family_of_pipeline(kind: str) -> Family | None:
    """Return the family that a pipeline's class identifies by itself; None if there is none."""
    kinds = {kind, plain_pipeline(kind)}
    return next((family for family in all_families() if not family.named and kinds & {*family.pipelines}), None)


def named(name: str) -> Family | None:
    """Return the family that the name of a checkpoint, file or repository identifies; None if there is none."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1].lower()
    return next((family for family in all_families() if family.named and family.named in last), None)


def is_certain(folder: Path, name: str) -> bool:
    """Return whether a folder is of this family, and its classes alone say so, without its name or `family.json`."""
    with suppress(ModelError):
        found, index = recognise(folder)
        return found.name == name == _by_classes(folder, index).name
    return False


def _name_of(folder: Path) -> str:
    """Return a checkpoint's name: its folder's, or in the hub's cache its repository's."""
    hub = next((part for part in folder.parts if part.startswith("models--")), None)
    return hub.split("--")[-1] if hub else folder.absolute().name


def wanted_files(allow_pickle: bool = False, there: Sequence[str] = ()) -> list[str]:
    """Return patterns, relative to a model's folder, of all files that it is read from.

    Args:
        allow_pickle: whether pickled weights are wanted.
        there: names of the files to choose from; if a part has only a variant of its weights, such as fp16, the variant
            is wanted.
    """
    folders = list(dict.fromkeys(folder for family in all_families() for folder in family.folders))
    wanted = [*SIDE_FILES]
    for part in folders:
        if part.startswith(("tokenizer", "processor")):
            wanted.append(f"{part}/*")
            continue
        whole = [f"{part}/*model{end}" for end in (".safetensors", ".safetensors.index.json", "-0*.safetensors")]
        names = fnmatch.filter(there, f"{part}/*model*.safetensors*")
        variant = names and not any(fnmatch.filter(names, pattern) for pattern in whole)
        wanted += [f"{part}/config.json", *whole]
        wanted += [f"{part}/*model.*.safetensors", f"{part}/*model.*.index*.json"] if variant else []
    pickles = ["diffusion_pytorch_model.bin", *(f"{part}/*model{end}" for part in folders for end in PICKLED)]
    return [*wanted, *(pickles if allow_pickle else ())]
