"""A folder of pictures or sounds with captions, in the conventions that datasets and training tools share.

Captions come from the first of these that the folder has:

    metadata.jsonl, metadata.csv, metadata.parquet    in any subfolder, for the files below it (`tables`)
    metadata.tsv, metadata.json, captions.jsonl,      likewise, if they name files that are there
    captions.csv, .tsv, .json, .txt
    other .parquet tables                             which hold the pictures as well (`parquet`)
    cat.txt, cat.png.txt or cat.caption               beside cat.png, and 10_cat of kohya's scripts (`sidecars`)
    the folders' names                                if every file is in one of several subfolders
    none                                              the captions are empty

Hidden files are ignored; everything else that is not used is reported. A folder whose text files might hold captions
but cannot be used is refused.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from regrow.media.audio import sound as audio
from regrow.media.captions.listing import PICTURES, Found, Kind, pair
from regrow.media.captions.parquet import Row
from regrow.media.captions.tables import Skipped
from regrow.media.captions.walking import files_below
from regrow.media.content import content_at
from regrow.media.files import MediaError, reason
from regrow.media.image.framing import fit
from regrow.media.image.picture import load, to_uint8
from regrow.media.image.reading import MOST_BYTES
from regrow.messages.message import say

_TABLE = re.compile(r"\.(jsonl?|[ct]sv|parquet)(, (line|row|entry) \d+)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """A picture or sound that was checked by decoding it once. Its bytes stay on the disk.

    Args:
        name: its path from the folder, with `/`, or `table.parquet#row 12`, counted from 0.
        caption: one line, without white space at its ends; empty where there is none.
        content: BLAKE2b of the bytes in 32 hex digits, by which caches know it.
        place: the file, or the row of a parquet table.
    """

    name: str
    caption: str
    content: str
    place: Path | Row

    def read(self) -> bytes:
        """Return the bytes.

        Raises:
            MediaError: they cannot be read any more, or are others than `content` stands for.
        """
        data = _bytes(self.name, self.place)
        if _content(data) != self.content:
            raise MediaError(say("file_changed_since_read", name=self.name))
        return data


@dataclass(frozen=True)
class Captioned:
    """A folder that was read.

    Args:
        items: at least one, no two of the same content, sorted by the files' names and the numbers of rows.
        skipped: what is not used, sorted by name.
        source: where the captions come from; "none" without any.
        notes: sentences on the captions.
    """

    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...]
    source: str
    notes: tuple[str, ...] = ()


def read_captioned(folder: Path, smallest: int = 32, kind: Kind = PICTURES) -> Captioned:
    """Reads a folder and all in it, and decodes every file once. Of files of the same bytes the first is used.

    Args:
        folder: links in it are followed, to each real folder once.
        smallest: pictures whose shorter side has fewer pixels are skipped.
        kind: what is looked for, pictures or sounds.

    Raises:
        MediaError: there is no such folder, it may not be read, nothing in it can be used, or it has text, but none of
            it can be used.
    """
    files, skipped = files_below(folder)
    if not files and not skipped:
        example = f"a{kind.ending}"
        raise MediaError(say("training_folder_empty", folder=folder, noun=kind.noun, example=example))
    paired = pair(files, kind)
    skipped += paired.skipped
    items: dict[str, Item] = {}
    for one in _checked(paired.found, partial(_check, smallest=smallest) if kind == PICTURES else _checked_sound):
        if isinstance(one, Skipped):
            skipped.append(one)
        elif one.content in items:
            first = items[one.content].name
            skipped.append(Skipped(one.name, say("same_content_as", name=one.name, noun=kind.noun, first=first)))
        else:
            items[one.content] = one
    skipped.sort(key=lambda one: one.name)
    if not items:
        others = [content for path in files.values() if (content := content_at(path)) and content.medium != kind.noun]
        if others:
            medium, count = others[0].medium, len(others)
            many = medium if count == 1 else f"{medium}s"
            raise MediaError(
                say(
                    "folder_of_other_medium",
                    folder=folder,
                    count=count,
                    many=many,
                    noun=kind.noun,
                    option=f"--medium {medium}",
                )
            )
        skipped.sort(key=lambda one: not _TABLE.search(one.name))  # which are why nothing else is used
        why = (
            say("skipped_for_example", skipped=len(skipped), reason=skipped[0].reason)
            if skipped
            else (say("put_pictures_in") if kind == PICTURES else say("put_sounds_in"))
        )
        raise MediaError(say("nothing_usable_in_folder", folder=folder, noun=kind.noun, why=why))
    if paired.source == "none" and paired.unread:
        example = next((one.reason for one in skipped if _TABLE.search(one.name)), "")
        shown = say("for_example", example=example) if example else ""
        about = {"folder": folder, "noun": kind.noun, "ending": kind.ending}
        raise MediaError(say("no_text_usable", **about, few=_few(paired.unread), example=shown))
    return Captioned(
        tuple(items.values()),
        tuple(skipped),
        paired.source,
        (*paired.notes, *_about(items.values(), paired.source, kind)),
    )


def _about(items: Collection[Item], source: str, kind: Kind) -> tuple[str, ...]:
    """How many have no caption, where others have one."""
    missing = [item.name for item in items if not item.caption]
    if source == "none" or not missing:
        return ()
    if len(missing) == 1:
        return (say("one_without_caption", whole=len(items), noun=kind.noun, name=missing[0]),)
    return (say("some_without_caption", count=len(missing), whole=len(items), noun=kind.noun, names=_few(missing)),)


def _few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    first = ", ".join(names[:5])
    return say("names_and_more", names=first, count=len(names) - 5) if len(names) > 5 else first


def picture(item: Item, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return an item's picture as `media.image` loads it, its middle square scaled to `size` pixels.

    Raises:
        MediaError: the bytes cannot be read any more, or have changed; `size` is not positive.
    """
    return to_uint8(fit(load(item.name, data=item.read()).pixels, size=(size, size)).pixels)


def _checked(found: Iterable[Found | Skipped], check: Callable[[Found], Item | Skipped]) -> Iterator[Item | Skipped]:
    """Decodes in threads, which the decoders and BLAKE2b let run at once, in the given order."""
    found = iter(found)

    def looked_at(one: Found | Skipped) -> Item | Skipped:
        return one if isinstance(one, Skipped) else check(one)

    # `load` silences warnings in a way that threads undo in any order: only this leaves the filters as they were.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as threads:
        warnings.simplefilter("ignore")
        while some := list(islice(found, 64)):  # rows of parquet tables come with their bytes: never all at once
            yield from threads.map(looked_at, some)


def _check(found: Found, smallest: int) -> Item | Skipped:
    name = found.name
    try:
        data = _bytes(name, found.place) if found.data is None else found.data
        h, w = load(name, data=data).pixels.shape[-2:]
    except MediaError as problem:
        return Skipped(name, str(problem))
    if min(h, w) < smallest:
        return Skipped(name, say("picture_below_size", name=name, w=w, h=h, smallest=smallest))
    return Item(name, found.caption, _content(data), found.place)


def _checked_sound(found: Found) -> Item | Skipped:
    name = found.name
    try:
        data = _bytes(name, found.place) if found.data is None else found.data
        audio.load(name, data, audio.MOST_TRAINED)
    except MediaError as problem:
        return Skipped(name, str(problem))
    return Item(name, found.caption, _content(data), found.place)


def _bytes(name: str, place: Path | Row) -> bytes:
    if isinstance(place, Row):
        return place.read()
    try:
        if place.stat().st_size > MOST_BYTES:
            raise MediaError(say("training_file_too_large", name=name, most=MOST_BYTES >> 20))
        return place.read_bytes()
    except OSError as problem:
        raise MediaError(say("training_file_unreadable", name=name, reason=reason(problem))) from problem


def _content(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
