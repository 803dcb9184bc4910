"""The recipe inside a sound file: where each format carries it, and how it is read back.

    WAV           ICMT in a LIST INFO chunk behind the samples, JSON in UTF-8
    FLAC, OGG     the Vorbis comment `COMMENT`, likewise

libsndfile writes WAV comments of a few hundred bytes only and drops longer ones, so that chunk is written here. The
word in front of the JSON tells regrow's comment from others.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from regrow.media.image.tag import KEY, to_text

_START = f"{KEY} "


def comment(recipe: Mapping[str, Any]) -> str:
    """Return the recipe as a comment; in ASCII where it has half a character, as names of files that are no UTF-8 have.

    Raises:
        MediaError: it is not JSON, or larger than 1 MiB.
    """
    text = to_text(recipe)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = to_text(recipe, ascii_only=True)
    return _START + text


def recipe_text(found: str | None) -> str | None:
    """Return the recipe's JSON in a comment, or None where there is none."""
    return found.removeprefix(_START) if found and found.startswith(_START) else None


def with_comment(wav: bytes, text: str) -> bytes:
    """Return a RIFF file with a comment behind its other chunks."""
    value = text.encode() + b"\0"
    field = b"ICMT" + struct.pack("<I", len(value)) + value + b"\0" * (len(value) % 2)
    whole = wav + b"\0" * (len(wav) % 2) + b"LIST" + struct.pack("<I", 4 + len(field)) + b"INFO" + field
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def undated(wav: bytes) -> bytes:
    """Return a RIFF file of floats without the time of its writing: the same samples are the same file."""
    place = wav.find(b"PEAK", 12, 200)  # of libsndfile: name, size, version, time
    return wav if place < 0 else wav[: place + 12] + bytes(4) + wav[place + 16 :]


def wav_comment(wav: bytes) -> str | None:
    """Return the last ICMT of a RIFF file, or None where there is none."""
    found = None
    for kind, body in _chunks(wav[12:]):
        if kind == b"LIST" and body[:4] == b"INFO":
            for name, value in _chunks(body[4:]):
                if name == b"ICMT":
                    found = value.split(b"\0", 1)[0].decode("utf-8", "replace")
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    view = memoryview(data)
    place = 0
    while place + 8 <= len(view):
        kind, size = struct.unpack_from("<4sI", view, place)
        # samples are long and hold no text: they are stepped over
        yield kind, b"" if kind == b"data" else bytes(view[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
