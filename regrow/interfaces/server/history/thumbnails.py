"""Thumbnails of results, made on first request and kept as WebP."""

import io
from pathlib import Path
from typing import Protocol

from regrow.interfaces.server.places import made
from regrow.media.files import MediaError, reason, write_whole
from regrow.media.home import home
from regrow.messages.message import say

SIDE = 320
"""Longest side of a thumbnail, in pixels."""


class Shown(Protocol):
    """The attributes used here of a running job or of a job's record."""

    id: str
    files: list[str]
    beside: dict[str, str]


def thumbnail(record: Shown, name: str) -> Path:
    """Return the thumbnail of a result; that of a sound shows waveform and mel.

    Raises:
        MediaError: it is not a result of this job, or it cannot be read.
    """
    if name not in record.files:
        raise MediaError(say("no_result_of_job", name=name))
    kept = thumbnails(record.id) / f"{name}.webp"
    path = _shown(record, name)
    try:
        if kept.is_file() and kept.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return kept
        data = shrunk(path, SIDE)
        kept.parent.mkdir(parents=True, exist_ok=True)
    except Exception as problem:  # a damaged file may raise any error
        raise MediaError(say("result_not_shown", name=name, reason=reason(problem))) from problem
    write_whole(kept, data)
    return kept


def thumbnails(job: str) -> Path:
    """Return the folder of a job's thumbnails."""
    return home() / "page" / "thumbnails" / job


def _shown(record: Shown, name: str) -> Path:
    """Return the picture of a result: the result itself, or for a sound the drawing in `beside/`."""
    folder = made() / record.id
    beside = record.beside.get(f"seen-{Path(name).stem.rpartition('-')[2]}")
    return folder / (beside or name)


def shrunk(path: Path, side: int) -> bytes:
    """Return a picture as WebP, with sides of at most `side` pixels."""
    from PIL import Image

    with Image.open(path) as picture:
        picture.thumbnail((side, side))
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        written = io.BytesIO()
        picture.convert(mode).save(written, "WEBP", quality=82)
    return written.getvalue()
