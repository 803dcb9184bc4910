"""The page's scripts and styles, each a file of this folder."""

from pathlib import Path


def asset(name: str) -> str:
    """Return the text of a script or style.

    Args:
        name: of the file in this folder.

    Raises:
        FileNotFoundError: there is none of this name.
    """
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
