"""Submit requests as jobs: check the settings, draw a seed, and choose a model."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.jobs.job import Job
from regrow.interfaces.server.jobs.models import known_model
from regrow.interfaces.server.jobs.worker import Worker
from regrow.interfaces.server.places import id_of
from regrow.interfaces.server.schemas.bodies import MODEL, SEED
from regrow.interfaces.server.schemas.requests import FORMS
from regrow.interfaces.server.schemas.settings import settings_of
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.verbs.requests import request_of
from regrow.interfaces.server.wording import worded
from regrow.messages.message import sentence_of

QUICK = ("describe", "mask")
"""Quick verbs that go before the caller's other jobs, as the user waits for their result."""
MOST_SEED = 2**31


def submit(worker: Worker, files: Files, caller: Caller, verb: str, settings: Mapping[str, Any]) -> Job:
    """Put a verb into the queue.

    Args:
        worker: that runs it.
        files: checks access to files.
        caller: who sent the request.
        verb: of the request.
        settings: of the request, with files by their ids.

    Raises:
        Refused: a setting is wrong, or a file is not the caller's.
        MediaError: the disk is full.
    """
    sent = checked(files, caller, verb, settings)
    facts = {"inputs": _inputs(files, caller, sent["file"])} if verb == "replay" else None
    return worker.submit(caller, verb, sent, facts, first=verb in QUICK)


def checked(files: Files, caller: Caller, verb: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Check settings, and return them with a seed and a model.

    Raises:
        Refused: a setting is wrong; the answer names the field.
    """
    known, sent = settings_of(FORMS[verb]), dict(settings)
    if SEED in known and sent.get(SEED) is None:
        sent[SEED] = secrets.randbelow(MOST_SEED)
    if verb == "describe":
        sent["language"] = sent.get("language") or caller.language
    given = {name: value for name, value in sent.items() if value is not None or name != MODEL}
    given.pop(MODEL, None) if not given.get(MODEL) else None
    try:
        request = request_of(verb, FORMS[verb], given, lambda file_id, name: files.own(caller, file_id, name))
        if MODEL in known:
            sent[MODEL] = known_model(sent.get(MODEL) or _model_for(request))
        for name in getattr(request, "models", ()):
            known_model(name)
    except ValueError as problem:
        sentence = sentence_of(problem)
        raise Refused(
            422, "wrong_setting", field_in(verb, sentence), why=worded(sentence, caller.language)
        ) from problem
    return sent


def field_in(verb: str, sentence: str) -> str | None:
    """Return the setting that an error sentence is about: the one that it begins with, or the first that it names."""
    known = settings_of(FORMS[verb])
    names = {name.replace("_", "-"): name for name in known} | {name: name for name in known}
    words = re.findall(r"(?<![\w-])(?:--)?([a-z][a-z_-]*)", sentence)
    if words and sentence.removeprefix("--").startswith(words[0]) and words[0] in names:
        return names[words[0]]
    first = next((names[word] for word in words if word in names and word not in PLAIN), None)
    return first or (MODEL if sentence.startswith("There is no model") else None)


PLAIN = ("model", "name", "image", "words", "sound", "time", "text", "label", "notes", "start", "data", "new")
"""Settings whose names are also ordinary words."""


def _model_for(request: Any) -> str:
    """Return the model for a request that names none: the one that sang its file, a singing one, or its medium's own.

    Raises:
        ModelError: it is a song in a style, and no model on this machine sings in one.
    """
    from regrow.interfaces.reporting import for_medium, for_song
    from regrow.interfaces.singers import named_singer

    names = {field.name for field in fields(request)}
    if {"lyrics", "prompt"} <= names and "sound" not in names and (request.lyrics or request.tune):
        styled = bool(request.prompt or request.language or request.time_signature or request.reference_sound)
        return named_singer("", bool(request.tune or request.singer or request.accompany), styled)
    if "style" in names:
        return named_singer("", request.has_notes, request.has_style)
    paths = [getattr(request, name) for name in READS if name in names]
    if paths and {"image", "sound"} & names and isinstance(paths[0], Path):
        request = for_song(request, paths[0])
    return for_medium(request, *paths).model


READS = ("image", "sound", "melody", "reference_sound", "first")
"""Settings whose file determines the medium of the model."""


def _inputs(files: Files, caller: Caller, file_id: str) -> list[str]:
    """Return the ids of the source files of a result, as far as the caller has them.

    A recipe holds the name and the hash of each source file. For a result of a job, the job's record holds the ids;
    otherwise they are found by the hash, under which uploads are stored.
    """
    from regrow.editing.replay import recipe_in
    from regrow.interfaces.server.history.record import read_job
    from regrow.interfaces.server.places import KEPT, page

    recipe, found = recipe_in(files.own(caller, file_id, "file")), list[str]()
    record = read_job(file_id.partition("/")[0]) if "/" in file_id else None
    found += [value for value in (record.settings.values() if record else ()) if isinstance(value, str)]
    known = [recipe.get(part) for part in ("input", "mask", "trajectory", "reference_sound")]
    known += recipe["inputs"] if isinstance(recipe.get("inputs"), list) else []
    for part in known:
        hashed = (part.get("file_hash") or part.get("hash")) if isinstance(part, dict) else None
        if isinstance(hashed, str) and re.fullmatch(r"[0-9a-f]{32}", hashed):
            paths = [path for folder in KEPT for path in (page() / folder).glob(f"{hashed}.*")]
            found += [name for path in paths if (name := id_of(path))]
    return [name for name in dict.fromkeys(found) if files.may(caller, name)]
