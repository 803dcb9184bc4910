"""The raster of the notes that a sound model can be told, in its folder: `piano_roll.json`."""

import json
from dataclasses import asdict
from pathlib import Path

from regrow.media.audio.piano_roll import PianoRollSettings
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

PIANO_ROLL_FILE = "contour.json"


def read_piano_roll(folder: Path) -> PianoRollSettings | None:
    """What the model in a folder can be told, or None where it says nothing: then it is told words alone.

    Raises:
        ModelError: the settings are damaged.
    """
    path = folder / PIANO_ROLL_FILE
    if not path.is_file():
        return None
    try:
        return PianoRollSettings(**read_json(path))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be used: {error}") from error


def write_piano_roll(folder: Path, settings: PianoRollSettings) -> None:
    """Write what the model in a folder can be told."""
    (folder / PIANO_ROLL_FILE).write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
