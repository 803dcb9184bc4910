"""The family of a model whose other files do not identify it: `family.json`, {"family": "riffusion"}."""

import json
from pathlib import Path

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

FAMILY_FILE = "family.json"


def read_family(folder: Path) -> str | None:
    """Return the family that a folder names; None if it names none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FAMILY_FILE
    if not path.is_file():
        return None
    name = read_json(path).get("family")
    if not isinstance(name, str):
        raise ModelError(say("sidecar_family_wrong", path=path, name=name))
    return name


def write_family(folder: Path, name: str) -> None:
    """Write the family of the model in a folder."""
    (folder / FAMILY_FILE).write_text(json.dumps({"family": name}) + "\n", encoding="utf-8")
