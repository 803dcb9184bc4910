"""Align scores with frames by rule: the phone, pitch and level of each frame, for both teacher and model.

A vowel begins at its note's onset. Consonants before it shorten the previous note, those after it the end of its own
note, so that the vowels carry the rhythm (Sundberg and Bauer-Huppmann 2007, "When does a sung tone start?", J. Voice
21.3).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from regrow.worlds.songbook.phones import PHONES, VOWELS, length, split_phones
from regrow.worlds.songbook.score import Note, Score

FRAME = 0.0125
"""Duration of a frame in seconds."""
UNIT = 2
"""Frames per unit; lengths of phones are whole units."""
LEAD = 16
"""Units of silence before the first note and after the last one."""
VOWEL_SHARE = 0.45
"""Least fraction of a note for its vowel; consonants are shortened to fit."""
VIBRATO_RATE, VIBRATO_AFTER, VIBRATO_GROWS = 5.6, 0.3, 0.25
"""Vibrato: rate in Hz, delay until it begins, and time until it reaches its depth, in seconds."""


@dataclass(frozen=True)
class Segment:
    """A phone from unit `start` up to, but not including, `end`, with its note's number; None for silence."""

    phone: str
    start: int
    end: int
    note: int | None
    stressed: bool = False


@dataclass(frozen=True)
class Alignment:
    """The phone, pitch and level of each frame of a score.

    Attributes:
        segments: phones without gaps, "" for silence.
        onsets: for each syllable, by the number of its first note: the units at which its vowel begins and its last
            note ends.
        units: total number of units.
        pitch: MIDI number of each frame, also where nothing is voiced, float32.
        level: dB of each frame, float32.
    """

    segments: tuple[Segment, ...]
    onsets: dict[int, tuple[int, int]]
    units: int
    pitch: np.ndarray
    level: np.ndarray

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.units * UNIT

    def phones(self) -> np.ndarray:
        """Return for each frame the index of its phone, the frames since it began, and those until it ends."""
        rows = np.zeros((self.frames, 3), np.int64)
        for segment in self.segments:
            begin, end = segment.start * UNIT, segment.end * UNIT
            rows[begin:end, 0] = PHONES.index(segment.phone)
            rows[begin:end, 1] = np.arange(end - begin)
            rows[begin:end, 2] = np.arange(end - begin, 0, -1)
        return rows


def note_times(score: Score) -> list[tuple[int, int]]:
    """Return the units at which each note begins and ends."""
    beat, at, times = 60 / score.tempo / (FRAME * UNIT), 0.0, []
    for note in score.notes:
        begin, at = at, at + note.beats * beat
        times.append((LEAD + round(begin), LEAD + round(at)))
    return times


@lru_cache(maxsize=1024)
def align(score: Score) -> Alignment:
    """Return a score as frames; the same object for the same score."""
    times = note_times(score)
    units = (times[-1][1] if times else LEAD) + LEAD
    groups = _groups(score, times)
    segments: list[Segment] = []
    at = 0
    for i, (first, last) in enumerate(groups):
        onset, vowel, coda, stressed = _parts(score.notes[first])
        begin, end = times[first][0], times[last][1]
        # consonants before the vowel may use the rest, or the previous note
        room = begin - at if not i else begin - max(at, segments[-1].start + 1)
        lengths = _fitted([length(phone) for phone in onset], room)
        start = begin - sum(lengths)
        if i and start < at:  # the previous vowel is shortened
            segments, at = _cut(segments, start), start
        if start > at:
            segments.append(Segment("", at, start, None))
        at = start
        for phone, span in zip(onset, lengths, strict=True):
            segments.append(Segment(phone, at, at + span, first, stressed))
            at += span
        tied = i + 1 < len(groups) and times[groups[i + 1][0]][0] == end
        following = _wanted_onset(score.notes[groups[i + 1][0]], end - begin) if tied else 0
        codas = _fitted([length(phone) for phone in coda], int((1 - VOWEL_SHARE) * (end - begin)) - following // 2)
        vowel_end = max(at + 1, end - following - sum(codas))
        segments.append(Segment(vowel, at, vowel_end, first, stressed))
        at = vowel_end
        for phone, span in zip(coda, codas, strict=True):
            segments.append(Segment(phone, at, at + span, first, stressed))
            at += span
    if at < units:
        segments.append(Segment("", at, units, None))
    kept = tuple(segment for segment in segments if segment.end > segment.start)
    onsets = {first: (times[first][0], times[last][1]) for first, last in groups}
    pitch = _pitch(score, times, units)
    return Alignment(kept, onsets, units, pitch, _level(score, times, units))


def _groups(score: Score, times: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the numbers of the first and the last note of each syllable."""
    groups: list[tuple[int, int]] = []
    for i, note in enumerate(score.notes):
        if note.pitch is None or times[i][1] <= times[i][0]:
            continue
        if note.sung_on and groups and groups[-1][1] == i - 1:
            groups[-1] = (groups[-1][0], i)
        elif not note.sung_on:
            groups.append((i, i))
    return groups


def _parts(note: Note) -> tuple[tuple[str, ...], str, tuple[str, ...], bool]:
    """Return consonants before the vowel, the vowel, consonants after it, and whether the syllable is stressed."""
    phones = split_phones(note.phones)
    at = next(i for i, phone in enumerate(phones) if phone in VOWELS)
    return phones[:at], phones[at], phones[at + 1 :], "ˈ" in note.phones


def _wanted_onset(note: Note, room: int) -> int:
    onset = _parts(note)[0]
    return sum(_fitted([length(phone) for phone in onset], int((1 - VOWEL_SHARE) * room)))


def _fitted(lengths: list[int], room: int) -> list[int]:
    """Shorten lengths evenly to a total of `room`, but each to no less than 1."""
    whole = sum(lengths)
    if whole <= room or not lengths:
        return lengths
    return [max(1, int(span * max(room, 0) / whole)) for span in lengths]


def _cut(segments: list[Segment], end: int) -> list[Segment]:
    """Cut segments off at a unit."""
    kept = list(segments)
    while kept and kept[-1].start >= end:
        kept.pop()
    if kept:
        last = kept[-1]
        kept[-1] = Segment(last.phone, last.start, end, last.note, last.stressed)
    return kept


def _pitch(score: Score, times: list[tuple[int, int]], units: int) -> np.ndarray:
    frames = units * UNIT
    sung = [i for i, note in enumerate(score.notes) if note.pitch is not None]
    if not sung:
        return np.full(frames, 60.0, np.float32)
    pitch = np.zeros(frames)
    seconds = np.arange(frames) * FRAME
    for place, i in enumerate(sung):
        begin = times[i][0] * UNIT if place else 0
        end = times[sung[place + 1]][0] * UNIT if place + 1 < len(sung) else frames
        pitch[begin:end] = score.notes[i].pitch
    steps = np.round(score.glide / FRAME).astype(int)
    if steps > 1:  # the glide ends when the note, and its vowel, begins
        window = np.hanning(steps + 2)[1:-1]
        early = np.concatenate([pitch[steps // 2 :], np.full(steps // 2, pitch[-1])])
        padded = np.pad(early, (steps // 2, steps - 1 - steps // 2), mode="edge")
        pitch = np.convolve(padded, window / window.sum(), mode="valid")
    for i in sung:
        begin, end = times[i][0] * UNIT, times[i][1] * UNIT
        if (end - begin) * FRAME >= VIBRATO_AFTER + VIBRATO_GROWS:
            t = seconds[begin:end] - seconds[begin] - VIBRATO_AFTER
            depth = np.clip(t / VIBRATO_GROWS, 0, 1) * np.clip((seconds[end - 1] - seconds[begin:end]) / 0.1, 0, 1)
            pitch[begin:end] += score.vibrato / 100 * depth * np.sin(2 * np.pi * VIBRATO_RATE * t.clip(0))
    return pitch.astype(np.float32)


def _level(score: Score, times: list[tuple[int, int]], units: int) -> np.ndarray:
    level = np.zeros(units * UNIT, np.float32)
    for note, (begin, end) in zip(score.notes, times, strict=True):
        if note.pitch is not None:
            level[begin * UNIT - (8 if begin * UNIT >= 8 else 0) : end * UNIT] = note.level
    kernel = np.hanning(14)[1:-1]
    return np.convolve(np.pad(level, 6, mode="edge"), kernel / kernel.sum(), mode="valid")[: len(level)].astype(
        np.float32
    )
