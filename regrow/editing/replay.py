"""Replay: make a result again from the recipe in its file."""

import pkgutil
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from regrow import editing
from regrow.core.progress import Progress
from regrow.editing.codec_cache import through_codec
from regrow.editing.recipe import Recipe, input_of, settings_from
from regrow.editing.result import Operation
from regrow.media.files import MediaError, file_hash, reason
from regrow.media.medium import medium_of
from regrow.models.engines.choose import as_recorded
from regrow.models.model import Model
from regrow.models.names import EngineName
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
    """The recipe in a result file.

    Raises:
        MediaError: there is none.
    """
    recipe = medium_of(path).read_recipe(path)
    if recipe is None:
        raise MediaError(f"{path} carries no recipe; only files that regrow saved can be replayed.")
    return recipe


class Request(Protocol):
    """What an operation is asked for."""

    @property
    def model(self) -> str: ...


def _operation(name: str) -> Operation:
    """The operation of a module of `regrow.editing` that is named as recipes name it, and offers `OPERATION`."""
    known = {module.name for module in pkgutil.iter_modules(editing.__path__)}
    found = getattr(import_module(f"regrow.editing.{name}"), "OPERATION", None) if name in known else None
    if found is None:
        raise MediaError(f"This recipe is of the operation {name!r}, which regrow cannot replay.")
    return found


def request_from(recipe: Recipe) -> Request:
    """The operation that a recipe describes, with its input checked.

    Raises:
        MediaError: the recipe is another version's or damaged, or the input has moved or changed.
    """
    try:
        return _request_from(recipe)
    except (KeyError, TypeError, IndexError, AttributeError) as problem:  # anybody can write one
        raise MediaError(
            f"This recipe is damaged or not regrow's own ({type(problem).__name__}: {reason(problem)}): it cannot be "
            "made again."
        ) from problem


def _request_from(recipe: Recipe) -> Request:
    name = recipe.get("operation")
    if name is None:
        raise MediaError(
            "This file has a recipe of no operation, as sheets have: replay one of the results themselves."
        )
    kind = _operation(str(name)).request
    settings = settings_from(recipe, kind)
    files: dict[str, Any] = {}
    if read := input_of(settings):
        files[read] = _unchanged(recipe["input"]["file"], recipe["input"]["hash"])
    for field, known in zip(("first", "second"), recipe.get("inputs", ()), strict=False):
        files[field] = str(_unchanged(known["file"], known["hash"]))
    if settings.get("trajectory"):
        files["trajectory"] = Path(settings["trajectory"])
    if settings.get("mask") and settings["mask"] != "auto":
        files["mask"] = _unchanged(recipe["mask"]["file"], recipe["mask"]["file_hash"])
    return kind(**{**settings, **files})


def _unchanged(file: str, known: str) -> Path:
    if file_hash(Path(file)) != known:
        raise MediaError(f"{file} has changed since it was used; put the file of that time back.")
    return Path(file)


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
        raise MediaError(
            f"The model {model.name} here is not the one that made this file (its content hash differs); "
            "install that version of it."
        )
    if engine == "auto":
        model = as_recorded(model, str(recipe.get("engine", "torch float32")))
    if "guess" not in recipe:
        request = _as_read_before(request, model)
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe["threads"])
    try:
        made = yield from _operation(recipe["operation"]).run(request, model)
    finally:
        torch.set_num_threads(threads)
    index = recipe["result"]["index"]
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
