"""What a folder holds: its pictures or sounds, each with its caption, and what is left out and why.

Nothing is decoded here.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from regrow.media.captions.columns import one_line
from regrow.media.captions.parquet import Row, read_rows
from regrow.media.captions.tables import Skipped, read_metadata, read_text
from regrow.media.files import MediaError, reason

Metadata = Literal["metadata.jsonl", "metadata.csv", "metadata.parquet"]
Source = Literal[Metadata, "parquet", "text files", "folder names", "none"]
"""Where captions come from."""

_METADATA: tuple[Metadata, ...] = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


@dataclass(frozen=True)
class Kind:
    """What is looked for in a folder: its name in a sentence, how its files end, and the ending to recommend."""

    noun: str
    suffixes: frozenset[str]
    ending: str


PICTURES = Kind(
    "picture",
    frozenset(
        {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp"}
        | {".jp2", ".j2k", ".ico", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".qoi"}
        | {".heic", ".heif", ".svg"}  # for the sentence that says how to convert them
    ),
    ".png",
)
SOUNDS = Kind(
    "sound",
    frozenset(
        {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64"}
        | {".m4a", ".aac", ".wma"}  # for the sentence that says how to convert them
    ),
    ".wav",
)
_SILENT = (
    {"readme", "readme.md", "readme.txt", "license", "license.md", "license.txt"}
    | {"dataset_infos.json", "thumbs.db", "desktop.ini"}  # of `datasets`, and of Windows
)


@dataclass(frozen=True)
class Found:
    """What may be wanted: its name, its caption in one line, where it is, and its bytes if they are read already."""

    name: str
    caption: str
    place: Path | Row
    data: bytes | None = None


def files_below(folder: Path) -> tuple[dict[str, Path], list[Skipped]]:
    """The files that are not hidden by their paths from the folder, sorted, and what cannot be opened.

    Links are followed, but to each real folder once: loops end there.

    Raises:
        MediaError: there is no such folder, or it may not be read.
    """
    try:
        os.scandir(folder).close()
    except FileNotFoundError as problem:
        raise MediaError(f"There is no folder {folder}: check its name.") from problem
    except NotADirectoryError as problem:
        raise MediaError(f"{folder} is a file: name the folder that it is in.") from problem
    except OSError as problem:
        raise MediaError(f"{folder} cannot be opened ({reason(problem)}): check its permissions.") from problem
    files: dict[str, Path] = {}
    skipped: list[Skipped] = []

    def name_of(path: str) -> str:
        # Names may have bytes that are no UTF-8; sentences may not.
        return os.fsencode(Path(path).relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")

    def refuse(problem: OSError) -> None:
        name = name_of(problem.filename)
        skipped.append(Skipped(name, f"{name} is a folder that cannot be opened ({reason(problem)})."))

    visited: set[str] = set()
    starts = [str(folder)]
    for start in starts:  # grows by the links: a folder goes by its own name rather than by a link's
        for root, folders, names in os.walk(start, onerror=refuse):
            if (real := os.path.realpath(root)) in visited:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            starts += [path for name in folders if os.path.islink(path := os.path.join(root, name))]
            for path in (os.path.join(root, name) for name in names if not name.startswith(".")):
                if os.path.isfile(path):
                    files[name_of(path)] = Path(path)
                else:  # to open a pipe would wait for ever
                    skipped.append(Skipped(name_of(path), f"{name_of(path)} is no file, or a link to nothing."))
    return dict(sorted(files.items())), skipped


def pair(files: Mapping[str, Path], kind: Kind) -> tuple[Source, Iterable[Found | Skipped], list[Skipped]]:
    """Where captions come from, what to look at in the order of names, and what is left out.

    Parquet tables are read while one iterates over them; so what is left out of those comes among what is found.

    Args:
        files: as `files_below` gives them.
        kind: of files that are looked for.
    """
    wanted = [name for name in files if _suffix(name) in kind.suffixes]
    parquet = [name for name in files if _suffix(name) == ".parquet"]
    for source in _METADATA:
        if tables := [name for name in files if _base(name) == source]:
            found, skipped = _named(files, tables)
            left = files.keys() - tables - {one.name for one in found}
            where = tables[0] if len(tables) == 1 else f"any {source}"
            return source, found, skipped + _left_out(left, wanted, source, f"is not named in {where}", kind)
    if parquet:
        left = files.keys() - parquet
        return "parquet", _in_rows(files, parquet), _left_out(left, wanted, "parquet", "is in no parquet table", kind)
    beside, found, skipped = _beside(files, wanted)
    return beside, found, skipped + _left_out(files.keys() - wanted, wanted, beside, "", kind)


def _named(files: Mapping[str, Path], tables: Sequence[str]) -> tuple[list[Found], list[Skipped]]:
    """What tables name, each file by the table that is nearest to it."""
    found: dict[str, Found] = {}
    first: dict[str, str] = {}
    skipped = []
    for table in sorted(tables, key=lambda name: (-name.count("/"), name)):
        try:
            lines, malformed = read_metadata(files[table], table)
        except MediaError as problem:
            lines, malformed = [], [Skipped(table, str(problem))]
        skipped += malformed
        for line in lines:
            name = (PurePosixPath(table).parent / line.file).as_posix()
            if name in found:
                skipped.append(Skipped(name, f"{line.where} names {name} again: the caption of {first[name]} is used."))
            elif name in files:
                found[name], first[name] = Found(name, line.caption, files[name]), line.where
            else:
                skipped.append(Skipped(name, f"{name} is not there, but {line.where} names it."))
    return [found[name] for name in sorted(found)], skipped


def _in_rows(files: Mapping[str, Path], tables: Sequence[str]) -> Iterator[Found | Skipped]:
    for table in tables:
        try:
            for number, (row, caption, data) in enumerate(read_rows(files[table], table)):
                yield Found(f"{table}#row {number}", caption, row, data)
        except MediaError as problem:
            yield Skipped(table, str(problem))


def _beside(files: Mapping[str, Path], wanted: Sequence[str]) -> tuple[Source, list[Found], list[Skipped]]:
    """Files with the text beside them, else with their folder's name, else with nothing."""
    beside = {_stem(name): name for name in files if _suffix(name) == ".txt"}
    captions = dict.fromkeys(wanted, "")
    source: Source = "none"
    skipped = []
    if any(_stem(name) in beside for name in wanted):
        source = "text files"
        for name in wanted:
            if text := beside.get(_stem(name)):
                try:
                    captions[name] = read_text(files[text], text)
                except MediaError as problem:
                    del captions[name]
                    skipped.append(Skipped(name, f"{name} is not used without its caption: {problem}"))
    elif "." not in (folders := {str(PurePosixPath(name).parent) for name in wanted}) and len(folders) > 1:
        source = "folder names"
        captions = {name: re.sub("[_-]", " ", PurePosixPath(name).parent.name) for name in wanted}
    return source, [Found(name, one_line(caption), files[name]) for name, caption in captions.items()], skipped


def _left_out(left: Iterable[str], wanted: Sequence[str], source: Source, unnamed: str, kind: Kind) -> list[Skipped]:
    """Why files are not used, but for those that nobody would expect to be; `unnamed` says it of the kind's own."""
    stems = {_stem(name) for name in wanted}
    skipped = []
    for name in left:
        if _base(name) in _SILENT or (_suffix(name) == ".txt" and _stem(name) in stems):
            continue
        if _suffix(name) in kind.suffixes:
            why = unnamed
        elif _base(name) in _METADATA or _suffix(name) == ".parquet":
            why = f"is not read, for the captions come from {source}"
        elif _suffix(name) == ".txt":
            why = f"is beside no {kind.noun} of its name"
        else:
            why = f"is no {kind.noun} by its name: if it is one, let the name end in {kind.ending} or what it is"
        skipped.append(Skipped(name, f"{name} {why}."))
    return skipped


def _base(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _stem(name: str) -> str:
    """The path without the suffix, which pictures and their captions share."""
    return str(PurePosixPath(name).with_suffix(""))
