"""Replay: make a result again from the recipe in its file."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.families.model import Model
from regrow.media.files import MediaError
from regrow.media.image import read_recipe
from regrow.operations.edit import edit
from regrow.operations.generate import generate
from regrow.operations.progress import Progress
from regrow.operations.recipe import Recipe, file_hash, settings_from
from regrow.operations.requests import Edit, Generate


@dataclass(frozen=True)
class Replayed:
    """A picture `3 h w` made again, its new recipe, and whether its 8-bit pixels are those of the first time."""

    picture: Float[Tensor, "3 h w"]
    recipe: Recipe
    identical: bool


def recipe_in(path: Path) -> Recipe:
    """The recipe in a result file.

    Raises:
        MediaError: there is none.
    """
    recipe = read_recipe(path)
    if recipe is None:
        raise MediaError(f"{path} carries no recipe; only files that regrow saved can be replayed.")
    return recipe


def request_from(recipe: Recipe) -> Generate | Edit:
    """The operation that a recipe describes, with its input checked.

    Raises:
        MediaError: the recipe is another version's, or the input has moved or changed.
    """
    operation = recipe.get("operation")
    if operation == "generate":
        return Generate(**settings_from(recipe, Generate))
    if operation != "edit":
        raise MediaError(f"This recipe is of the operation {operation!r}, which regrow cannot replay.")
    settings = settings_from(recipe, Edit)
    there = Path(recipe["input"]["file"])
    if file_hash(there) != recipe["input"]["hash"]:
        raise MediaError(f"{there} has changed since it was edited; put the file of that time back.")
    paths = {"image": there, "trajectory": Path(settings["trajectory"]) if settings["trajectory"] else None}
    return Edit(**{**settings, **paths})


def replay(recipe: Recipe, request: Generate | Edit, model: Model) -> Generator[Progress, None, Replayed]:
    """Make the recipe's picture again, with as many threads as the first time.

    Raises:
        MediaError: the model is not the one of the recipe.
    """
    if model.content_hash != recipe["model"]["hash"]:
        raise MediaError(
            f"The model {model.name} here is not the one that made this picture (its content hash differs); "
            "install that version of it."
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(recipe["threads"])
    try:
        if isinstance(request, Generate):
            made = yield from generate(request, model)
        else:
            made = yield from edit(request, model)
    finally:
        torch.set_num_threads(threads)
    index = recipe["result"]["index"]
    again = made.recipes[index]
    return Replayed(made.pictures[index], again, again["result"]["hash"] == recipe["result"]["hash"])
