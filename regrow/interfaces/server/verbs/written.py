"""Write a verb's settings as a command line and as Python, for "Copy as command" and "Copy as Python"."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from regrow.interfaces.as_command import command_of, python_of
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.schemas.requests import REQUESTS, Compare, Explore
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.verbs.asking import checked
from regrow.interfaces.server.verbs.requests import request_of
from regrow.interfaces.server.verbs.single import as_edit
from regrow.interfaces.server.wording import worded
from regrow.media.medium import medium_named
from regrow.messages.message import sentence_of

NOT_WRITTEN = ("describe", "mask")
"""Verbs that the command line does not have."""


def written(files: Files, caller: Caller, verb: str, settings: Mapping[str, Any], local: bool) -> dict[str, str]:
    """Return a request as a command line and as Python.

    Args:
        files: checks access to files.
        caller: who sent the request.
        verb: of the request.
        settings: of the request, with files by their ids.
        local: whether the caller can run the command on the server's computer, so that files are named by their paths.

    Raises:
        Refused: the verb has no command, or a setting is wrong.
    """
    if verb in NOT_WRITTEN:
        raise Refused(422, "no_command", "verb", verb=verb)
    sent = checked(files, caller, verb, settings)
    request: Any = request_of(verb, REQUESTS[verb], sent, _finder(local))
    suffix = _suffix(request)
    if isinstance(request, Explore):
        tried = ["--explore", "--strengths", *map(str, request.strengths), "--guidances", *map(str, request.guidances)]
        plain = as_edit(request)
        return {
            "command": f"{command_of(plain, 'edit')} {' '.join(tried)}",
            "python": python_of(_cells(request), "edit", suffix),
        }
    if isinstance(request, Compare):
        edits = _each(request)
        return {
            "command": "\n".join(command_of(edit, "edit") for edit in edits),
            "python": python_of(edits, "edit", suffix),
        }
    python = python_of([request], verb, suffix)
    try:
        return {"command": command_of(request, verb), "python": python}
    except ValueError as problem:  # the sentence says to copy the Python code instead
        return {"command": f"# {worded(sentence_of(problem), caller.language)}", "python": python}


def _each(request: Compare) -> list[Any]:
    """Return the edits of a comparison."""
    plain = as_edit(request)
    ways = product(
        request.models or (plain.model,),
        request.methods or (plain.method,),
        request.strengths or (plain.strength,),
        request.guidances or (plain.guidance,),
    )
    names = ("model", "method", "strength", "guidance")
    return [replace(plain, **dict(zip(names, way, strict=True))) for way in ways]


def _cells(request: Explore) -> list[Any]:
    """Return the edits of a sheet's cells."""
    return [
        replace(as_edit(request), strength=strength, guidance=guidance)
        for strength, guidance in product(request.strengths, request.guidances)
    ]


def _finder(local: bool) -> Any:
    """Return a function that finds the path of a file, or only its name for a caller on another computer."""
    from regrow.interfaces.server.places import kept_path

    return (lambda file_id, _: kept_path(file_id)) if local else (lambda file_id, _: Path(file_id.rpartition("/")[2]))


def _suffix(request: Any) -> str:
    """Return the suffix of a result's file."""
    from regrow.models.open import list_models

    read = next((getattr(request, name) for name in ("image", "sound") if getattr(request, name, None)), None)
    makes = {listed.name: listed.medium for listed in list_models()}
    found = medium_named(read) or makes.get(getattr(request, "model", ""))
    return found.ending if found else ".png"
