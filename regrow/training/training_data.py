"""Training data: pictures or mels with captions, some of them held out."""

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
from regrow.messages.message import say
from regrow.training.arrays import keep_rows
from regrow.training.note_conditioning import Score
from regrow.training.sound_folder import SILENT, clips_of, content_of
from regrow.training.training_words import words_in


@dataclass(frozen=True)
class Data:
    """Captioned pictures of one size, or mels.

    Attributes:
        items: pictures, uint8 `n h w 3`, or mels, float16 `n bands frames 1` in the models' format, mapped into memory;
            the last `held_out` are never trained on.
        masks: uint8 `n h w`, the part that matters most; None = all of it.
        caption: returns a caption by an item's number and a seed, which chooses among several.
        held_out: number of held-out items, at the end.
        content: a hash of all data without the captions.
        words: of the captions; each gets its own token.
        characters: likewise.
        notes: sentences for the user.
        notes_of: returns the notes played in an item, by its number; None if they are unknown.
        texts: the captions of a folder; empty for a world, which knows its words.
        focus: returns, by an item's number and the cells along its sides, the share of each cell, `y x`, that people
            look at first and that matters more than its size; None if unknown.
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
        """The number of items that are trained on."""
        return len(self.items) - self.held_out

    @property
    def extent(self) -> tuple[int, int]:
        """Height and width of the pictures, or bands and frames of the mels."""
        return self.items.shape[1], self.items.shape[2]


def to_batch(items: np.ndarray) -> Float[Tensor, "b channels h w"]:
    """Return items of a `Data` in the format that a codec takes, in [-1, 1]."""
    if items.dtype == np.uint8:
        return from_uint8(items)
    return torch.from_numpy(items.astype(np.float32)).movedim(-1, 1).contiguous()


def mixed(own: Data, known: Data, sentence: str) -> Data:
    """Return the items of both, drawn evenly in training; held-out items of either stay held out.

    Known as rehearsal (Robins 1995, Connection Science 7.2, "Catastrophic forgetting, rehearsal and pseudorehearsal").

    Args:
        own: data to be learned.
        known: data to be remembered, of the same kind and extent.
        sentence: a sentence about it for the user.
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
        say("stamp_of_both", first=own.content, second=known.content),
        tuple(sorted({*own.words, *known.words})),
        tuple(sorted({*own.characters, *known.characters})),
        (*own.notes, sentence, *known.notes),
        notes_of if own.notes_of or known.notes_of else None,
        (*own.texts, *known.texts),
    )


def folder_data(folder: Path, held_out: int, size: int) -> Generator[Progress, None, Data]:
    """Return the pictures of a folder, centre-cropped to squares of `size` pixels, kept on disk as an array.

    At most a tenth of the pictures, rounded down, is held out. They are chosen by their contents, so they are the same
    in every run.

    Raises:
        MediaError: there is no folder, no usable picture in it, or no room for them.
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
    """Return the sounds of a folder, cut into clips of this many frames; see `sound_folder`.

    At most a tenth of the files, rounded down, is held out, each with all of its clips. They are chosen by their
    contents, so they are the same in every run.

    Raises:
        MediaError: there is no folder, or only silence in it.
    """
    found = read_captioned(folder, kind=SOUNDS)
    items = tuple(sorted(found.items, key=lambda item: hashlib.blake2b(item.content.encode()).digest()))
    clips = yield from clips_of(items, settings, frames, relative)
    if not clips.items:
        raise MediaError(say("folder_of_silence", folder=folder, count=len(items)))
    held_out = min(held_out, len(items) // 10)
    kept = sum(i >= len(items) - held_out for i in clips.items)
    captions = [item.caption for item in items]
    words, characters = words_in(captions)
    seconds = frames * settings.hop / settings.rate
    notes = [
        say(
            "clips_counted",
            count=len(items),
            source=_source(found),
            clips=len(clips.items),
            seconds=seconds,
            held_out=kept,
        )
    ]
    for item, silent in zip(items, clips.silent, strict=True):
        if silent:
            every = "all" if silent == sum(items[i] is item for i in clips.items) + silent else f"{silent}"
            notes.append(say("silent_clips", name=item.name, count=every, decibels=SILENT))
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
    sentence = say("pictures_counted", count=len(found.items), source=_source(found), held_out=held_out)
    return (sentence, *found.notes, *_skipped(found))


def _source(found: Captioned) -> str:
    if "folder names" not in found.source:
        return say("captions_from", source=found.source) if found.source != "none" else say("no_captions")
    captions = sorted({item.caption for item in found.items if item.caption})
    return say(
        "captions_from_some", source=found.source, count=", ".join(captions[:5]), more=", ..." if captions[5:] else ""
    )


def _skipped(found: Captioned) -> tuple[str, ...]:
    shown = found.skipped[:20]
    notes = [say("file_skipped", name=skipped.name, reason=skipped.reason) for skipped in shown]
    if len(found.skipped) > len(shown):
        notes.append(say("more_were_skipped", count=len(found.skipped) - len(shown)))
    return tuple(notes)
