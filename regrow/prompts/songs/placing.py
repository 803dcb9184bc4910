"""Place syllables on notes: choose the note at which each begins."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from regrow.messages.message import say
from regrow.prompts.songs.tune_note import TuneNote
from regrow.worlds.songbook.phones import VOWELS
from regrow.worlds.songbook.score import Note

SHORTEST = 0.08
"""Shortest piece of a divided note, in seconds."""
_AGAINST_SLUR, _BROKEN_WORD, _INSIDE_LINE, _NEW_LINE = 2.0, 2.0, 0.3, -0.5
"""Costs of a syllable that begins where the tune has a slur; of a rest inside a word, inside a line, and before a
line."""
_LINE_WITHOUT_REST = 0.2
_WEAK_AND_LONG = 0.3
_HELD, _HELD_LONG, _HELD_AGAIN, _HELD_OVER_REST, _HELD_AT_END, _HELD_WEAK = 1.0, 0.5, -0.3, 3.0, -0.4, 0.3
"""Costs of a vowel that continues on another note: always; for each doubling of the note's length; at the same pitch,
as one longer note; after a rest, where it begins anew; at the end of a line; unstressed."""
_UNEVEN = 0.02
"""Cost, times the squared difference between the syllables begun up to a note and those of an even spread."""
_RUNS, _RUN = 5, 0.4
"""Number of notes of one vowel that are distinguished, and the added cost of one more per note that it continues on."""


@dataclass(frozen=True)
class Sung:
    """A syllable to be placed on a note.

    Attributes:
        phones: with one vowel.
        word: of which it is the first syllable; "-" for a later syllable.
        ends_line: whether a line ends with it.
    """

    phones: str
    word: str
    ends_line: bool = False

    @property
    def vowel(self) -> str:
        """Its vowel."""
        return next(sign for sign in self.phones if sign in VOWELS)


def placed(syllables: Sequence[Sung], slots: Sequence[TuneNote], tempo: float) -> tuple[list[Note], tuple[str, ...]]:
    """Return the notes of syllables, and sentences on divided notes and on vowels that continue on further notes.

    Args:
        syllables: at least one.
        slots: notes and rests; the first one is a note. If there are too few notes, the longest are divided. Surplus
            notes, preferably short ones and those at the ends of lines, continue the vowel before.
        tempo: beats per minute.

    Raises:
        ValueError: there are so many syllables that notes would become shorter than `SHORTEST`.
    """
    remarks = []
    short = len(syllables) - sum(slot.pitch is not None for slot in slots)
    if short > 0:
        slots = _divided(slots, short, tempo)
        remarks.append(say("notes_divided", count=_count(short, "syllable"), them=_them(short)))
    begins = _begins(syllables, slots)
    notes: list[Note] = []
    number = -1
    own = 0
    for slot, begin in zip(slots, begins, strict=True):
        if slot.pitch is None:
            notes.append(Note(None, slot.beats))
        elif begin:
            number += 1
            notes.append(Note(slot.pitch, slot.beats, syllables[number].phones, syllables[number].word, slot.level))
        else:
            own += slot.sung_on
            notes.append(held(syllables[number].vowel, slot, notes[-1].pitch is None))
    surplus = sum(slot.pitch is not None for slot in slots) - len(syllables) - own
    if surplus > 0:
        remarks.append(say("vowels_sung_on", count=_count(surplus, "note"), them=_them(surplus)))
    return notes, tuple(remarks)


def held(vowel: str, slot: TuneNote | Note, after_rest: bool) -> Note:
    """Return a note that continues a vowel; after a rest, the vowel begins anew."""
    if after_rest:
        return Note(slot.pitch, slot.beats, vowel, "-", slot.level)
    return Note(slot.pitch, slot.beats, "~", level=slot.level)


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def _divided(slots: Sequence[TuneNote], more: int, tempo: float) -> list[TuneNote]:
    """Return slots with the longest notes divided, so that there are `more` notes in addition."""
    pieces = [1] * len(slots)
    heap = [(-slot.beats, i) for i, slot in enumerate(slots) if slot.pitch is not None]
    heapq.heapify(heap)
    for _ in range(more):
        _, i = heap[0]
        pieces[i] += 1
        beats = slots[i].beats / pieces[i]
        if beats * 60 / tempo < SHORTEST:
            raise ValueError(say("too_many_syllables", more=more))
        heapq.heapreplace(heap, (-beats, i))
    divided: list[TuneNote] = []
    for slot, count in zip(slots, pieces, strict=True):
        piece = replace(slot, beats=slot.beats / count)
        divided += [piece, *[replace(piece, sung_on=False)] * (count - 1)]
    return divided


def _begins(syllables: Sequence[Sung], slots: Sequence[TuneNote]) -> list[bool]:
    """Return for each slot whether a syllable begins there: the cheapest placement, by dynamic programming."""
    places = [i for i, slot in enumerate(slots) if slot.pitch is not None]
    count = len(syllables)
    beats = np.array([slots[i].beats for i in places])
    rested = np.array([i > 0 and slots[i - 1].pitch is None for i in places])
    slurred = np.array([slots[i].sung_on for i in places])
    same = np.array([False, *(slots[a].pitch == slots[b].pitch for a, b in pairwise(places))])
    weak = np.array(["ˈ" not in syllable.phones for syllable in syllables], float)
    ends = np.array([syllable.ends_line for syllable in syllables], float)
    inside = np.array([syllable.word == "-" for syllable in syllables], float)
    opens = np.array([1.0, *ends[:-1]])
    longer = np.clip(np.log2(beats / beats.min()), 0, 3)
    drawn = np.clip(np.log2(beats / np.median(beats)), 0, 1)
    spread = np.cumsum(np.where(slurred, 0.02, 1.0))
    expected = count * spread / spread[-1]
    numbers = np.arange(1, count + 1)
    # rows: the further notes of the latest vowel; columns: the syllables begun, minus one
    cost = np.full((_RUNS, count), np.inf)
    cost[0, 0] = 0.0
    came = np.zeros((len(places), _RUNS, count), np.int8)
    for i in range(1, len(places)):
        begin = _AGAINST_SLUR * slurred[i] + _WEAK_AND_LONG * drawn[i] * weak * (1 - ends)
        if rested[i]:
            begin = begin + _BROKEN_WORD * inside + _INSIDE_LINE * (1 - inside) * (1 - opens) + _NEW_LINE * opens
        else:
            begin = begin + _LINE_WITHOUT_REST * opens
        hold, run = np.zeros(count), 0.0
        if rested[i] or not slurred[i]:
            hold = _HELD + _HELD_LONG * longer[i] + _HELD_AGAIN * same[i] + _HELD_OVER_REST * rested[i]
            hold, run = hold + _HELD_AT_END * ends + _HELD_WEAK * weak, _RUN
        now = np.full_like(cost, np.inf)
        came[i, 0, 1:] = cost[:, :-1].argmin(0)
        now[0, 1:] = cost[:, :-1].min(0) + begin[1:]
        for row in range(1, _RUNS):
            before = [row - 1, row] if row + 1 == _RUNS else [row - 1]
            came[i, row] = np.array(before)[cost[before].argmin(0)]
            now[row] = cost[before].min(0) + hold + run * (row - 1)
        cost = now + _UNEVEN * (numbers - expected[i]) ** 2
    flags = [False] * len(slots)
    j, row = count - 1, int(cost[:, -1].argmin())
    for i in range(len(places) - 1, -1, -1):
        flags[places[i]] = row == 0
        row, j = int(came[i, row, j]), j - (row == 0)
    return flags
