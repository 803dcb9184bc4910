"""Uploaded files: check them, store them under the hash of their content, and describe them."""

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files, named_files
from regrow.interfaces.server.history.settings import settings_in
from regrow.interfaces.server.jobs.records import newest
from regrow.interfaces.server.places import KEPT, id_of, page
from regrow.interfaces.server.sessions import Caller
from regrow.media.captions.listing import PICTURES, SOUNDS
from regrow.media.content import content_of
from regrow.media.files import write_whole

MOST_BYTES = 30_000_000
MOST_PIXELS = 24_000_000
MOST_SECONDS = 120
MOST_UNUSED = 1_000_000_000
"""Largest total size of unused uploads, in bytes; beyond it the oldest are deleted."""
FRESH = 3600
"""Seconds for which a new upload is not deleted, as its sender may soon use it."""
TUNE, OTHER = "tune", "other"
TUNES = ((re.compile(rb"MThd\0\0\0"), ".mid"), (re.compile(rb"(?:%.*\r?\n|\s)*X:\s*\d"), ".abc"),
         (re.compile(rb"\s*<\?xml[^>]*>.{0,600}<score-(?:partwise|timewise)", re.DOTALL), ".musicxml"))  # fmt: skip
"""Patterns of the beginning of tune files, with the suffix under which they are stored."""
ENDINGS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WebP": ".webp",
    "GIF": ".gif",
    "TIFF": ".tiff",
    "BMP": ".bmp",
    "QOI": ".qoi",
    "JPEG 2000": ".jp2",
    "ICO": ".ico",
    "PNM": ".pnm",
    "AVIF": ".avif",
    "WAV": ".wav",
    "FLAC": ".flac",
    "Ogg": ".ogg",
    "AIFF": ".aiff",
    "AU": ".au",
    "CAF": ".caf",
    "MP3": ".mp3",
}
"""Suffixes under which pictures and sounds are stored, by the name of the format."""
ORIENTATION = 0x0112
"""The EXIF tag for orientation; from 5 on, width and height are swapped."""
SHOWN = frozenset({".png", ".jpg", ".webp", ".gif", ".bmp", ".avif", ".ico"})
"""Suffixes of pictures that all browsers can show."""


def keep(files: Files, caller: Caller, body: IO[bytes], name: str) -> dict[str, Any]:
    """Store a picture, a sound or a tune; equal content is stored once.

    Args:
        files: records the owner.
        caller: the owner.
        body: the file, read from its present position on.
        name: original name; its suffix matters only if the content does not reveal the format.

    Returns:
        The description by `with_recipe`.

    Raises:
        MediaError: it is damaged, has too many pixels or seconds, or the disk is full.
        Refused: it is empty, too large or of an unknown format, or a limit is reached (`Usage`).
    """
    name = PurePosixPath(name.replace("\\", "/")).name[:200] or "file"
    data = body.read(MOST_BYTES + 1)
    if not data:
        raise Refused(400, "empty_file", name=name)
    if len(data) > MOST_BYTES:
        raise Refused(413, "too_large", most=MOST_BYTES // 1_000_000)
    folder, ending = check(data, name)
    path = page() / folder / (hashlib.blake2b(data, digest_size=16).hexdigest() + ending)
    if path.is_file() and path.read_bytes() == data:
        os.utime(path)
    else:
        files.usage.check_disk(caller.names, len(data), upload=True)
        make_room(len(data))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    files.grant(caller, path.name)
    return with_recipe(files, caller, path, name)


def with_recipe(files: Files, caller: Caller, path: Path, name: str = "") -> dict[str, Any]:
    """Return the description of a file, and the settings of its recipe, if it has one that a form can show.

    Raises:
        MediaError: it is damaged.
    """
    return described(path, name) | {"recipe": settings_in(path, files, caller)}


def described(path: Path, name: str = "") -> dict[str, Any]:
    """Return the description of a file for the API (`StoredFile` in page/js/api.js), without its recipe.

    Args:
        path: of an upload or a result.
        name: to display; the file's own name if empty.
    """
    file_id = id_of(path)
    assert file_id, f"{path} is none of the server's files"
    url = f"/api/results/{quote(file_id)}" if "/" in file_id else f"/api/files/{file_id}"
    tune = path.parent.name == "tunes"
    shown = path.suffix in SHOWN or tune
    return {
        "id": file_id,
        "url": url,
        "name": name or path.name,
        "medium": TUNE if tune else SOUNDS.noun if path.suffix in SOUNDS.suffixes else PICTURES.noun,
        "preview": None if shown or "/" in file_id else f"{url}/preview",
        "recipe": None,
        **({} if tune else _extent(path)),
    }


def remove_unused(days: float) -> int:
    """Delete old uploads that no job in the history names.

    Args:
        days: since the last upload of the file, for which it is kept; 0 keeps all.

    Returns:
        The number of deleted files.
    """
    if not days:
        return 0
    before, used, count = time.time() - days * 86_400, _used(), 0
    for path in (path for folder in KEPT for path in (page() / folder).glob("*")):
        with suppress(OSError):
            if path.is_file() and path.stat().st_mtime < before and path.name not in used:
                path.unlink()
                count += 1
    return count


def _used() -> set[str]:
    """Return the ids of files that jobs use."""
    return {name for job in newest() for name in named_files(job.verb, job.settings)}


def make_room(size: int) -> None:
    """Delete the oldest unused uploads if they exceed their limit together with `size` new bytes.

    Raises:
        Refused: this does not suffice, as too much was uploaded within an hour.
    """
    uploads = {path: path.stat() for folder in KEPT for path in (page() / folder).glob("*") if path.is_file()}
    too_much = sum(stat.st_size for stat in uploads.values()) + size - MOST_UNUSED
    if too_much <= 0:
        return
    used = _used()
    unused = [(stat.st_mtime, stat.st_size, path) for path, stat in uploads.items() if path.name not in used]
    too_much = sum(length for _, length, _ in unused) + size - MOST_UNUSED
    for changed, length, path in sorted(unused):
        if too_much <= 0 or time.time() - changed < FRESH:
            break
        path.unlink(missing_ok=True)
        too_much -= length
    if too_much > 0:
        raise Refused(507, "too_many_uploads", most=MOST_UNUSED // 1_000_000)


def check(data: bytes, name: str) -> tuple[str, str]:
    """Check that a file can be read, and return its folder and suffix.

    Raises:
        MediaError: it is damaged, or has too many pixels or seconds.
        Refused: it is not a picture, sound or tune.
    """
    tune = next((ending for begins, ending in TUNES if begins.match(data)), None)
    if tune:
        return "tunes", tune
    content, ending = content_of(data), PurePosixPath(name).suffix.lower()
    if content:
        noun, ending = content.medium, ENDINGS.get(content.name, ending)
    else:
        noun = next((kind.noun for kind in (PICTURES, SOUNDS) if ending in kind.suffixes), OTHER)
    checks = {PICTURES.noun: _check_picture, SOUNDS.noun: _check_sound}
    if noun not in checks:
        raise Refused(415, "unknown_kind", name=name)
    return checks[noun](data, name, ending)


def _check_picture(data: bytes, name: str, ending: str) -> tuple[str, str]:
    from regrow.media.image.picture import load

    load(name, MOST_PIXELS, data)
    return "pictures", ending if ending in PICTURES.suffixes else ".img"


def _check_sound(data: bytes, name: str, ending: str) -> tuple[str, str]:
    from regrow.media.audio.sound import load

    load(name, data, MOST_SECONDS)
    return "sounds", ending if ending in SOUNDS.suffixes else SOUNDS.ending


def _extent(path: Path) -> dict[str, Any]:
    """Return width and height of a picture as displayed, or seconds, rate and channels of a sound."""
    with suppress(Exception):  # a result that was damaged later is described without these
        if path.suffix in SOUNDS.suffixes:
            import soundfile

            sound = soundfile.info(path)
            return {"seconds": round(sound.duration, 3), "rate": sound.samplerate, "channels": sound.channels}
        from PIL import Image

        with Image.open(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) > 4
            sides = image.size[::-1] if turned else image.size
            return dict(zip(("width", "height"), sides, strict=True))
    return {}
