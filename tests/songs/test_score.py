"""Scores: read, written and refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrow.worlds.songbook.phones import VOWELS, split_phones, syllables
from regrow.worlds.songbook.score import Note, Score, pitch_name, pitch_number, read_score
from regrow.worlds.songbook.songs import rhymes, song, words

TWINKLE = """# singer: heart
# tempo: 100
C4 1 twˈɪŋ twinkle
C4 1 kᵊl -
G4 1 lˈɪ little
G4 1 Tᵊl - @-6
R 0.5
A4 1 stˈɑɹ star
B4 1 ~"""


def test_score_is_its_text() -> None:
    score = read_score(TWINKLE)
    assert score.text == TWINKLE
    assert score.words == ("twinkle", "little", "star")
    assert [note.pitch for note in score.notes] == [60, 60, 67, 67, None, 69, 71]
    assert score.notes[3].level == -6


@given(st.integers(0, 10**6))
def test_any_song_is_its_text(seed: int) -> None:
    score = song(seed)
    assert read_score(score.text) == score
    assert all(note.word != "-" or before.phones for before, note in zip(score.notes, score.notes[1:], strict=False))


@given(st.integers(3600, 8400))
def test_pitch_names(cents: int) -> None:
    assert pitch_number(pitch_name(cents / 100)) == pytest.approx(cents / 100)


@pytest.mark.parametrize(
    ("name", "number"), [("C4", 60), ("A4", 69), ("Bb3", 58), ("b♭3", 58), ("F#4", 66), ("C5", 72), ("A4+50c", 69.5)]
)
def test_pitches(name: str, number: float) -> None:
    assert pitch_number(name) == number


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("H4 1 lˈɪ lit", "H4 is not a pitch"),
        ("C9 1 lˈɪ lit", "out of range"),
        ("C4 x lˈɪ lit", "beats must be a number"),
        ("C4 0 lˈɪ lit", "beats must be from"),
        ("C4 nan lˈɪ lit", "beats must be a number"),
        ("C4 1 lˈɪlɪ lit", "exactly one vowel"),
        ("C4 1 ltk lit", "exactly one vowel"),
        ("C4 1 lˈXɪ lit", '"X" in'),
        ("C4 1", "a note needs"),
        ("C4 1 ~", "there is no vowel before it to hold"),
        ("C4 1 lˈɪ lit @99", "a level must be"),
    ],
)
def test_odd_lines_are_refused(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"line 3 of the score") as refusal:
        read_score(f"# singer: heart\n# tempo: 100\n{line}")
    assert words in str(refusal.value)


@pytest.mark.parametrize("tempo", ["0", "1000", "fast", "inf"])
def test_odd_tempos_are_refused(tempo: str) -> None:
    with pytest.raises(ValueError, match="tempo must be"):
        read_score(f"# singer: heart\n# tempo: {tempo}\nC4 1 lˈɪ lit")


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("twˈɪŋkᵊl", ("twˈɪŋ", "kᵊl")),
        ("lˈɪTᵊl", ("lˈɪ", "Tᵊl")),
        ("ɛkspˈɛnsɪv", ("ɛk", "spˈɛn", "sɪv")),
        ("bjˈuTəfəl", ("bjˈu", "Tə", "fəl")),
        ("ˈænd", ("ˈænd",)),
        ("ɹˈiˌɛl", ("ɹˈi", "ˌɛl")),
        ("ɡɹˈAt", ("ɡɹˈAt",)),
    ],
)
def test_syllables(word: str, parts: tuple[str, ...]) -> None:
    assert syllables(word) == parts


def test_every_word_can_be_sung() -> None:
    every = [*words(), *(word for line in rhymes() for word in line)]
    assert len(words()) == 5000
    for _, phones in every:
        parts = syllables(phones)
        assert "".join(parts) == phones
        assert all(sum(phone in VOWELS for phone in split_phones(part)) == 1 for part in parts)


def test_rests_and_levels_are_written() -> None:
    score = Score((Note(None, 2), Note(60.5, 0.25, "lˈɪ", "lit", -3)), 90, "low", 0, 0.1)
    assert score.text == "# singer: low\n# tempo: 90\n# vibrato: 0\n# glide: 0.1\nR 2\nC4+50c 0.25 lˈɪ lit @-3"
