"""Everything made, on disk: listed newest first, and its recipes turned back into settings."""

import json
import shutil
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from regrow.editing.recipe import Recipe
from regrow.editing.replay import recipe_in
from regrow.editing.strength import USUAL
from regrow.interfaces.web.fields import MODEL_OWN
from regrow.interfaces.web.jobs import Job
from regrow.interfaces.web.medium import FIELDS
from regrow.interfaces.web.medium import medium_of as model_medium
from regrow.interfaces.web.own_files import OwnFiles
from regrow.interfaces.web.places import made
from regrow.interfaces.web.shared import DRAWN
from regrow.media.files import MediaError
from regrow.media.medium import medium_of
from regrow.requests.aliases import ADDED, current
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.requests.song_options import SongOptions

FILES = ("input", "mask", "reference_sound")
"""The files that a recipe names and the page may still have."""
PAGE = 60
"""How many results are shown at once, and how many more each time."""


def listed(most: int, files: OwnFiles, owner: str) -> list[Path]:
    """The newest results that are this owner's, newest first, so many of them."""
    results: list[Path] = []
    for folder in sorted(made().glob("*"), reverse=True):
        try:
            job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            names = job["files"] if not files.private or job["owner"] == owner != "" else ()
        except (OSError, ValueError, KeyError, TypeError):
            continue  # one that is not whole, or no job of ours
        results += [folder / name for name in names if (folder / name).is_file()]
        if len(results) >= most:
            break
    return results[:most]


def caption(path: Path) -> str:
    """What a result was asked to be, and when it was made."""
    stamp = path.parent.name
    return f"{path.stem.rpartition('-')[0].replace('-', ' ')} · {stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]}"


def delete(path: Path, files: OwnFiles, owner: str) -> None:
    """Delete a result for good, and with the last one of its job all that was beside it.

    Raises:
        MediaError: it is none of the page's results, or another's.
    """
    own = listed(10**9, files, owner)
    if path not in own:
        raise MediaError(f"{path.name} is none of the page's results.")
    last = not any(other.parent == path.parent for other in own if other != path)
    thumbnail = picture_of(path)
    path.unlink()
    if last:
        shutil.rmtree(path.parent)
    elif thumbnail != path:
        thumbnail.unlink(missing_ok=True)


def picture_of(path: Path) -> Path:
    """What shows a result: a picture itself, of a sound its waveform and mel."""
    preview = path.parent / "beside" / f"seen-{path.stem.rpartition('-')[2]}.png"
    return preview if preview.is_file() else path


def settings_in(path: Path, files: OwnFiles, owner: str) -> tuple[str, dict[str, Any], bool]:
    """The settings that a file's recipe holds: for "generate" or "edit", by name, and whether their input is here.

    Raises:
        MediaError: the file carries no recipe of regrow, or one that fits no tab.
    """
    recipe = recipe_in(path)
    kind = {"generate": Generate, "edit": Edit}.get(str(recipe.get("operation")))
    stored = recipe.get("settings")
    if kind is None or not isinstance(stored, dict):
        raise MediaError(f"{path.name} carries a recipe that is neither of a generation nor of an edit.")
    stored = current(stored)
    # a recipe can come from anyone: only what this version knows, and of files only the page's own
    here, mask, reference = (files.in_recipe(owner, recipe.get(read)) for read in FILES)
    name, medium = kind.__name__.lower(), medium_of(path).name
    stored = current(stored) | {"reference_sound": reference and str(reference)}
    settings = fields_of(name, stored, medium, here and str(here), mask and str(mask))
    return name, settings, here is not None or (kind is Generate and not stored.get("melody"))


def fields_of(kind: str, stored: dict[str, Any], medium: str, file: str | None, mask: str | None) -> dict[str, Any]:
    """What stands in the fields of a tab, by the settings' names.

    Args:
        kind: "generate" or "edit".
        stored: the settings of a recipe or of a job.
        medium: of what was made.
        file: that it was made from, or whose melody is played.
        mask: the file, if there is one.
    """
    known = {field.name for field in dataclass_fields({"generate": Generate, "edit": Edit}[kind])}
    known -= {"image", "mask", "trajectory", "cache", "size", "span", "normalize"}
    settings = {key: value for key, value in stored.items() if key in known}
    added = {field.name for field in dataclass_fields(SongOptions)} | {"to_lyrics", "tiles"}
    settings |= {name: stored.get(name, ADDED[name]) for name in added & known}  # or those of the last one would stay
    settings |= {"medium": medium, "negative": stored.get("negative") or ""}
    if kind == "generate":
        size = stored.get("size") or (0, 0)
        sides = {"height": size[0], "width": size[1]}
        own = {"steps": stored.get("steps") or 0, "guidance": stored.get("guidance") or 0}
        own |= {"solver": stored.get("solver") or MODEL_OWN}
        return settings | sides | own | {"duration": stored.get("duration") or 0, "melody": file}
    begin, end = _span(stored.get("span"))
    return settings | {
        FIELDS[medium]: file,
        "target": "\n".join(stored.get("target", ())),
        "begin": begin,
        "end": end,
        "strength": _strength(stored),
        "by_kind": stored.get("strength") is None and stored.get("start_step") is None,
        "emphasis": " ".join(stored.get("emphasis") or ()),
        "find_mask": stored.get("mask") == "auto",
        "mask": mask,
        "stays": bool(mask),
        "region": stored.get("region") or "",
        # which region is, where there is one, and refused where it is taken out of the field
        "frame": "auto" if stored.get("frame") == "region" else stored.get("frame", "auto"),
        "steps": stored.get("steps") or 0,
    }


def fields_of_job(job: Job) -> dict[str, Any]:
    """What stood in the fields when a job of one of the tabs was asked for; a seed that was drawn stood in none."""
    stored, medium = job.settings, model_medium(job.settings["model"])
    mask = stored.get("mask") if stored.get("mask") != "auto" else None
    drawn = {"seed": DRAWN} if job.facts.get("seed_drawn") else {}
    return fields_of(job.kind, stored, medium, stored.get("image") or stored.get("melody"), mask) | drawn


def _span(stored: object) -> tuple[float, float]:
    """Where a span begins and ends; 0 and 0 where there is none."""
    begin, _, end = stored.partition(":") if isinstance(stored, str) else ("0", "", "0")
    try:
        return float(begin), float(end)
    except ValueError as problem:
        raise MediaError(f"This recipe names a span that is none: {stored}.") from problem


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
    return stored["strength"] if isinstance(stored.get("strength"), float) else USUAL  # "auto" is no place on it
