"""Measured settings for edits with a model, in its folder: `edit.json`.

{"steps": 6, "strengths": {"animal": 0.65, "colour": 0.65}, "frame": "crop"}. `strengths`: those that the default method
needs for edits of only these attributes of the model's world. `frame`: the meaning of `--frame auto`; crop for a model
that was trained on pictures of a single shape, and does worse on others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regrow.media.names import EditMode
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

EDIT_FILE = "edit.json"
FRAMES: tuple[EditMode, ...] = ("auto", "crop", "pad", "stretch")


@dataclass(frozen=True)
class EditFile:
    """The file's contents: steps from 1 to 1000, strengths in (0, 1] by attribute, and a frame."""

    steps: int
    strengths: Mapping[str, float]
    frame: EditMode


def read_edit_file(folder: Path) -> EditFile | None:
    """Read a model folder's settings for edits; None if it has none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / EDIT_FILE
    if not path.is_file():
        return None
    found = read_json(path)
    steps, strengths = found.get("steps"), found.get("strengths", {})
    if not isinstance(steps, int) or not 1 <= steps <= 1000:
        raise ModelError(say("sidecar_steps_wrong", path=path, steps=steps))
    if not isinstance(strengths, dict) or not all(
        isinstance(strength, int | float) and 0 < strength <= 1 for strength in strengths.values()
    ):
        raise ModelError(say("sidecar_strengths_wrong", path=path, strengths=strengths))
    frame = found.get("frame", "auto")
    if frame not in FRAMES:
        raise ModelError(say("sidecar_frame_wrong", path=path, known=", ".join(FRAMES), frame=frame))
    return EditFile(steps, strengths, frame)
