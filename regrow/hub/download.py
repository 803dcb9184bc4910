"""Download files of a hub repository, complete and checked; a broken-off download continues at its last byte.

The hub's own client (huggingface_hub 2) downloads to a file with a random name and deletes it when the download ends
early: of a checkpoint of gigabytes, pressing Stop or closing the lid would lose all that is under way. It keeps no
less than 10 MB either, so a line that drops more often than that would never get to the end.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import huggingface_hub
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from regrow.media.files import write_whole
from regrow.messages.message import say

_TOLD = "download.json"
_WAIT = huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT
_TRIES = 5
"""In a row that bring nothing, a second apart, before a download is given up."""

Watch = Callable[[int, int], None]
"""Called with the bytes that came and the bytes that are wanted, after every piece."""


@dataclass(frozen=True)
class Remote:
    """A file of a repository at one commit.

    Attributes:
        name: its path in the repository.
        size: bytes.
        sha256: of its content, in hexadecimal digits; None for small files, of which the hub does not tell it.
    """

    name: str
    size: int
    sha256: str | None


@dataclass(frozen=True)
class Repository:
    """What the hub says of a repository.

    Attributes:
        name: `user/repo`.
        commit: its newest.
        files: of that commit.
        licence: by the hub's name for it; "" where its card states none.
        gated: whether its files are for those only whose account has accepted its terms.
    """

    name: str
    commit: str
    files: tuple[Remote, ...]
    licence: str = ""
    gated: bool = False

    @property
    def page(self) -> str:
        """Address of its page, with its licence and terms."""
        return page_of(self.name)


@dataclass(frozen=True)
class Unfinished:
    """A download that broke off, or is at work: bytes that came, of all of `repo` that is wanted.

    `file` is the one that was chosen of several; "" where the whole repository is one model.
    """

    repo: str
    came: int
    size: int
    file: str = ""


def page_of(repo: str) -> str:
    """Return the address of a repository's page."""
    return f"{huggingface_hub.constants.ENDPOINT}/{repo}"


def size_text(size: int) -> str:
    """Bytes as words: "24.7 MB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def listing(repo: str) -> Repository:
    """Return what the hub says of a repository.

    Raises:
        Exception: what the hub's client raises when the hub refuses or is out of reach.
    """
    info = huggingface_hub.HfApi().model_info(repo, files_metadata=True)
    files = [
        Remote(found.rfilename, found.size or 0, found.lfs.sha256 if found.lfs else None)
        for found in info.siblings or ()
    ]
    licence = info.card_data.license if info.card_data else None
    name = (info.card_data.license_name if info.card_data else None) if licence in (None, "other") else None
    return Repository(repo, str(info.sha), tuple(files), str(name or licence or ""), bool(info.gated))


def head(repo: str, commit: str, file: Remote, most: int) -> bytes:
    """Return the first bytes of a file.

    Args:
        repo: `user/repo`.
        commit: of which the file is.
        file: which.
        most: how many bytes.

    Raises:
        Exception: as for `listing`.
    """
    url, headers = _request(repo, commit, file)
    headers["Range"] = f"bytes=0-{most - 1}"
    found = b""
    with get_session().stream("GET", url, headers=headers, timeout=_WAIT, follow_redirects=True) as response:
        hf_raise_for_status(response)
        for piece in response.iter_bytes():  # a server without ranges sends the whole
            found += piece
            if len(found) >= most:
                break
    return found[:most]


def download(repo: str, commit: str, files: Sequence[Remote], to: Path, watch: Watch | None = None) -> None:
    """Download files to the same paths in a folder; complete files are not downloaded again.

    If it is killed, complete files and `.part` files remain, and the next call continues them.

    Args:
        repo: `user/repo`.
        commit: of which the files are; `to` must hold those of no other.
        files: which.
        to: a folder, made if it is not there.
        watch: sees every piece that came.

    Raises:
        OSError: a path leads out of the folder, the disk is too small or refused, or what came is not what the hub has.
        Exception: what the hub's client raises when the hub refuses or is out of reach.
    """
    for file in files:
        path = PurePosixPath(file.name)
        if path.is_absolute() or ".." in path.parts or set(file.name) & set("\\:"):
            raise OSError(say("file_name_leaves_folder", name=file.name))
    to.mkdir(parents=True, exist_ok=True)
    whole = sum(file.size for file in files)
    missing = [file for file in files if not (to / file.name).exists()]
    came = whole - sum(file.size - _came(to / file.name) for file in missing)
    free = shutil.disk_usage(to).free
    if whole - came > free:
        raise OSError(say("no_room_to_download", whole=(whole - came) / 1e9, free=free / 1e9, folder=to))
    for file in missing:
        for size in _fetched(repo, commit, file, to / file.name):
            came += size
            if watch:
                watch(came, whole)


def announce(place: Path, repo: str, size: int, file: str = "") -> None:
    """Note in the folder of a download what is downloaded and how many bytes it has, for `unfinished`."""
    write_whole(place / _TOLD, json.dumps({"repo": repo, "size": size, "file": file}).encode())


def unfinished(places: Path) -> list[Unfinished]:
    """Return the downloads whose folders lie in `places`, by the repositories' names."""
    found = []
    for description in filter(Path.is_file, places.glob(f"*/{_TOLD}")):  # a pipe would be waited for
        try:
            facts = json.loads(description.read_text(encoding="utf-8"))
            sizes = [path.stat().st_size for path in description.parent.glob("*/**/*") if path.is_file()]
            found.append(Unfinished(str(facts["repo"]), sum(sizes), int(facts["size"]), str(facts.get("file", ""))))
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            continue  # it came to its end meanwhile, or is damaged: then the same pull writes it anew
    return sorted(found, key=lambda one: one.repo)


def _fetched(repo: str, commit: str, file: Remote, to: Path) -> Iterator[int]:
    """Download a file, the size of every piece as it comes; negative where what was there had to be thrown away."""
    part = _part(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    tries = 0
    with part.open("ab") as end:
        while end.tell() < file.size:
            before, broken = end.tell(), None
            try:
                yield from _pieces(repo, commit, file, end)
            except OSError:  # the disk's, and the hub's answers
                raise
            except Exception as error:  # the line's: a dozen classes, by what the hub's client is built on
                broken = error
            tries = 0 if end.tell() > before else tries + 1
            if tries == _TRIES:
                raise broken or OSError(say("download_ended_early", name=file.name, got=before, size=file.size))
            if broken:
                time.sleep(1)
        size = end.tell()
    if size != file.size or (file.sha256 and _sha256(part) != file.sha256):
        part.unlink()
        raise OSError(say("download_damaged", name=file.name))
    part.replace(to)


def _pieces(repo: str, commit: str, file: Remote, end: BinaryIO) -> Iterator[int]:
    """Append to an open file what is missing of it."""
    url, headers = _request(repo, commit, file)
    if end.tell():
        headers["Range"] = f"bytes={end.tell()}-"
    with get_session().stream("GET", url, headers=headers, timeout=_WAIT, follow_redirects=True) as response:
        hf_raise_for_status(response)
        if end.tell() and response.status_code != 206:  # it sends the whole again
            yield -end.tell()
            end.seek(0)
            end.truncate()
        for piece in response.iter_bytes():
            end.write(piece)
            end.flush()
            yield len(piece)


def _request(repo: str, commit: str, file: Remote) -> tuple[str, dict[str, str]]:
    """The address of a file, and the headers of every request for it."""
    url = huggingface_hub.hf_hub_url(repo, file.name, revision=commit, endpoint=huggingface_hub.HfApi().endpoint)
    # compressed on the way, a file has no bytes to go on at
    return url, {**build_hf_headers(), "Accept-Encoding": "identity"}


def _sha256(path: Path) -> str:
    with path.open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").hexdigest()


def _came(to: Path) -> int:
    part = _part(to)
    return part.stat().st_size if part.exists() else 0


def _part(to: Path) -> Path:
    return to.with_name(f"{to.name}.part")
