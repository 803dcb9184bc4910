"""The piano roll settings of a sound model that can be conditioned on notes, in its folder: `contour.json`."""

import json
from dataclasses import asdict
from pathlib import Path

from regrow.media.audio.piano_roll import PianoRollSettings
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

PIANO_ROLL_FILE = "contour.json"


def read_piano_roll(folder: Path) -> PianoRollSettings | None:
    """Return the piano roll settings of the model in a folder; None without a file, for a model that takes no notes.

    Raises:
        ModelError: the settings are damaged.
    """
    path = folder / PIANO_ROLL_FILE
    if not path.is_file():
        return None
    try:
        return PianoRollSettings(**read_json(path))
    except (TypeError, ValueError) as error:
        raise ModelError(say("sidecar_unusable", path=path, problem=error)) from error


def write_piano_roll(folder: Path, settings: PianoRollSettings) -> None:
    """Write the piano roll settings of the model in a folder."""
    (folder / PIANO_ROLL_FILE).write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
