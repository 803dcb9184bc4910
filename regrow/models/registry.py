"""Families of checkpoints: registered by the classes of their parts, opened from a folder.

A family is one file in `families/`: a subclass of `Model` with an `open` of its own, under `@register`. Families import
nothing heavy until a part is opened.
"""

import fnmatch
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium
from regrow.models import families
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

AnyFamily = TypeVar("AnyFamily", bound=type)

SIDE_FILES = [
    "model_index.json",
    "config.json",
    "scheduler_config.json",
    "words.json",
    "mel.json",
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
        kind: the subclass of `Model`, with `open(source)`.
    """

    name: str
    title: str
    pipelines: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]]
    folders: tuple[str, ...]
    medium: Medium
    kind: Any


_FAMILIES: dict[str, Family] = {}


def register(
    name: str,
    title: str,
    pipelines: Sequence[str] = (),
    parts: Mapping[str, Sequence[str]] | None = None,
    folders: Sequence[str] = ("unet",),
    medium: Medium = PICTURE,
) -> Callable[[AnyFamily], AnyFamily]:
    """Register a subclass of `Model` as a family; see `Family`. A later one of the same name takes its place."""

    def registered(kind: AnyFamily) -> AnyFamily:
        known = {part: tuple(names) for part, names in (parts or {}).items()}
        _FAMILIES[name] = Family(name, title, tuple(pipelines), known, tuple(folders), medium, kind)
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


def family_named(name: str) -> Family:
    """Return a family by its name."""
    return next(family for family in all_families() if family.name == name)


def supported() -> str:
    """Name all families in one phrase, for sentences on what is not one of them."""
    titles = sorted(family.title for family in all_families())
    return ", ".join(titles[:-1]) + " and " + titles[-1]


def recognise(folder: Path) -> tuple[Family, Mapping[str, Any] | None]:
    """Return the family of a folder by its `model_index.json` or `config.json`, and the contents of the first.

    Raises:
        ModelError: it describes a model that regrow does not support.
    """
    index_file, config_file = folder / "model_index.json", folder / "config.json"
    if not index_file.is_file():
        kind = read_json(config_file).get("_class_name")
        for family in all_families():
            if kind in family.parts.get("", ()):
                return family, None
        raise ModelError(f"{config_file} describes a {kind}, which is no model by itself; regrow opens {supported()}.")
    index = read_json(index_file)
    kind = index.get("_class_name")
    for family in all_families():
        if kind in family.pipelines:
            return family, index
    classes = {part: entry[1] for part, entry in index.items() if isinstance(entry, list) and len(entry) == 2}
    for family in all_families():
        named = {part: names for part, names in family.parts.items() if part}
        if named and all(classes.get(part) in names for part, names in named.items()):
            return family, index
    raise ModelError(f"{index_file} describes a {kind}, which regrow does not support; it opens {supported()}.")


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
        if part.startswith("tokenizer"):
            wanted.append(f"{part}/*")
            continue
        whole = [f"{part}/*model{end}" for end in (".safetensors", ".safetensors.index.json", "-0*.safetensors")]
        names = fnmatch.filter(there, f"{part}/*model*.safetensors*")
        variant = names and not any(fnmatch.filter(names, pattern) for pattern in whole)
        wanted += [f"{part}/config.json", *whole, *([f"{part}/*model.*.safetensors"] if variant else ())]
    pickles = ["diffusion_pytorch_model.bin", *(f"{part}/*model.bin" for part in folders)]
    return [*wanted, *(pickles if allow_pickle else ())]
