"""Lyrics on the command line: a text, or a file of it."""

import codecs
import os
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from regrow.media.files import MediaError, reason
from regrow.requests.ranges import MOST_WORDS
from regrow.requests.song_options import SongOptions

Sung = TypeVar("Sung", bound=SongOptions)

ENDINGS = (".txt", ".md", ".lrc")


def with_lyrics(request: Sung) -> Sung:
    """Return a request whose lyrics are text, where they named a file: results are given away, and the text with them.

    Raises:
        MediaError: a file cannot be read.
    """
    names = [name for name in ("lyrics", "to_lyrics") if getattr(request, name, "")]
    return replace(request, **{name: lyrics_of(getattr(request, name)) for name in names}) if names else request


def lyrics_of(given: str) -> str:
    r"""Return lyrics, read from the file that is named; in a text "\n", as shells leave it, breaks lines.

    Args:
        given: the text, or the name of a text file in UTF-8 or UTF-16.

    Raises:
        MediaError: what ends like a text file is none that can be read, or holds more than lyrics do.
    """
    is_name = len(given) < 4096 and "\n" not in given and (Path(given).suffix.lower() in ENDINGS)
    if not is_name and not (len(given) < 256 and os.path.isfile(given)):
        return given.replace("\\n", "\n").strip()
    path = Path(given).expanduser()
    try:
        if path.stat().st_size > 4 * MOST_WORDS:
            raise MediaError(f"{path} holds more than the {MOST_WORDS:,} letters that lyrics may have.")
        data = path.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return data.decode("utf-16" if wide else "utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError as problem:
        raise MediaError(f"{path} is no text in UTF-8 or UTF-16: save it as UTF-8.") from problem
    except OSError as problem:
        raise MediaError(
            f"The lyrics {path} cannot be read ({reason(problem)}): name a text file, or give the text itself."
        ) from problem
