"""What a model learns from: pictures or mels, captions, and which of them are held out."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.progress import Progress
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import Sounding
from regrow.media.captions.captioned import Captioned, picture, read_captioned
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import MediaError
from regrow.media.image.picture import from_uint8
from regrow.training.arrays import keep_rows
from regrow.training.note_conditioning import Score
from regrow.training.sound_folder import SILENT, clips_of, content_of
from regrow.training.training_words import words_in


@dataclass(frozen=True)
class Data:
    """Captioned pictures of one size, or mels.

    Attributes:
        items: pictures, uint8 `n h w 3`, or mels, float16 `n bands frames 1` as models see them, mapped into memory;
            the last `held_out` are never trained on.
        masks: uint8 `n h w`, the part that matters most; None = all of it.
        caption: of an item's number, chosen by a seed where there are several.
        held_out: how many at the end are held out.
        content: a hash of all of it, without the captions.
        words: each worth a token of its own.
        characters: likewise.
        notes: sentences for the user.
        notes_of: what is played in an item, by its number; None where that is not known.
        texts: the captions of a folder; none of a world, which knows its words.
        focus: of an item's number and cells along its sides, the share of each cell, `y x`, that a glance goes to first
            and that matters more than its size says; None where that is not known.
    """

    items: np.ndarray
    masks: np.ndarray | None
    caption: Callable[[int, int], str]
    held_out: int
    content: str
    words: tuple[str, ...]
    characters: tuple[str, ...]
    notes: tuple[str, ...] = ()
    notes_of: Score | None = None
    texts: tuple[str, ...] = ()
    focus: Callable[[int, int], np.ndarray] | None = None

    @property
    def trained_on(self) -> int:
        """How many are trained on."""
        return len(self.items) - self.held_out

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the pictures, or bands and frames of the mels."""
        return self.items.shape[1], self.items.shape[2]


def to_batch(items: np.ndarray) -> Float[Tensor, "b channels h w"]:
    """Items of a `Data` as a codec takes them, in [-1, 1]."""
    if items.dtype == np.uint8:
        return from_uint8(items)
    return torch.from_numpy(items.astype(np.float32)).movedim(-1, 1).contiguous()


def mixed(own: Data, known: Data, sentence: str) -> Data:
    """The items of both, drawn evenly in training; what either holds out stays held out.

    Known as rehearsal (Robins 1995, Connection Science 7.2, "Catastrophic forgetting, rehearsal and pseudorehearsal").

    Args:
        own: what is to be learned.
        known: of the same kind and extent.
        sentence: a sentence on it for the user.
    """
    parts = ((own, slice(None, own.trained_on)), (known, slice(None, known.trained_on)))
    parts += ((own, slice(own.trained_on, None)), (known, slice(known.trained_on, None)))
    places = [(data, int(i)) for data, part in parts for i in np.arange(len(data.items))[part]]

    def words_of(i: int, seed: int) -> str:
        data, place = places[i]
        return data.caption(place, seed)

    def notes_of(i: int) -> Sequence[Sounding] | None:
        data, place = places[i]
        return data.notes_of(place) if data.notes_of else None

    return Data(
        np.concatenate([data.items[part] for data, part in parts]),
        None,
        words_of,
        own.held_out + known.held_out,
        f"{own.content} and {known.content}",
        tuple(sorted({*own.words, *known.words})),
        tuple(sorted({*own.characters, *known.characters})),
        (*own.notes, sentence, *known.notes),
        notes_of if own.notes_of or known.notes_of else None,
        (*own.texts, *known.texts),
    )


def folder_data(folder: Path, held_out: int, size: int) -> Generator[Progress, None, Data]:
    """The pictures of a folder, centre-cropped to squares of `size` pixels, kept on disk as an array.

    Of fewer than ten times `held_out` pictures a tenth is held out; of fewer than ten none. Which ones follows from
    their contents, so it is the same in every run.

    Raises:
        MediaError: no folder, no usable picture in it, or no room for them.
    """
    found = read_captioned(folder)
    items = sorted(found.items, key=lambda item: hashlib.blake2b(item.content.encode()).digest())
    held_out = min(held_out, len(items) // 10)
    content = repr((size, [item.content for item in items]))
    (pictures,) = yield from keep_rows(
        "pictures",
        content,
        {"": ((len(items), size, size, 3), np.uint8)},
        lambda: ((picture(item, size),) for item in items),
    )
    captions = [item.caption for item in items]
    words, characters = words_in(captions)
    return Data(
        pictures,
        None,
        lambda i, seed: captions[i],
        held_out,
        hashlib.blake2b(content.encode(), digest_size=12).hexdigest(),
        words,
        characters,
        _notes(found, held_out),
        texts=tuple(captions),
    )


def sound_folder_data(
    folder: Path, held_out: int, frames: int, settings: MelSettings, relative: bool = False
) -> Generator[Progress, None, Data]:
    """The sounds of a folder, cut into clips of this many frames; see `sound_folder`.

    Of fewer than ten times `held_out` files a tenth is held out; of fewer than ten none. Which ones follows from
    their contents, so it is the same in every run; clips of one file are never on both sides.

    Raises:
        MediaError: no folder, or nothing that is heard in it.
    """
    found = read_captioned(folder, kind=SOUNDS)
    items = tuple(sorted(found.items, key=lambda item: hashlib.blake2b(item.content.encode()).digest()))
    clips = yield from clips_of(items, settings, frames, relative)
    if not clips.items:
        raise MediaError(f"{folder} holds silence only: {len(items)} files, and nothing to hear in any of them.")
    held_out = min(held_out, len(items) // 10)
    kept = sum(i >= len(items) - held_out for i in clips.items)
    captions = [item.caption for item in items]
    words, characters = words_in(captions)
    seconds = frames * settings.hop / settings.rate
    notes = [
        f"{len(items)} sounds, {_source(found)}; {len(clips.items)} clips of {seconds:.1f} s, {kept} of them held out."
    ]
    for item, silent in zip(items, clips.silent, strict=True):
        if silent:
            every = "all" if silent == sum(items[i] is item for i in clips.items) + silent else f"{silent}"
            notes.append(f"{item.name}: {every} of its clips are silent (below {SILENT:g} dB) and left out.")
    return Data(
        clips.mels,
        None,
        lambda i, seed: captions[clips.items[i]],
        kept,
        content_of(items, settings, frames, relative),
        words,
        characters,
        (*notes, *found.notes, *_skipped(found)),
        texts=tuple(captions),
    )


def _notes(found: Captioned, held_out: int) -> tuple[str, ...]:
    sentence = f"{len(found.items)} pictures, {_source(found)}; {held_out} held out to measure the loss."
    return (sentence, *found.notes, *_skipped(found))


def _source(found: Captioned) -> str:
    if "folder names" not in found.source:
        return f"captions from {found.source}" if found.source != "none" else "no captions"
    captions = sorted({item.caption for item in found.items if item.caption})
    return f"captions from {found.source} ({', '.join(captions[:5])}{', ...' if captions[5:] else ''})"


def _skipped(found: Captioned) -> tuple[str, ...]:
    shown = found.skipped[:20]
    notes = [f"skipped {skipped.name}: {skipped.reason}" for skipped in shown]
    if len(found.skipped) > len(shown):
        notes.append(f"... and {len(found.skipped) - len(shown)} more skipped.")
    return tuple(notes)
