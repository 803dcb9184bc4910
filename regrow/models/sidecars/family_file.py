"""The family of a model whose other files do not say it, in its folder: `family.json`, {"family": "riffusion"}."""

import json
from pathlib import Path

from regrow.models.errors import ModelError
from regrow.models.folder import read_json

FAMILY_FILE = "family.json"


def read_family(folder: Path) -> str | None:
    """Return the family that a folder names; None where it names none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FAMILY_FILE
    if not path.is_file():
        return None
    name = read_json(path).get("family")
    if not isinstance(name, str):
        raise ModelError(f'{path} must hold the name of a "family"; got {name!r}.')
    return name


def write_family(folder: Path, name: str) -> None:
    """Write of which family the model in a folder is."""
    (folder / FAMILY_FILE).write_text(json.dumps({"family": name}) + "\n", encoding="utf-8")
