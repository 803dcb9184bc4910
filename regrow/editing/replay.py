"""Replay: make a result again from the recipe in its file."""

import os
import pkgutil
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from regrow import editing
from regrow.core.progress import Progress
from regrow.editing.codec_cache import through_codec
from regrow.editing.recipe import Recipe, checked, input_of, settings_from
from regrow.editing.result import Operation
from regrow.media.files import MediaError, file_hash, reason
from regrow.media.medium import medium_of
from regrow.messages.message import say
from regrow.models.checked import folder_with
from regrow.models.engines.choose import as_recorded
from regrow.models.engines.names import EngineName
from regrow.models.folder import is_model
from regrow.models.memory.codec_room import Coding, coded_as
from regrow.models.model import Model
from regrow.models.open import has_model, user_models
from regrow.models.registry import joined_name, split_name
from regrow.models.single_files.folders import added_folders, files_named
from regrow.models.single_files.view import is_single_file
from regrow.prompts import expand_edit, expand_generate
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate


@dataclass(frozen=True)
class Replayed:
    """A result made again.

    Attributes:
        item: a picture `3 h w`, or a wave `channels n`.
        recipe: its new one.
        identical: whether its 8-bit pixels or 24-bit samples are those of the first time.
        rate: of a wave; None for a picture.
    """

    item: Tensor
    recipe: Recipe
    identical: bool
    rate: int | None = None


def recipe_in(path: Path) -> Recipe:
    """Return the recipe in a result file.

    Raises:
        MediaError: there is none.
    """
    recipe = medium_of(path).read_recipe(path)
    if recipe is None:
        raise MediaError(say("file_has_no_recipe", path=path))
    return recipe


class Request(Protocol):
    """What an operation is asked for."""

    @property
    def model(self) -> str: ...


def operation_named(name: str) -> Operation:
    """Return the operation of a module of `regrow.editing` that is named as recipes name it, and offers `OPERATION`."""
    known = {module.name for module in pkgutil.iter_modules(editing.__path__)}
    found = getattr(import_module(f"regrow.editing.{name}"), "OPERATION", None) if name in known else None
    if found is None:
        raise MediaError(say("operation_not_replayable", name=name))
    return found


def request_from(recipe: Recipe, *folders: Path) -> Request:
    """Return the operation that a recipe describes, with its input checked.

    Args:
        recipe: anybody can write one, so everything in it is checked.
        folders: where its files and its model may be, beside the current folder and the user's models.

    Raises:
        MediaError: the recipe is another version's or damaged, or the input is not there or has changed.
    """
    if "operation" not in recipe:
        raise MediaError(say("recipe_without_operation"))
    kind = operation_named(checked(recipe, "operation", str)).request
    for place in ("model.hash", "result.hash"):
        checked(recipe, place, str)
    checked(recipe, "threads", int, 1, 1024)
    checked(recipe, "result.index", int, 0, 999)
    settings = settings_from(recipe, kind)
    places = [*folders, Path()]
    files: dict[str, Any] = {}
    if read := input_of(settings):
        files[read] = _found(recipe, read, "input", places)
    inputs = checked(recipe, "inputs", list) if "inputs" in recipe else ()
    for field, known in zip(("first", "second"), inputs, strict=False):
        if field in settings:
            files[field] = str(_found({"paths": recipe.get("paths"), "inputs": known}, field, "inputs", places))
    if settings.get("trajectory"):
        named = checked(recipe, "settings.trajectory", str)
        older = {"paths": {"trajectory": named}} if "trajectory" not in recipe else {}
        files["trajectory"] = _found(recipe | older, "trajectory", "trajectory", places)
    if settings.get("reference_sound"):
        files["reference_sound"] = _found(recipe, "reference_sound", "reference_sound", places)
    if settings.get("mask") and settings["mask"] != "auto":
        files["mask"] = _found(recipe, "mask", "mask", places)
    if settings.get("describer"):  # whose words would be in the recipe
        raise MediaError(say("recipe_names_captioner"))
    family, name = split_name(checked(recipe, "settings.model", str))
    if model := _folder_of(name, recipe, [*places, user_models()]):
        files["model"] = joined_name(family, str(model))
    try:
        return kind(**{**settings, **files})
    except ValueError as problem:
        raise MediaError(say("recipe_not_ours", reason=reason(problem))) from problem


def loras_of(recipe: Recipe, *folders: Path) -> tuple[str, ...]:
    """Return the LoRA files of a recipe, as `open_model` takes them.

    Args:
        recipe: anybody can write one.
        folders: where they may be, beside the current folder and the user's models.

    Raises:
        MediaError: one is not there, or has changed; or the recipe is damaged.
    """
    found = zip(_additions(recipe, "lora", folders), recipe.get("lora", ()), strict=True)
    return tuple(f"{path}:{checked({'lora': known}, 'lora.scale', float)}" for path, known in found)


def embeddings_of(recipe: Recipe, *folders: Path) -> tuple[str, ...]:
    """Return the embedding files of a recipe, as `open_model` takes them; see `loras_of`."""
    return tuple(map(str, _additions(recipe, "embedding", folders)))


def _additions(recipe: Recipe, place: str, folders: Sequence[Path]) -> list[Path]:
    """The files of a list of the recipe, which may also lie anywhere in folders that were added."""
    found = []
    for known in checked(recipe, place, list) if place in recipe else ():
        name = _last_name(checked({place: known}, f"{place}.file", str))
        added = [path.parent for path in files_named(name, added_folders())]
        one = {place: known, "paths": recipe.get("paths")}
        found.append(_found(one, place, place, [*folders, Path(), user_models(), *added]))
    return found


def _found(recipe: Recipe, setting: str, place: str, folders: Sequence[Path]) -> Path:
    """The file of a setting, whose bytes are those of the first time.

    Raises:
        MediaError: it is in none of the folders, or has changed.
    """
    older = place not in recipe and place == "trajectory"  # which had no hash
    file = recipe["paths"]["trajectory"] if older else checked(recipe, f"{place}.file", str)
    known = None if older else checked(recipe, f"{place}.{'file_hash' if place == 'mask' else 'hash'}", str)
    there = [path for path in _candidates(file, setting, recipe, folders) if os.path.isfile(path)]
    for path in there:
        if known in (None, file_hash(path)):
            return path
    if there:
        raise MediaError(say("input_has_changed", file=there[0]))
    looked = ", ".join(sorted({str(folder.resolve()) for folder in folders}))
    raise MediaError(say("input_not_here", name=_last_name(file), folders=looked))


def _folder_of(name: str, recipe: Recipe, folders: Sequence[Path]) -> Path | None:
    """The folder of a model; None where it has to be found by its name."""
    if has_model(name):
        return None
    there = [path for path in _candidates(name, "model", recipe, folders) if is_model(path) or is_single_file(path)]
    return there[0] if there else folder_with(recipe["model"]["hash"])


def _candidates(file: str, setting: str, recipe: Recipe, folders: Sequence[Path]) -> list[Path]:
    """Where a file may be: by its last name alone in each folder, and where the recipe says."""
    paths = recipe.get("paths")
    said = paths.get(setting) if isinstance(paths, dict) else None
    whole = [Path(path) for path in (said, file) if isinstance(path, str) and os.path.isabs(path)]
    return [*(folder / _last_name(file) for folder in folders), *whole]


def _last_name(file: str) -> str:
    return re.split(r"[/\\]", file)[-1]


def replay(
    recipe: Recipe, request: Request, model: Model, engine: EngineName = "auto"
) -> Generator[Progress, None, Replayed]:
    """Make the recipe's result again, with as many threads as the first time.

    Args:
        recipe: of the result.
        request: that it describes.
        model: that made it.
        engine: `auto` computes it as the first time; any other leaves the model as it is.

    Raises:
        MediaError: the model is not the one of the recipe.
        ModelError: what computed it the first time cannot be had here.
    """
    if model.content_hash != recipe["model"]["hash"]:
        raise MediaError(say("model_is_another", name=model.name))
    if engine == "auto":
        model = as_recorded(model, checked({"engine": "torch float32"} | recipe, "engine", str))
    if "codec" in recipe:
        tile = checked(recipe, "codec.tile", int, 0, 1 << 16)
        model = coded_as(model, Coding(checked(recipe, "codec.one_by_one", bool), tile))
    if "guess" not in recipe:
        request = _as_read_before(request, model)
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe["threads"])
    try:
        made = yield from operation_named(recipe["operation"]).run(request, model)
    finally:
        torch.set_num_threads(threads)
    index = recipe["result"]["index"]
    if index >= len(made.recipes):
        raise MediaError(say("recipe_result_missing", index=index + 1, count=len(made.recipes)))
    again = made.recipes[index]
    return Replayed(made.items[index], again, again["result"]["hash"] == recipe["result"]["hash"], made.rate)


def _as_read_before(request: Request, model: Model) -> Request:
    """The request of a recipe from before synonyms and instructions were understood, with its prompts read as then."""
    if isinstance(request, Generate):
        return expand_generate.as_read_before(request, model)
    if isinstance(request, Edit) and request.prompt_expansion == "on":
        medium = medium_of(request.image)
        frame = medium.load(request.image, model, request)
        one = model.of_length(frame.content.shape[-1])
        return expand_edit.as_read_before(request, model, through_codec(one, frame.content, request.cache).latents)
    return request
