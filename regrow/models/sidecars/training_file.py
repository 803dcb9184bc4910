"""The record of a model's training in its folder: `training.json`, any JSON object."""

from pathlib import Path
from typing import Any

from regrow.models.folder import check_inside, read_json


def read_training(folder: Path) -> dict[str, Any]:
    """Return the contents of a model's `training.json`; empty without one.

    Raises:
        ModelError: it cannot be read, holds no JSON object, or is a link to a file elsewhere.
    """
    file = folder / "training.json"
    if not file.is_file():
        return {}
    check_inside(file, folder)
    return read_json(file)
