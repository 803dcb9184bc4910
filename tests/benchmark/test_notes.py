"""Notes are found where a score has them and nowhere else, whatever the level."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.benchmark.notes import FoundNote, Kept, kept, transcribe
from regrow.media.audio.piano_roll import WITHIN, matches
from regrow.worlds.bandstand.playing import RATE, Note, Phrase, notes, play

NOTES = st.builds(FoundNote, st.sampled_from([60, 61]), st.integers(0, 30).map(lambda n: n / 100))


@settings(max_examples=200, deadline=None)
@given(st.lists(NOTES, max_size=5), st.lists(NOTES, max_size=5))
def test_the_number_of_pairs_is_the_greatest_there_is(found, expected):
    score = [Note(note.onset, 0.1, note.pitch, 90) for note in expected]
    short, long = sorted((found, expected), key=len)

    def fits(one: FoundNote, other: FoundNote) -> bool:
        return one.pitch == other.pitch and abs(one.onset - other.onset) <= WITHIN + 1e-9

    every = (sum(map(fits, short, order)) for order in permutations(long, len(short)))
    assert matches(found, score) == max(every)


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    assert Kept(detected=8, expected=4, matched=3).f1 == pytest.approx(2 / (1 / (3 / 8) + 1 / (3 / 4)))
    assert Kept(detected=0, expected=4, matched=0).f1 == 0


@pytest.mark.parametrize(
    ("instrument", "pattern", "register"),
    [("piano", "melody", "middle"), ("violin", "arpeggio", "high"), ("drum kit", "beat", "none")],
)
def test_played_notes_are_found_and_others_are_not(instrument, pattern, register):
    scale = "none" if pattern == "beat" else "minor"
    phrases = [Phrase(instrument, pattern, scale, "medium", register, tune=tune) for tune in (11, 12)]
    first, second = (play(phrase) for phrase in phrases)
    assert kept(second.wave, second.notes, instrument).f1 >= 0.9
    found = transcribe(first.wave, instrument)

    def f1(score: tuple[Note, ...]) -> float:
        return Kept(len(found), len(score), matches(found, score)).f1

    assert f1(first.notes) >= 0.9
    assert f1(tuple(replace(note, onset=note.onset + 0.08) for note in first.notes)) < 0.4
    if pattern != "beat":
        assert f1(second.notes) < 0.4
        assert f1(tuple(replace(note, pitch=note.pitch + 1) for note in first.notes)) < 0.4

    quiet = first.wave * np.float32(0.03) * (np.arange(first.wave.shape[1]) < 3 * RATE)
    early = [note for note in first.notes if note.onset < 3.0]
    assert kept(quiet, early, instrument).f1 >= 0.9


def test_silence_has_no_notes():
    silence = np.zeros((1, RATE), dtype=np.float32)
    assert transcribe(silence, "piano") == []
    assert kept(silence, notes(Phrase()), "piano").f1 == 0


def test_what_has_no_notes_to_find_is_refused():
    wave = np.zeros((1, RATE), dtype=np.float32)
    with pytest.raises(ValueError, match=r"^instrument is 'kazoo', but must be one of .*\.$"):
        transcribe(wave, "kazoo")
    with pytest.raises(ValueError, match=r"of shape 1 n, of 100 ms or more at 22050 Hz; got \(22050,\)"):
        transcribe(wave[0], "piano")
    with pytest.raises(ValueError, match=r"got \(1, 100\)"):
        transcribe(wave[:, :100], "piano")
    with pytest.raises(ValueError, match="finite samples"):
        transcribe(wave + np.float32("nan"), "piano")
    with pytest.raises(ValueError, match="no notes in the score"):
        kept(wave, (), "piano")
