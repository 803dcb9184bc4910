"""Everything made, on disk: listed newest first, and its recipes turned back into settings."""

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

from regrow.interfaces.web.places import made, own_input
from regrow.media.files import MediaError
from regrow.operations.recipe import Recipe
from regrow.operations.replay import recipe_in
from regrow.operations.requests import Edit, Generate

SHOWN = 60
"""Of the newest pictures, how many are listed."""


def listed(most: int = SHOWN) -> list[Path]:
    """The newest results, newest first."""
    found: list[Path] = []
    for folder in sorted(made().glob("*"), reverse=True):
        try:
            names = json.loads((folder / "job.json").read_text(encoding="utf-8"))["files"]
        except (OSError, ValueError, KeyError):
            continue  # one that is not whole, or no job of ours
        found += [folder / name for name in names if (folder / name).is_file()]
        if len(found) >= most:
            break
    return found[:most]


def caption(path: Path) -> str:
    """What a result was asked to be, and when it was made."""
    stamp = path.parent.name
    return f"{path.stem.rpartition('-')[0].replace('-', ' ')} · {stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}"


def delete(path: Path) -> None:
    """Delete a result for good, and with the last one of its job all that was beside it.

    Raises:
        MediaError: it is none of the page's results.
    """
    if path not in listed(10**9):
        raise MediaError(f"{path.name} is none of the page's results.")
    path.unlink()
    if not any(path.parent.glob("*.png")):
        shutil.rmtree(path.parent)


def settings_in(path: Path) -> tuple[str, dict[str, Any], bool]:
    """The settings that a file's recipe holds: for "generate" or "edit", by name, and whether their input is here.

    Raises:
        MediaError: the file carries no recipe of regrow, or one that fits no tab.
    """
    recipe = recipe_in(path)
    kind = {"generate": Generate, "edit": Edit}.get(str(recipe.get("operation")))
    stored = recipe.get("settings")
    if kind is None or not isinstance(stored, dict):
        raise MediaError(f"{path.name} carries a recipe that is neither of a generation nor of an edit.")
    # a recipe can come from anyone: only what this version knows, and of files only the page's own
    known = {field.name for field in fields(kind)} - {"image", "mask", "trajectory", "cache", "size"}
    settings = {key: value for key, value in stored.items() if key in known}
    if kind is Generate:
        size = stored.get("size") or (0, 0)
        return "generate", settings | {"height": size[0], "width": size[1]}, True
    settings["target"] = "\n".join(stored.get("target", ()))
    here = own_input(recipe)
    settings["image"] = str(here) if here else None
    settings["strength"] = _strength(stored)
    settings["emphasis"] = " ".join(stored.get("emphasis") or ())
    settings["find_mask"] = stored.get("mask") == "auto"
    return "edit", settings, here is not None


def recipe_of(path: Path) -> Recipe | None:
    """The recipe in a result, or None where it cannot be read."""
    try:
        return recipe_in(path)
    except MediaError:
        return None


def _strength(stored: dict[str, Any]) -> float:
    """The slider's place: a start step says the same as a strength."""
    if stored.get("start_step") is not None:
        return (stored["steps"] - stored["start_step"]) / stored["steps"]
    return stored["strength"] if isinstance(stored.get("strength"), float) else 0.75  # "auto" is no place on it
