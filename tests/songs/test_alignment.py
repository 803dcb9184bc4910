"""Scores as frames: vowels on their notes, nothing lost, nothing doubled."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT, align, note_times
from regrow.worlds.songbook.phones import PHONES, VOWELS, split_phones
from regrow.worlds.songbook.score import Note, Score
from regrow.worlds.songbook.songs import other_words, song


@given(st.integers(0, 10**6))
def test_vowels_begin_on_their_notes(seed: int) -> None:
    score = song(seed)
    aligned = align(score)
    assert aligned.segments[0].start == 0
    assert aligned.segments[-1].end == aligned.units
    assert all(one.end == other.start for one, other in itertools.pairwise(aligned.segments))
    for number, (begin, _) in aligned.onsets.items():
        phones = [segment for segment in aligned.segments if segment.note == number]
        assert [segment.phone for segment in phones] == list(split_phones(score.notes[number].phones))
        [vowel] = [segment for segment in phones if segment.phone in VOWELS]
        assert vowel.start == begin


def test_times_follow_from_beats_and_tempo() -> None:
    score = Score((Note(60, 1, "lA", "lay"), Note(62, 0.5, "lA", "lay"), Note(None, 1), Note(64, 2, "lA", "lay")), 120)
    beat = 0.5 / (FRAME * UNIT)
    assert note_times(score) == [(LEAD + round(a * beat), LEAD + round(b * beat)) for a, b in
                                 [(0, 1), (1, 1.5), (1.5, 2.5), (2.5, 4.5)]]  # fmt: skip
    assert align(score).units == LEAD + round(4.5 * beat) + LEAD


def test_pitch_is_the_note_where_it_is_held() -> None:
    score = Score((Note(60, 2, "lA", "lay"), Note(67, 2, "lA", "lay")), 120, vibrato=0)
    aligned = align(score)
    for number, (begin, end) in aligned.onsets.items():
        held = aligned.pitch[begin * UNIT : end * UNIT - 8]
        assert np.abs(held - score.notes[number].pitch).max() < 0.01
    assert np.diff(aligned.pitch).max() < 7  # it glides


def test_vibrato_is_of_its_depth_and_rate() -> None:
    plain, waved = (align(Score((Note(60, 8, "lA", "lay"),), 120, vibrato=depth)) for depth in (0, 30))
    swing = (waved.pitch - plain.pitch)[100:300]
    assert np.abs(swing).max() == pytest.approx(0.30, abs=0.01)
    crossings = np.flatnonzero(np.diff((swing > 1e-6).astype(int)) > 0)
    assert 1 / (np.diff(crossings).mean() * FRAME) == pytest.approx(5.6, rel=0.03)


def test_a_vowel_that_is_sung_on_is_one_vowel() -> None:
    score = Score((Note(60, 1, "lAk", "lake"), Note(64, 1, "~")), 120)
    segments = align(score).segments
    assert [segment.phone for segment in segments] == ["", "l", "A", "k", ""]
    assert segments[2].end - segments[2].start > 30


@given(st.integers(0, 10**5))
def test_other_words_keep_the_tune(seed: int) -> None:
    import random

    score = song(seed)
    assume(score.words)  # few songs have a first word that is too long for them
    changed, numbers = other_words(score, random.Random(seed))
    assert len(numbers) == 1
    assert [(note.pitch, note.beats, note.level) for note in changed.notes] == [
        (note.pitch, note.beats, note.level) for note in score.notes
    ]
    assert sum(one != other for one, other in zip(score.words, changed.words, strict=True)) == 1
    assert np.array_equal(align(score).pitch, align(changed).pitch)


def test_levels_are_in_the_frames() -> None:
    aligned = align(Score((Note(60, 4, "lA", "lay"), Note(60, 4, "lA", "lay", level=-9)), 120))
    assert aligned.level[100] == 0
    assert aligned.level[300] == pytest.approx(-9)


def test_rows_name_phone_and_place() -> None:
    aligned = align(Score((Note(60, 2, "lA", "lay"),), 120))
    rows = aligned.phones()
    vowel = rows[:, 0] == PHONES.index("A")
    count = int(vowel.sum())
    assert list(rows[vowel][:, 1]) == list(range(count))
    assert list(rows[vowel][:, 2]) == list(range(count, 0, -1))
