"""The raster of the notes that a sound model can be told, in its folder: `contour.json`."""

import json
from dataclasses import asdict
from pathlib import Path

from regrow.media.audio.piano_roll import ContourSettings
from regrow.models.folder import read_json
from regrow.models.model import ModelError

CONTOUR_FILE = "contour.json"


def read_contour(folder: Path) -> ContourSettings | None:
    """What the model in a folder can be told, or None where it says nothing: then it is told words alone.

    Raises:
        ModelError: the settings are damaged.
    """
    path = folder / CONTOUR_FILE
    if not path.is_file():
        return None
    try:
        return ContourSettings(**read_json(path))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error


def write_contour(folder: Path, settings: ContourSettings) -> None:
    """Write what the model in a folder can be told."""
    (folder / CONTOUR_FILE).write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
