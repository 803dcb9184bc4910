"""Families of checkpoints: registered by the classes of their parts, opened from a folder.

A family is one file in `families/`: a subclass of `Model` with an `open` of its own, under `@register`. Families import
nothing heavy until a part is opened.
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
    "transcriber.safetensors",
    "describer.safetensors",
    "mel/mel_config.json",
    "training.json",
    "diffusion_pytorch_model.safetensors",
    "scheduler/*.json",
]
"""What a model may be read from besides its parts' folders."""
PICKLED = (".bin", ".*.bin", "-0*.bin", ".bin.index*.json")
"""Endings of the names of pickled weights."""


@dataclass(frozen=True)
class Family:
    """One layout of checkpoint.

    Attributes:
        name: in recipes and lists.
        title: for people, with the pipelines' names.
        pipelines: class names of `model_index.json` that mean it.
        parts: class names of the parts that it is recognised by, whatever the pipeline is called.
        folders: of the parts that it is read from.
        medium: what it makes, unless a folder holds a `mel.json`: then its frames are mels.
        named: a word in the names of its checkpoints, where their files do not say what they are: they have the
            `pipelines` of another family. Empty where the files do.
        kind: the subclass of `Model`, with `open(source)`.
        short: another name that it may be asked for by, "" for none.
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
    """Register a subclass of `Model` as a family; see `Family`. A later one of the same name takes its place."""

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
        name: of it, or its short one.
        where: what names it, for the sentence.

    Raises:
        ModelError: there is none.
    """
    families = {family.name: family for family in all_families()}
    short = {family.short: family for family in families.values() if family.short}
    if name not in families | short:
        raise ModelError(f"{where} names a family {name!r}, but there are {', '.join(sorted(families))}.")
    return (families | short)[name]


def split_name(name: str) -> tuple[str, str]:
    """Return the family that a name such as `riffusion:folder` begins with, or "", and the rest."""
    first, colon, rest = name.partition(":")
    return (first, rest) if colon and rest and first in {family.name for family in all_families()} else ("", name)


def joined_name(family: str, name: str) -> str:
    """Return a name that `split_name` splits into both; the name alone where the family is ""."""
    return f"{family}:{name}" if family else name


def supported() -> str:
    """Name all families in one phrase, for sentences on what is not one of them."""
    titles = sorted(family.title for family in all_families())
    return ", ".join(titles[:-1]) + " and " + titles[-1]


def recognise(folder: Path, as_family: str = "", name: str = "") -> tuple[Family, Mapping[str, Any] | None]:
    """Return the family of a folder, and the contents of its `model_index.json`.

    It is the one that is asked for, or that `family.json` names; else that of the checkpoint's name, where a family is
    known by that and no `mel.json` says another thing; else that of the classes in `model_index.json` or `config.json`.

    Args:
        folder: of the checkpoint.
        as_family: the name of a family; "" to find it out.
        name: of the checkpoint, or of the repository that it is from; the folder's own if not given.

    Raises:
        ModelError: it describes a model that regrow does not support, or names a family that it has not.
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
            raise ModelError(f"{config_file} names no class (_class_name), so it is no model by itself.")
        for family in families:
            if kind in family.parts.get("", ()):
                return family
        raise ModelError(f"{config_file} describes a {kind}, which is no model by itself; regrow opens {supported()}.")
    kind = index.get("_class_name")
    if not isinstance(kind, str) or not kind:
        raise ModelError(f"{folder / 'model_index.json'} names no pipeline (_class_name): {mend(folder)}.")
    if family := family_of_pipeline(kind) or family_of_pipeline(plain_pipeline(kind)):
        return family
    classes = {part: entry[1] for part, entry in index.items() if isinstance(entry, list) and len(entry) == 2}
    for family in families:
        known = {part: names for part, names in family.parts.items() if part}
        if known and all(classes.get(part) in names for part, names in known.items()):
            return family
    raise ModelError(
        f"{folder / 'model_index.json'} describes a {kind}, which regrow does not support; it opens {supported()}."
    )


def family_of_pipeline(kind: str) -> Family | None:
    """Return the family that a pipeline's class means by itself; None where none does."""
    kinds = {kind, plain_pipeline(kind)}
    return next((family for family in all_families() if not family.named and kinds & {*family.pipelines}), None)


def named(name: str) -> Family | None:
    """Return the family that is known by a checkpoint's name, or that of its file or repository; None where none is."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1].lower()
    return next((family for family in all_families() if family.named and family.named in last), None)


def is_certain(folder: Path, name: str) -> bool:
    """Return whether a folder is of a family whatever it is called, and with no `family.json`: by its classes alone."""
    with suppress(ModelError):
        found, index = recognise(folder)
        return found.name == name == _by_classes(folder, index).name
    return False


def _name_of(folder: Path) -> str:
    """What a checkpoint is called: its folder, or in the hub's cache its repository."""
    hub = next((part for part in folder.parts if part.startswith("models--")), None)
    return hub.split("--")[-1] if hub else folder.absolute().name


def wanted_files(allow_pickle: bool = False, there: Sequence[str] = ()) -> list[str]:
    """Return patterns, relative to a model's folder, of all the files that a model is read from.

    Args:
        allow_pickle: whether pickled weights are wanted.
        there: names of the files to choose from; of a part whose weights are there as a variant only, such as fp16,
            that is wanted.
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
