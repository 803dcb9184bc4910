"""Lyrics on the command line: a text, or the name of a text file."""

import codecs
import os
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from regrow.media.files import MediaError, reason
from regrow.messages.message import say
from regrow.requests.ranges import MOST_WORDS
from regrow.requests.song_options import SongOptions

Sung = TypeVar("Sung", bound=SongOptions)

ENDINGS = (".txt", ".md", ".lrc")


def with_lyrics(request: Sung) -> Sung:
    """Return a request with the text of its lyrics in place of a file's name, so that recipes hold the text.

    Raises:
        MediaError: a file cannot be read.
    """
    names = [name for name in ("lyrics", "to_lyrics") if getattr(request, name, "")]
    return replace(request, **{name: lyrics_of(getattr(request, name)) for name in names}) if names else request


def lyrics_of(given: str) -> str:
    r"""Return lyrics from a text or a file; a literal "\n" in a text, as shells pass it, is a line break.

    Args:
        given: the text, or the name of a text file in UTF-8 or UTF-16.

    Raises:
        MediaError: the file cannot be read as text, or is too long for lyrics.
    """
    is_name = len(given) < 4096 and "\n" not in given and (Path(given).suffix.lower() in ENDINGS)
    if not is_name and not (len(given) < 256 and os.path.isfile(given)):
        return given.replace("\\n", "\n").strip()
    path = Path(given).expanduser()
    try:
        if path.stat().st_size > 4 * MOST_WORDS:
            raise MediaError(say("lyrics_file_too_long", path=path, most=MOST_WORDS))
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if wide else "utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError as problem:
        raise MediaError(say("lyrics_not_utf", path=path)) from problem
    except OSError as problem:
        raise MediaError(say("lyrics_unreadable", path=path, reason=reason(problem))) from problem
