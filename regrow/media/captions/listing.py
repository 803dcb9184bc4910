"""List a folder: its pictures or sounds with their captions, and what is left out and why.

Nothing is decoded here.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regrow.media.captions.columns import one_line
from regrow.media.captions.parquet import Row, read_rows
from regrow.media.captions.sidecars import beside
from regrow.media.captions.tables import Skipped, read_metadata
from regrow.media.content import content_at, is_text
from regrow.media.files import MediaError
from regrow.messages.message import say

_METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
_TABLES = (
    *("metadata.tsv", "metadata.json"),
    *("captions.jsonl", "captions.csv", "captions.tsv", "captions.json", "captions.txt"),
)
"""What other tools call theirs: used if they name files that are here, for they may hold something else."""


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
_WRITTEN = frozenset(
    {".txt", ".caption", ".captions", ".text", ".tags", ".json", ".jsonl", ".csv", ".tsv", ".yaml", ".yml", ".xml"}
    | {".xlsx", ".xls", ".ods", ".docx", ".srt", ".lab"}
)
"""How files end that may hold captions, wherever they lie; beside a picture of their name any text may."""
_FEW = 3
"""Files of text of which each is named, where more are not used for the same reason."""


@dataclass(frozen=True)
class Found:
    """A candidate file: its name, its caption in one line, its place, and its bytes if they are already read."""

    name: str
    caption: str
    place: Path | Row
    data: bytes | None = None


class Paired(NamedTuple):
    """What a folder holds.

    Attributes:
        source: where the captions come from.
        found: what to look at in the order of names. Parquet tables are read while one iterates over them, so what is
            left out of those comes among what is found.
        skipped: what is left out.
        notes: sentences on how the captions were found.
        unread: the files of text that are not used, of what may hold captions.
    """

    source: str
    found: Iterable[Found | Skipped]
    skipped: list[Skipped]
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def pair(files: Mapping[str, Path], kind: Kind) -> Paired:
    """Give each file that is wanted its caption.

    Args:
        files: as `walking.files_below` gives them.
        kind: of files that are looked for.
    """
    wanted = [name for name, path in files.items() if _is_of(kind, name, path)]
    failed: list[Skipped] = []
    for source in (*_METADATA, *_TABLES):
        if tables := [name for name in files if _base(name) == source]:
            found, skipped = _named(files, tables, wanted)
            if found or source in _METADATA:
                left = files.keys() - tables - {one.name for one in found}
                where = tables[0] if len(tables) == 1 else f"any {source}"
                more, unread = _left_out(files, left, wanted, source, say("not_named_in", where=where), kind)
                return Paired(source, found, skipped + more, unread=unread)
            failed += [] if source == "captions.txt" else skipped
    if parquet := [name for name in files if _suffix(name) == ".parquet"]:
        left = files.keys() - parquet
        more, unread = _left_out(files, left, wanted, "parquet", say("in_no_parquet_table"), kind)
        return Paired("parquet", _in_rows(files, parquet), more, unread=unread)
    by = beside(files, wanted)
    found = [Found(name, one_line(caption), files[name]) for name, caption in by.captions.items()]
    more, unread = _left_out(files, files.keys() - wanted - by.used, wanted, by.source, "", kind)
    reported = {one.name for one in failed}
    more = [one for one in more if one.name not in reported]
    return Paired(by.source, found, [*by.skipped, *failed, *more], by.notes, unread)


def _named(
    files: Mapping[str, Path], tables: Sequence[str], wanted: Sequence[str]
) -> tuple[list[Found], list[Skipped]]:
    """What tables name, each file by the table that is nearest to it."""
    found: dict[str, Found] = {}
    first: dict[str, str] = {}
    skipped = []
    find = _finder(files, wanted)
    for table in sorted(tables, key=lambda name: (-name.count("/"), name)):
        try:
            lines, malformed = read_metadata(files[table], table)
        except MediaError as problem:
            lines, malformed = [], [Skipped(table, str(problem))]
        skipped += malformed
        for line in lines:
            given = (PurePosixPath(table).parent / line.file).as_posix()
            name = find(given)
            if name is None:
                skipped.append(Skipped(given, say("named_file_missing", file=given, where=line.where)))
            elif name in found:
                skipped.append(Skipped(name, say("named_twice", where=line.where, name=name, first=first[name])))
            else:
                found[name], first[name] = Found(name, line.caption, files[name]), line.where
    return [found[name] for name in sorted(found)], skipped


def _finder(files: Iterable[str], wanted: Iterable[str]) -> Callable[[str], str | None]:
    """The file of a name, which another system may have written with other code points or in other case, or without
    what a picture's name ends in, as kohya's scripts do; None where there is none, or more than one.
    """
    plain, loose, stems = set(files), dict[str, set[str]](), dict[str, set[str]]()
    for name in plain:
        loose.setdefault(unicodedata.normalize("NFC", name), set()).add(name)
        loose.setdefault(unicodedata.normalize("NFC", name).casefold(), set()).add(name)
    for name in wanted:
        stems.setdefault(unicodedata.normalize("NFC", _stem(name)), set()).add(name)

    def find(given: str) -> str | None:
        if given in plain:
            return given
        same = unicodedata.normalize("NFC", given)
        some = loose.get(same) or loose.get(same.casefold()) or stems.get(same) or set()
        return next(iter(some)) if len(some) == 1 else None

    return find


def _in_rows(files: Mapping[str, Path], tables: Sequence[str]) -> Iterator[Found | Skipped]:
    for table in tables:
        try:
            for number, (row, caption, data) in enumerate(read_rows(files[table], table)):
                yield Found(f"{table}#row {number}", caption, row, data)
        except MediaError as problem:
            yield Skipped(table, str(problem))


def _left_out(
    files: Mapping[str, Path], left: Iterable[str], wanted: Sequence[str], source: str, unnamed: str, kind: Kind
) -> tuple[list[Skipped], tuple[str, ...]]:
    """Why files are not used, but for those that nobody would expect to be, and which of them may hold captions.

    Args:
        files: all of the folder.
        left: those that are not used.
        wanted: those of the kind.
        source: where the captions come from.
        unnamed: why one of the kind is not used.
        kind: of files that are looked for.
    """
    names = {_stem(name) for name in wanted} | set(wanted)
    skipped, whys = [], dict[str, list[str]]()
    for name in sorted(left):
        if _base(name) in _SILENT:
            continue
        written = _suffix(name) in _WRITTEN or (_stem(name) in names and is_text(files[name]))
        if name in names:
            skipped.append(Skipped(name, f"{name} {unnamed}."))
        elif written and source not in ("text files", "folder names", "none"):
            whys.setdefault(say("not_read_beside_other", source=source), []).append(name)
        elif _base(name) in _METADATA or _suffix(name) == ".parquet":
            skipped.append(Skipped(name, say("text_file_not_read", name=name, source=source)))
        elif written and _suffix(name) not in (".txt", ".caption"):
            whys.setdefault(say("text_of_other_kind"), []).append(name)
        elif written and names & {_stem(name)}:
            whys.setdefault(say("another_text_read"), []).append(name)
        elif written:
            whys.setdefault(say("beside_no_file", noun=kind.noun), []).append(name)
        else:
            content = content_at(files[name])
            other = content and say("is_other_medium", medium=content.medium, name=content.name, noun=kind.noun)
            why = other or say("no_medium_by_name", noun=kind.noun, ending=kind.ending)
            skipped.append(Skipped(name, f"{name} {why}."))
    for why, some in whys.items():
        if len(some) > _FEW:
            skipped.append(Skipped(some[0], say("like_several_more", some=some[0], count=len(some) - 1, why=why)))
        else:
            skipped += [Skipped(name, f"{name} {why}.") for name in some]
    return skipped, tuple(sorted(name for some in whys.values() for name in some))


def _is_of(kind: Kind, name: str, path: Path) -> bool:
    """Whether a file is of a kind: by its content, by its suffix where the content says nothing."""
    content = None if _suffix(name) in _WRITTEN else content_at(path)
    return content.medium == kind.noun if content else _suffix(name) in kind.suffixes


def _base(name: str) -> str:
    return PurePosixPath(name).name.lower()


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _stem(name: str) -> str:
    """The path without the suffix, which pictures and their captions share."""
    return str(PurePosixPath(name).with_suffix(""))
