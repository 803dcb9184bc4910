"""How an edit is best made with a model, where that was measured, in its folder: `edit.json`.

{"steps": 6, "strengths": {"animal": 0.65, "colour": 0.65}, "frame": "crop"}; the strengths are those that the
default method needs for an edit that changes nothing but these attributes of the model's world. The frame is what
`--frame auto` is with it: crop of a model that was trained on pictures of one shape alone, and does worse on others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regrow.media.names import EditMode
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

EDIT_FILE = "edit.json"
FRAMES: tuple[EditMode, ...] = ("auto", "crop", "pad", "stretch")


@dataclass(frozen=True)
class EditFile:
    """What the file says: steps from 1 to 1000, strengths above 0 and up to 1 by attribute, and a frame."""

    steps: int
    strengths: Mapping[str, float]
    frame: EditMode


def read_edit_file(folder: Path) -> EditFile | None:
    """What the model in a folder asks for; None where it says nothing.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / EDIT_FILE
    if not path.is_file():
        return None
    found = read_json(path)
    steps, strengths = found.get("steps"), found.get("strengths", {})
    if not isinstance(steps, int) or not 1 <= steps <= 1000:
        raise ModelError(f'{path} must hold a number of "steps" from 1 to 1000; got {steps!r}.')
    if not isinstance(strengths, dict) or not all(
        isinstance(strength, int | float) and 0 < strength <= 1 for strength in strengths.values()
    ):
        raise ModelError(f'{path} must hold "strengths" above 0 and at most 1 by attribute; got {strengths!r}.')
    frame = found.get("frame", "auto")
    if frame not in FRAMES:
        raise ModelError(f'{path} must hold a "frame" of {", ".join(FRAMES)}; got {frame!r}.')
    return EditFile(steps, strengths, frame)
