"""A tune: notes without words, in one form for every source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from regrow.messages.message import say
from regrow.worlds.songbook.score import MOST_NOTES, pitch_name

LOWEST, HIGHEST = 48.0, 84.0
"""Range of the notes of tunes, as MIDI numbers: C3 to C6."""
SHORTEST, LONGEST = 0.01, 64.0
"""Range of the beats of a note."""


@dataclass(frozen=True)
class TuneNote:
    """A note of a tune, or a rest.

    Attributes:
        pitch: MIDI number, which may be fractional; None for a rest.
        beats: duration.
        level: dB, 0 at most.
        sung_on: whether the tune continues the syllable before, as a slur does.
    """

    pitch: float | None
    beats: float
    level: float = 0.0
    sung_on: bool = False


@dataclass(frozen=True)
class Tune:
    """The notes of a song without its words.

    Attributes:
        notes: in order; the first and the last one are not rests.
        tempo: beats per minute; None if the tune does not give it.
        lyrics: the words in its file; "" if there are none.
        remarks: sentences for the user on what was chosen, moved or left out.
        key: the key that its file states, such as "F# minor"; "" if it states none, or one of another mode.
    """

    notes: tuple[TuneNote, ...]
    tempo: float | None = None
    lyrics: str = ""
    remarks: tuple[str, ...] = ()
    key: str = ""

    @property
    def sung(self) -> tuple[TuneNote, ...]:
        """The notes without the rests."""
        return tuple(note for note in self.notes if note.pitch is not None)


def made_usable(tune: Tune, source: str) -> Tune:
    """Return a tune without rests at its ends, moved by whole octaves into the range of `LOWEST` to `HIGHEST`.

    Args:
        tune: as read.
        source: name of its origin, for sentences.

    Raises:
        ValueError: it has no notes, or too many.
    """
    notes = _whole(tune.notes)
    if not notes:
        raise ValueError(say("no_singable_notes", what=source))
    if len(notes) > MOST_NOTES:
        raise ValueError(say("tune_too_many_notes", what=source, count=len(notes), most_notes=MOST_NOTES))
    pitches = [note.pitch for note in notes if note.pitch is not None]
    octaves = min(range(-9, 10), key=lambda n: (sum(map(_outside, (p + 12 * n for p in pitches))), abs(n)))
    moved = [None if note.pitch is None else _folded(note.pitch + 12 * octaves) for note in notes]
    remarks = list(tune.remarks)
    if octaves:
        remarks.append(say("tune_moved_into_range", octaves_in_words=octaves_in_words(octaves), range=_RANGE))
    alone = sum(_outside(pitch + 12 * octaves) > 0 for pitch in pitches)
    if alone:
        remarks.append(say("notes_moved_by_octaves", count=alone, range=_RANGE))
    kept = tuple(replace(note, pitch=pitch) for note, pitch in zip(notes, moved, strict=True))
    return replace(tune, notes=kept, remarks=tuple(remarks))


_RANGE = f"{pitch_name(LOWEST)} to {pitch_name(HIGHEST)}"


def octaves_in_words(octaves: int) -> str:
    """Return a phrase such as "down an octave" or "up 2 octaves"."""
    return f"{'up' if octaves > 0 else 'down'} {'an octave' if abs(octaves) == 1 else f'{abs(octaves)} octaves'}"


def _outside(pitch: float) -> float:
    """Return the semitones by which a pitch is out of range."""
    return max(LOWEST - pitch, pitch - HIGHEST, 0.0)


def _folded(pitch: float) -> float:
    down = 12 * ceil(max(pitch - HIGHEST, 0.0) / 12)
    up = 12 * ceil(max(LOWEST - pitch, 0.0) / 12)
    return pitch - down + up


def _whole(notes: Sequence[TuneNote]) -> list[TuneNote]:
    """Return notes that a score can hold: rests joined and only inside, none too short, and long ones divided."""
    kept: list[TuneNote] = []
    for note in notes:
        if note.beats < SHORTEST or (note.pitch is None and not kept):
            continue
        if note.pitch is None and kept[-1].pitch is None:
            kept[-1] = replace(kept[-1], beats=kept[-1].beats + note.beats)
        else:
            kept.append(replace(note, sung_on=note.sung_on and bool(kept) and kept[-1].pitch is not None))
    if kept and kept[-1].pitch is None:
        kept.pop()
    pieces: list[TuneNote] = []
    for note in kept:
        count = min(MOST_NOTES + 1, max(1, int(-(-note.beats // LONGEST))))
        for i in range(count):
            pieces.append(
                replace(note, beats=note.beats / count, sung_on=note.sung_on or (i > 0 and note.pitch is not None))
            )
    return pieces
