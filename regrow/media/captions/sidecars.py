"""Captions that need no table: the text beside each file, or the names of the folders."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from regrow.media.captions.tables import Skipped, read_text
from regrow.media.files import MediaError
from regrow.messages.message import say

_ENDINGS = (".txt", ".caption")
"""Of text beside a picture, the first before the second."""
_REPEATED = re.compile(r"(\d{1,3})_(.*\S.*)")
"""A folder of kohya's scripts: how often its pictures count, and their words."""


class Beside(NamedTuple):
    """Captions by the names of files, where they come from, what is not used, and sentences on how they were found.

    Attributes:
        used: the files of text that are.
    """

    captions: dict[str, str]
    source: str
    used: set[str]
    skipped: list[Skipped]
    notes: tuple[str, ...]


def beside(files: Mapping[str, Path], wanted: Sequence[str]) -> Beside:
    """Give files the text beside them (of `a.png`: `a.png.txt`, `a.txt` or `a.caption`), else their folder's words.

    Systems differ in how they write a letter with an accent, in one code point or two: both are one name.

    Args:
        files: all of the folder, by name.
        wanted: those that need captions.
    """
    texts: dict[str, list[str]] = {}
    for name in files:
        if (ending := PurePosixPath(name).suffix.lower()) in _ENDINGS:
            texts.setdefault(_one_form(name[: -len(ending)]), []).append(name)
    of = {
        name: min(found, key=lambda text: (_ENDINGS.index(PurePosixPath(text).suffix.lower()), text))
        for name in wanted
        if (found := texts.get(_one_form(name)) or texts.get(_one_form(str(PurePosixPath(name).with_suffix("")))))
    }
    captions, notes = _of_folders([name for name in wanted if name not in of], alone=not of)
    source = " and ".join(
        ([say("source_text_files")] if of else []) + ([say("source_folder_names")] if any(captions.values()) else [])
    )
    skipped = []
    for name, text in of.items():
        try:
            captions[name] = read_text(files[text], text)
        except MediaError as problem:
            skipped.append(Skipped(name, say("not_used_without_caption", name=name, problem=problem)))
    return Beside(dict(sorted(captions.items())), source or "none", set(of.values()), skipped, notes)


def _of_folders(names: Sequence[str], alone: bool) -> tuple[dict[str, str], tuple[str, ...]]:
    """The words of the folders' names, and a sentence on them.

    Plain names count where there is no other text, and every file is in one of several folders.
    """
    folders = {name: PurePosixPath(name).parent for name in names}
    plain = alone and PurePosixPath() not in folders.values() and len(set(folders.values())) > 1
    repeats, captions = {}, {}
    for name, folder in folders.items():
        repeated = _REPEATED.fullmatch(folder.name)
        if repeated:
            repeats[folder.name] = repeated[1]
        words = repeated[2] if repeated else folder.name if plain else ""
        captions[name] = re.sub("[_-]", " ", words)
    if not repeats:
        return captions, ()
    equal = say("repeats_not_used") if len(set(repeats.values())) > 1 else ""
    return captions, (say("repeats_read_as_kohya", example=min(repeats), more=equal),)


def _one_form(name: str) -> str:
    return unicodedata.normalize("NFC", name)
