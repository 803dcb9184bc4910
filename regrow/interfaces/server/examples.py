"""The examples of regrow, stored as files of the caller."""

from pathlib import Path
from typing import Any

from regrow.interfaces.server.files import Files
from regrow.interfaces.server.sessions import Caller
from regrow.interfaces.server.texts import said
from regrow.interfaces.server.uploads import keep

FOLDER = Path(__file__).parents[3] / "examples"
"""The folder of the examples; an installation from a wheel does not have it."""
NAMES = ("cat.png", "piano.flac")


def examples_for(files: Files, caller: Caller) -> list[dict[str, Any]]:
    """Return the examples as stored files, each with a source prompt (`source`) and a target prompt (`words`)."""
    found = []
    for path in (FOLDER / name for name in NAMES if (FOLDER / name).is_file()):
        words = {key: said(f"example_{path.stem}_{key}", caller.language) for key in ("source", "words")}
        with path.open("rb") as file:
            found.append(keep(files, caller, file, path.name) | words)
    return found
