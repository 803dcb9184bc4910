"""Find the columns of a table that hold files, pictures and captions.

The conventions are those of the `datasets` library and of the scripts that read them:
https://huggingface.co/docs/datasets/image_dataset
"""

from collections.abc import Sequence

from regrow.media.files import MediaError
from regrow.messages.message import say

_FILES = ("file_name", "filename", "file", "image", "image_path", "audio", "path")
_CAPTIONS = ("text", "caption", "prompt")


def file_column(table: str, columns: Sequence[str]) -> str:
    """Return `file_name`, else the only column whose name ends in `_file_name`, else what other tools call it.

    Raises:
        MediaError: there is none, or more than one.
    """
    found = [c for c in columns if c == "file_name"] or [c for c in columns if c.endswith("_file_name")]
    return _only(table, columns, found or [c for c in _FILES if c in columns][:1], "file names", "file_name")


def picture_column(table: str, columns: Sequence[str], pictures: Sequence[str]) -> str:
    """Return the only column that may hold pictures, else `image`.

    Raises:
        MediaError: there is none, or more than one and none is called `image`.
    """
    return _only(table, columns, ["image"] if "image" in pictures else pictures, "pictures", "image")


def caption_column(table: str, columns: Sequence[str], texts: Sequence[str]) -> str:
    """`text`, else `caption`, else `prompt`, else the only one of `texts`, which hold words, that names no files.

    Raises:
        MediaError: there is none, or more than one.
    """
    found = [column for column in _CAPTIONS if column in columns][:1]
    words = [c for c in texts if c not in _FILES and not c.endswith("_file_name")]
    return _only(table, columns, found or words, "captions", "text")


def one_line(text: str) -> str:
    """Return a caption in one line: every run of white space is one space, none at the ends."""
    return " ".join(text.split())


def _only(table: str, columns: Sequence[str], found: Sequence[str], what: str, name: str) -> str:
    if len(found) == 1:
        return found[0]
    count = say("no_column") if not found else say("several_columns", count=len(found))
    raise MediaError(
        say("column_ambiguous", table=table, count=count, what=what, columns=", ".join(columns)[:200], name=name)
    )
