"""Lyrics become words with phones, or a sentence that says what to write."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.prompts.songs.lyrics import SungWord, sung_words
from regrow.worlds.songbook.phones import VOWELS, split_phones, syllables
from regrow.worlds.songbook.score import Note, Score, read_score
from regrow.worlds.songbook.songs import rhymes


def texts(lyrics: str) -> list[str]:
    return [word.text for word in sung_words(lyrics)]


def phones(lyrics: str) -> list[str]:
    return [word.phones for word in sung_words(lyrics)]


def test_the_is_read_by_the_word_behind_it() -> None:
    assert phones("the apple and the tree") == ["ði", "ˈæpᵊl", "ænd", "ðə", "tɹˈi"]
    assert phones("the apple/ˈæpᵊl")[0] == "ði"


def test_lines_end_where_they_end() -> None:
    words = sung_words("[verse]\nHow I wonder,\n\nwhat [loud] you are!\n[chorus]")
    assert [word.text for word in words] == ["How", "I", "wonder", "what", "you", "are"]
    assert [word.text for word in words if word.ends_line] == ["wonder", "are"]


@pytest.mark.parametrize(
    ("lyrics", "words"),
    [
        ("24 hours", ["twenty", "four", "hours"]),
        ("the 3rd of May 1999", ["the", "third", "of", "May", "nineteen", "ninety", "nine"]),
        ("O'Brien don't", ["O'Brien", "don't"]),
        ("well-known and/or", ["well-known", "and", "or"]),
        ("me & you", ["me", "and", "you"]),
        ("(oh) “baby”…", ["oh", "baby"]),
        ("twinkle,twinkle", ["twinkle", "twinkle"]),
        ("I \N{GRINNING FACE} you \N{EIGHTH NOTE}", ["I", "you"]),
        ("café naïve", ["café", "naïve"]),
        ("<b>hi</b>", ["b", "hi", "b"]),
    ],
)
def test_words_are_those_written(lyrics: str, words: list[str]) -> None:
    assert texts(lyrics) == words


def test_phones_are_given_by_hand_in_either_alphabet() -> None:
    assert sung_words("tomato/təmˈɑTO") == (SungWord("tomato", "təmˈɑTO", True),)
    assert phones("tomato/təmˈAToʊ, day/dˈeɪ me/mi/") == ["təmˈATO", "dˈA", "mi"]


def test_an_n_that_is_a_syllable_has_its_vowel() -> None:
    assert [len(syllables(word)) for word in phones("button frightened didn't")] == [2, 2, 2]
    assert len(syllables(phones("loooove")[0])) == 1


@pytest.mark.parametrize(
    ("lyrics", "part"),
    [
        ("", "no words"),
        ("[verse]\n...", "no words"),
        ("la hmm", '"hmm" has no vowel'),
        ("shh", '"shh" has no vowel'),
        ("brr", "has no vowel"),
        ("你好 world", '" is not in Latin letters'),
        ("Привет", '" is not in Latin letters'),
        ("cat/kät", '"ä" in "cat/kät" is not a phone'),
        ("cat/kˈt", "has no vowel"),
        ("9" * 40, '…" is too long to sing: write it in words'),
        ("9" * 5000, '…" is too long to sing: write it in words'),
        (
            "how-I(won" * 100,
            "has 900 letters without a space, of which a word may have 300: put spaces between the words",
        ),
        ("la " * 8000, "Lyrics may have 20,000 letters at most"),
    ],
)
def test_what_cannot_be_sung_is_said_in_a_sentence(lyrics: str, part: str) -> None:
    with pytest.raises(ValueError, match=re.escape(part)) as problem:
        sung_words(lyrics)
    message = str(problem.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 320


def test_words_of_rhymes_are_read_as_they_stand_in_the_songbook() -> None:
    lines = rhymes()[:60]
    read = [sung_words(" ".join(word for word, _ in line)) for line in lines]
    counts = [
        len(syllables(word.phones)) == len(syllables(known))
        for line, words in zip(lines, read, strict=True)
        for (_, known), word in zip(line, words, strict=True)
    ]
    assert sum(counts) > 0.97 * len(counts)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="abcdefghi '-/.,:0123456789$%&@#[]()~^°²½éß", max_size=40))
def test_any_text_is_words_of_a_score_or_a_sentence(lyrics: str) -> None:
    try:
        words = sung_words(lyrics)
    except ValueError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        return
    assert words[-1].ends_line
    notes = []
    for word in words:
        split_phones(word.phones)
        pieces = syllables(word.phones)
        assert all(sum(sign in VOWELS for sign in piece) == 1 for piece in pieces)
        notes += [Note(60.0, 1.0, piece, "-" if i else word.text) for i, piece in enumerate(pieces)]
    score = Score(tuple(notes))
    assert read_score(score.text) == score


def test_the_front_end_is_loaded_when_words_are_read() -> None:
    code = "import sys, regrow.prompts.songs.setting; print('hibari' in sys.modules, 'music21' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]
