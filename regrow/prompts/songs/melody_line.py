"""Find the melody among notes that sound together: the sung part, and in it the highest note of each chord."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from regrow.messages.message import say
from regrow.prompts.songs.tune_note import TuneNote

TOGETHER = 0.05
"""Notes that begin within this many beats count as one chord, as one played by hand."""
HELD = 0.5
"""A note belongs to the accompaniment if a higher one still sounds for this share of it."""
JOINED = 0.13
"""Shortest rest in beats; shorter silence belongs to the note before."""
FEWEST = 0.25
"""Least number of notes, relative to the fullest part, of a part that is chosen as the highest."""
_NAMES = re.compile(r"vocal|voice|vox|melod|sing|sang|lead|sopran|chant", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """A note somewhere in a part.

    Attributes:
        start: beats from the beginning.
        end: beats, after `start`.
        pitch: MIDI number.
        level: dB, 0 at most.
        syllable: of its part's lyrics; "" if there is none.
        begins: whether a word begins with the syllable.
    """

    start: float
    end: float
    pitch: float
    level: float = 0.0
    syllable: str = ""
    begins: bool = True


@dataclass(frozen=True)
class Part:
    """The notes of one instrument or voice."""

    name: str
    events: tuple[Event, ...] = field(repr=False)

    @property
    def has_words(self) -> bool:
        """Whether any of its notes has a syllable."""
        return any(event.syllable for event in self.events)


def sung_part(parts: Sequence[Part]) -> tuple[Part, str]:
    """Return the part with words, or else with the name of a voice, or else the highest; and a sentence on the choice.

    Args:
        parts: at least one, each with events.
    """
    if len(parts) == 1:
        return parts[0], ""
    words = [part for part in parts if part.has_words]
    named = [part for part in parts if _NAMES.search(part.name)]
    most = max(len(part.events) for part in parts)
    full = [part for part in parts if len(part.events) >= FEWEST * most]
    chosen, why = (
        (words, say("part_has_words"))
        if words
        else (named, say("part_by_name"))
        if named
        else (full, say("part_is_highest"))
    )
    part = max(chosen, key=lambda part: sum(event.pitch for event in part.events) / len(part.events))
    because = why if why.startswith("of") else f"as {why}"
    because = say("because", reason=because) if because.startswith("of") else because
    name = say("named_part", name=part.name) if part.name else say("numbered_part", number=parts.index(part) + 1)
    return part, say("tune_of_part", count=len(parts), name=name, because=because)


def melody_of(events: Sequence[Event]) -> tuple[list[Event], bool]:
    """Return notes that do not overlap, and whether others were left out or cut short.

    A note without a syllable belongs to the accompaniment if a higher one still sounds for half of it or more.
    """
    melody: list[Event] = []
    others = False
    for event in sorted(events, key=lambda event: (event.start, -event.pitch)):
        if not melody:
            melody.append(event)
            continue
        last = melody[-1]
        if event.start - last.start < TOGETHER:  # in the same chord
            others = True
            if event.pitch > last.pitch:
                melody[-1] = _worded(event, last)
            elif event.syllable and not last.syllable:
                melody[-1] = _worded(last, event)
            continue
        still = min(last.end, event.end) - event.start
        if last.pitch > event.pitch and still >= HELD * (event.end - event.start) and not event.syllable:
            others = True
            continue
        if still > TOGETHER:
            others = True
        if last.end > event.start:
            melody[-1] = Event(last.start, event.start, last.pitch, last.level, last.syllable, last.begins)
        melody.append(event)
    return melody, others


def _worded(event: Event, other: Event) -> Event:
    """Return an event that takes the word of another if it has none."""
    word = event if event.syllable else other
    return Event(event.start, event.end, event.pitch, event.level, word.syllable, word.begins)


def notes_of(melody: Sequence[Event]) -> tuple[tuple[TuneNote, ...], str]:
    """Return the notes of a melody, with the rests between them, and its lyrics.

    If the part has words, a note without a syllable continues the syllable before it. Lines of the lyrics end at rests
    and at punctuation.
    """
    worded = any(event.syllable for event in melody)
    notes: list[TuneNote] = []
    lyrics = ""
    for i, event in enumerate(melody):
        following = melody[i + 1].start if i + 1 < len(melody) else event.end
        gap = following - event.end
        end = following if gap < JOINED else event.end
        rested = not notes or notes[-1].pitch is None
        sung_on = worded and not event.syllable and not rested
        notes.append(TuneNote(event.pitch, _exact(end - event.start), event.level, sung_on))
        if gap >= JOINED:
            notes.append(TuneNote(None, _exact(gap)))
        if event.syllable:
            new_line = lyrics and (rested or lyrics[-1] in ".,;:!?") and event.begins
            lyrics += ("\n" if new_line else " " if event.begins and lyrics else "") + event.syllable
    return tuple(notes), lyrics


def _exact(beats: float) -> float:
    return round(float(beats), 6)
