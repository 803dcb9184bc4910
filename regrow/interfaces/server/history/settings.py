"""Restore a form from a result, or from any file with a recipe."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrow.interfaces.server.history.record import JobRecord
from regrow.interfaces.server.places import JOB, UPLOADED, find, kept_path, made
from regrow.interfaces.server.stored import unusable
from regrow.media.files import MediaError, file_hash
from regrow.messages.message import say
from regrow.requests.aliases import current
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.ranges import check_types

if TYPE_CHECKING:
    from regrow.interfaces.server.files import Files
    from regrow.interfaces.server.sessions import Caller

REQUESTS: dict[str, type] = {"generate": Generate, "edit": Edit, "extend": Extend, "interpolate": Interpolate}
"""Verbs whose forms can be restored."""
FILES = ("image", "sound", "melody", "reference_sound", "mask")
"""Settings that name files."""
WORDS_OR_FILES = ("first", "second", "tune")
"""Settings that hold either words or the name of a file."""
INPUTS = ("image", "sound", "melody", "first")
"""Of these, the settings that name a result's source."""
NEVER = ("trajectory", "cache")
"""Settings only of the command line, as they name files and folders of a machine."""


def settings_of(record: JobRecord, item: str, files: "Files", caller: "Caller") -> dict[str, Any]:
    """Return the content of the form that made a result of a job: see `_answer`.

    Raises:
        MediaError: neither the job nor the file records how it was made.
    """
    name = item.partition("/")[2]
    settings = dict(record.settings)
    verb = record.verb
    if verb == "compare":
        row = next((row for row in _rows(record.facts) if row.get("result") == item), {})
        verb = "edit"
        settings |= {key: row[key] for key in ("method", "strength", "guidance", "model") if row.get(key) is not None}
    if verb not in REQUESTS:
        found = settings_in(made() / record.id / name, files, caller)
        if found is None:
            raise MediaError(say("result_without_settings", name=name))
        return found
    return _answer(verb, current(settings), files, caller)


def settings_in(path: Path, files: "Files", caller: "Caller") -> dict[str, Any] | None:
    """Return the content of the form from a file's recipe (see `_answer`); None without a recipe of a known form.

    Recipes are untrusted: only settings of this version are used, and only files that belong to the caller.
    """
    from regrow.editing.replay import recipe_in

    try:
        recipe = recipe_in(path)
    except MediaError:
        return None
    verb, stored = str(recipe.get("operation")), recipe.get("settings")
    if verb not in REQUESTS or not isinstance(stored, dict):
        return None
    settings = current(stored)
    ends = recipe.get("inputs")
    ends = ends if isinstance(ends, list) else []
    known = {"first": ends[0], "second": ends[1]} if len(ends) == 2 else {_input(settings): recipe.get("input")}
    known |= {name: recipe.get(name) for name in ("mask", "reference_sound")}
    named = {name: one for name, one in known.items() if isinstance(one, dict) and one.get("file")}
    found = {name: _own(one, files, caller) for name, one in named.items()}
    unknown = {name: None for name in FILES if settings.get(name) != "auto"}  # names in a recipe are not ids here
    answer = _answer(verb, settings | unknown | found, files, caller)
    return answer | {"complete": answer["complete"] and None not in found.values()}


def _answer(verb: str, settings: dict[str, Any], files: "Files", caller: "Caller") -> dict[str, Any]:
    """Return `{verb, settings, input, mask, complete}`.

    `input` and `mask` are described as in the API, or None if not given or deleted; `complete` says whether all files
    that the settings name still exist.
    """
    kind = REQUESTS[verb]
    names = {field.name for field in fields(kind)} - set(NEVER)
    settings = {name: value for name, value in settings.items() if name in names and _fits(kind, name, value)}
    missing = [name for name, value in settings.items() if _names_file(name, value) and not files.may(caller, value)]
    settings |= {name: "" if name in WORDS_OR_FILES else None for name in missing}
    from regrow.interfaces.server.uploads import described  # avoids an import cycle

    here = {name: value for name, value in settings.items() if _names_file(name, value)}
    shown = {"input": next((here[name] for name in INPUTS if name in here), None), "mask": here.get("mask")}
    return {
        "verb": verb,
        "settings": settings,
        "complete": not missing,
        **{what: described(kept_path(own)) if own else None for what, own in shown.items()},
    }


def _fits(kind: type, name: str, value: Any) -> bool:
    """Return whether a value is valid for a setting of a request, with files named by their ids."""
    if name in FILES:
        return value is None or isinstance(value, str)
    try:
        check_types(kind, {name: value})
    except ValueError:
        return False
    return not unusable(value)


def _names_file(name: str, value: Any) -> bool:
    if name in WORDS_OR_FILES:
        return isinstance(value, str) and bool(UPLOADED.fullmatch(value) or JOB.fullmatch(value.partition("/")[0]))
    return name in FILES and value not in (None, "", "auto")


def _own(known: dict[str, Any], files: "Files", caller: "Caller") -> str | None:
    """Return the id of the file that a recipe names, if it is the caller's and unchanged; None otherwise.

    Args:
        known: entry of the recipe: "file", of which only the last part of the path counts, and "hash" or "file_hash".
    """
    named, noted = known.get("file"), known.get("file_hash", known.get("hash"))
    if not isinstance(named, str) or not isinstance(noted, str) or "\0" in named:
        return None
    name = named.replace("\\", "/").rpartition("/")[2]  # older recipes hold whole paths
    uploaded = f"{noted}{Path(name).suffix}"  # uploads are named by their hash
    if files.may(caller, uploaded):
        return uploaded
    for folder in sorted(made().glob("*"), reverse=True) if name else ():
        own = f"{folder.name}/{name}"
        if find(own) and files.may(caller, own) and file_hash(folder / name) == noted:
            return own
    return None


def _input(settings: dict[str, Any]) -> str:
    """Return the setting whose file is the input of a recipe."""
    return next((name for name in INPUTS if settings.get(name)), "image")


def _rows(facts: dict[str, Any]) -> list[dict[str, Any]]:
    rows = facts.get("rows")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
