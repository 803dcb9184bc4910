"""What a model's folder says about its training: `training.json`, any JSON object."""

from pathlib import Path
from typing import Any

from regrow.models.folder import read_json


def read_training(folder: Path) -> dict[str, Any]:
    """Return the contents of a model's `training.json`; empty without one.

    Raises:
        ModelError: it cannot be read, or holds no JSON object.
    """
    file = folder / "training.json"
    return read_json(file) if file.exists() else {}
