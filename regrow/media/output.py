"""Output files: names valid on every system, and checks before the work whether they can be written."""

import errno
import os
import re
import secrets
import unicodedata
from contextlib import suppress
from pathlib import Path

from regrow.media.files import MediaError, reason
from regrow.messages.message import say

_PROBE = 1 << 16
"""Bytes that are written to see whether anything can be: less than a small picture takes."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
"""Names that are devices on Windows, whatever their suffix."""


def check_output(path: str | os.PathLike[str]) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises:
        MediaError: its folder is not there, is full, or this user may not write in it; the path is a folder; or the
            name is too long.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise MediaError(say("output_is_folder", path=path))
        if not path.parent.is_dir():
            raise MediaError(say("folder_missing", path=path, folder=path.parent))
        with suppress(FileNotFoundError):
            os.lstat(path)
        write_probe(path.parent)
    except (OSError, ValueError) as problem:
        if isinstance(problem, MediaError):
            raise
        if getattr(problem, "errno", None) == errno.ENAMETOOLONG:
            raise MediaError(say("name_too_long", path=_shortened(path))) from None
        raise MediaError(say("output_not_writable", path=path, reason=reason(problem))) from problem


def write_probe(folder: Path) -> None:
    """Write a small file into a folder, and remove it.

    Raises:
        OSError: that cannot be done.
    """
    probe = folder / f".regrow-{secrets.token_hex(8)}.part"
    try:
        with probe.open("xb") as file:
            file.write(bytes(_PROBE))
    finally:
        with suppress(OSError):
            probe.unlink()


def _shortened(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 80 else f"{text[:60]}...{text[-12:]}"


def default_output(stem: str, suffix: str) -> Path:
    """Return the name of a result in the current folder: no option, not hidden, and short enough; any system takes it.

    Args:
        stem: words, or the name of another file without its suffix.
        suffix: with its dot.
    """
    stem = re.sub(r'[<>:"/\\|?*\x00-\x1f\x7f]', "-", stem).lstrip(" .-").rstrip(" .") or "result"
    if _RESERVED.match(stem):
        stem = f"regrow-{stem}"
    return beside(Path(f"{stem}{suffix}"), "")


def beside(path: Path, end: str, suffix: str | None = None) -> Path:
    """Return the path of a file beside another: its stem, cut where the whole is too long a name, and `end`."""
    suffix = path.suffix if suffix is None else suffix
    most, stem, cut = _name_limit(path.parent) - _size(end + suffix), path.stem, ""
    while stem and (_size(stem) > most or (cut and unicodedata.combining(cut))):
        stem, cut = stem[:-1], stem[-1]
    return path.with_name(f"{stem.rstrip(' .') if cut else stem}{end}{suffix}")


def _name_limit(folder: Path) -> int:
    """Bytes of a name."""
    with suppress(AttributeError, OSError, ValueError):  # of Windows; of a folder that is not there
        return min(255, os.pathconf(folder, "PC_NAME_MAX"))
    return 255


def _size(name: str) -> int:
    return len(name.encode("utf-8", "surrogatepass"))
