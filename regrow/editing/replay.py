"""Replay: make a result again from the recipe in its file."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regrow.core.progress import Progress
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.editing.recipe import Recipe, settings_from
from regrow.editing.result import Result
from regrow.media.files import MediaError, file_hash, reason
from regrow.media.medium import medium_of
from regrow.models.engines.choose import as_recorded
from regrow.models.model import Model
from regrow.models.names import EngineName
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate


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


Request = Generate | Edit | Extend | Interpolate
OPERATIONS: dict[type, Callable[[Any, Model], Generator[Progress, None, Result]]] = {
    Generate: generate,
    Edit: edit,
    Extend: extend,
    Interpolate: interpolate,
}
"""What can be made again, and how."""


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
    operation = recipe.get("operation")
    if operation == "generate":
        settings = settings_from(recipe, Generate)
        melody = _unchanged(recipe["input"]["file"], recipe["input"]["hash"]) if settings["melody"] else None
        return Generate(**{**settings, "melody": melody})
    if operation == "extend":
        settings = settings_from(recipe, Extend)
        return Extend(**{**settings, "sound": _unchanged(recipe["input"]["file"], recipe["input"]["hash"])})
    if operation == "interpolate":
        settings = settings_from(recipe, Interpolate)
        files = [str(_unchanged(known["file"], known["hash"])) for known in recipe.get("inputs", ())]
        return Interpolate(**{**settings, **dict(zip(("first", "second"), files, strict=False))})
    if operation is None:
        raise MediaError(
            "This file has a recipe of no operation, as sheets have: replay one of the results themselves."
        )
    if operation != "edit":
        raise MediaError(f"This recipe is of the operation {operation!r}, which regrow cannot replay.")
    settings = settings_from(recipe, Edit)
    paths = {"image": _unchanged(recipe["input"]["file"], recipe["input"]["hash"])}
    if settings["trajectory"]:
        paths["trajectory"] = Path(settings["trajectory"])
    if settings["mask"] and settings["mask"] != "auto":
        paths["mask"] = _unchanged(recipe["mask"]["file"], recipe["mask"]["file_hash"])
    return Edit(**{**settings, **paths})


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
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe["threads"])
    try:
        made = yield from OPERATIONS[type(request)](request, model)
    finally:
        torch.set_num_threads(threads)
    index = recipe["result"]["index"]
    again = made.recipes[index]
    return Replayed(made.items[index], again, again["result"]["hash"] == recipe["result"]["hash"], made.rate)
