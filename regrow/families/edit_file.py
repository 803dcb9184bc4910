"""How an edit is best made with a model, where that was measured, in its folder: `edit.json`, {"steps": 6}."""

from pathlib import Path

from regrow.families.folder import read_json
from regrow.families.model import ModelError

EDIT_FILE = "edit.json"


def read_edit_steps(folder: Path) -> int | None:
    """The steps of an edit that the model in a folder asks for; None where it says nothing.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / EDIT_FILE
    if not path.is_file():
        return None
    steps = read_json(path).get("steps")
    if not isinstance(steps, int) or not 1 <= steps <= 1000:
        raise ModelError(f'{path} must hold a number of "steps" from 1 to 1000; got {steps!r}.')
    return steps
