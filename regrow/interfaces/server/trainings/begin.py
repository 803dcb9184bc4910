"""Check the settings that the page sends, and start a training."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from regrow.interfaces.server import processes
from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.trainings import sets
from regrow.interfaces.server.trainings.command import command_of
from regrow.interfaces.server.trainings.run import Run, run
from regrow.interfaces.server.verbs.asking import field_in
from regrow.interfaces.server.wording import worded
from regrow.media.home import home
from regrow.messages.message import sentence_of
from regrow.requests.train import Train

NAME = re.compile(r"\w[\w .-]{0,59}")
"""Allowed names of trainings started by the page: plain names that the command line does not take for a flag."""


def request_of(settings: dict[str, Any], local: bool, owner: str | None, language: str) -> Train:
    """Return the request of a training.

    Args:
        settings: of the training, JSON-able.
        local: whether the request may name folders of this computer.
        owner: owner of the sets of files; None if callers share the server.
        language: of the error sentence.

    Raises:
        Refused: a setting is unknown or wrong, a folder or model must not be named, or the set of files is unknown.
    """
    known = {field.name for field in fields(Train)}
    if unknown := [name for name in settings if name not in known]:
        raise Refused(422, "unknown_training_setting", unknown[0][:80], setting=unknown[0][:80])
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    if given.get("resume"):
        raise Refused(422, "unknown_training_setting", "resume", setting="resume")
    name = given.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name.strip()):
        raise Refused(422, "no_training_name", "name")
    given["name"] = name.strip()
    given["data"] = _data(given.get("data"), local, owner)
    for field in ("start", "codec"):
        _check_model(given.get(field), field, local)
    try:
        return Train(**given)
    except ValueError as problem:
        sentence = sentence_of(problem)
        raise Refused(422, "wrong_setting", field_in("train", sentence), why=worded(sentence, language)) from problem


def begin(request: Train, owner: str) -> Run:
    """Start a training in a separate process.

    Raises:
        Refused: there is a model or a training of this name already.
        OSError: the process cannot be started.
    """
    name = request.name
    taken = (home() / "runs" / name).exists() or (home() / "models" / name).exists()
    if taken or processes.running(name) is not None:
        raise Refused(409, "training_name_taken", "name", name=name)
    processes.start(name, [*command_of(request), "--json"], owner)
    return run(name)


def _data(value: Any, local: bool, owner: str | None) -> Path | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(422, "no_set", "data", name=f"{value!r:.60}")
    if uploaded := sets.found(owner, value):
        return uploaded
    if not local:
        raise Refused(404, "no_set", "data", name=f"{value:.80}")
    return Path(value).expanduser().resolve()


def _check_model(value: Any, field: str, local: bool) -> None:
    """Refuse a model that is not in the list if others can reach the server, as a name could also be any folder."""
    from regrow.models.open import list_models
    from regrow.models.registry import split_name

    if local or not isinstance(value, str) or not value:
        return
    if split_name(value)[1] not in {listed.name for listed in list_models()}:
        raise Refused(404, "no_model", field, name=f"{value:.80}")
