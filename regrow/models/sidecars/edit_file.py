"""How an edit is best made with a model, where that was measured, in its folder: `edit.json`.

{"steps": 6, "strengths": {"animal": 0.65, "colour": 0.65}}; the strengths are those that the default method
needs for an edit that changes nothing but these attributes of the model's world.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from regrow.models.errors import ModelError
from regrow.models.folder import read_json

EDIT_FILE = "edit.json"


@dataclass(frozen=True)
class EditFile:
    """What the file says: steps from 1 to 1000, and strengths above 0 and up to 1 by attribute."""

    steps: int
    strengths: Mapping[str, float]


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
    return EditFile(steps, strengths)
