"""What the captions of the bandstand say is true, in both languages, and nothing is left unsaid."""

from itertools import pairwise, product

import pytest

from regrow.worlds.bandstand import wording as en
from regrow.worlds.bandstand import wording_zh as zh
from regrow.worlds.bandstand.playing import (
    CHARACTERS,
    INSTRUMENTS_OF,
    PATTERNS,
    REGISTERS,
    REGISTERS_OF,
    SCALES_OF,
    TEMPOS,
    VOCABULARY,
    Phrase,
    caption,
    captions,
)

EVERY = [
    Phrase(instrument, pattern, scale, tempo, register)
    for pattern in PATTERNS
    for instrument, scale, tempo, register in product(
        INSTRUMENTS_OF[pattern], SCALES_OF[pattern], TEMPOS, REGISTERS_OF[pattern]
    )
]
NAMES = {
    "en": {
        "instrument": {name: (name,) for pattern in PATTERNS for name in INSTRUMENTS_OF[pattern]},
        "pattern": {name: (name,) for name in PATTERNS},
        "tempo": {name: (word,) for name, word in en.TEMPO_WORDS.items()},
        "scale": {name: (en.MOOD_WORDS[name], en.SCALE_WORDS[name]) for name in en.MOOD_WORDS},
        "register": {name: (f"{name} register",) for name in REGISTERS if name != "none"},
    },
    "zh": {
        "instrument": {name: (word,) for name, word in zh.INSTRUMENT_WORDS.items()},
        "pattern": {name: (word,) for name, word in zh.PATTERN_WORDS.items()},
        "tempo": {name: (word,) for name, word in zh.TEMPO_WORDS.items()},
        "scale": {name: (zh.MOOD_WORDS[name], zh.SCALE_WORDS[name]) for name in zh.MOOD_WORDS},
        "register": {name: (word,) for name, word in zh.REGISTER_WORDS.items()},
    },
}
"""How each value is said."""


def told(text: str, language: str) -> dict[str, set[str]]:
    """The values of each field that a caption names; the longer name counts where one is within another."""
    found = {}
    for field, names in NAMES[language].items():
        words = {word: value for value, allowed in names.items() for word in allowed}
        rest, found[field] = text, set()
        for word in sorted(words, key=len, reverse=True):
            if word in rest:
                found[field].add(words[word])
                rest = rest.replace(word, "·")
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_captions_say_what_is_played_and_nothing_else(language):
    for phrase in EVERY:
        texts = captions(phrase, language)
        assert len(texts) == len(set(texts)) >= 4
        said = [told(text, language) for text in texts]
        for found in said:
            assert found["instrument"] == {phrase.instrument}
            assert found["pattern"] == {phrase.pattern}
            for field in ("tempo", "scale", "register"):
                assert found[field] <= {getattr(phrase, field)}, (field, texts)
        plainest = ("tempo",) if phrase.pattern == "beat" else ("tempo", "scale")
        for field in plainest:
            assert said[0][field] == {getattr(phrase, field)}
        all_fields = [*plainest, *([] if phrase.pattern in ("beat", "bass line") else ["register"])]
        assert any(all(found[field] for field in all_fields) for found in said)


def test_captions_of_different_phrases_differ():
    for language in ("en", "zh"):
        fullest = {
            max(captions(phrase, language), key=lambda text: sum(map(bool, told(text, language).values())))
            for phrase in EVERY
        }
        assert len(fullest) == len(EVERY)


def test_the_vocabulary_is_exactly_what_captions_are_made_of():
    assert {word for phrase in EVERY for text in captions(phrase) for word in text.split()} == set(VOCABULARY)
    assert {sign for phrase in EVERY for text in captions(phrase, "zh") for sign in text} == set(CHARACTERS)


def test_english_articles_fit():
    for phrase in EVERY:
        for text in captions(phrase):
            words = text.split()
            assert words[0] in {"a", "an"} or phrase.pattern == "chords"
            for article, word in pairwise(words):
                if article in {"a", "an"}:
                    assert (article == "an") == (word[0] in "aeiou"), text
    assert captions(Phrase("organ", "chords", "minor", "slow"))[0] == "slow sad organ chords"
    assert captions(Phrase("choir"))[2] == "a happy melody by a choir"
    assert captions(Phrase("choir"), "zh")[0] == "中速欢乐的合唱团旋律"


def test_the_choice_of_a_caption_depends_on_its_seed_alone():
    phrase = Phrase("sitar", "arpeggio", "pentatonic", "fast", "high")
    for language in ("en", "zh"):
        chosen = [caption(phrase, seed, language) for seed in range(1000)]
        assert chosen == [caption(phrase, seed, language) for seed in range(1000)]
        assert set(chosen) == set(captions(phrase, language))
        assert abs(chosen.count(captions(phrase, language)[0]) / 1000 - 0.4) < 0.06
    with pytest.raises(ValueError, match=r"^language is 'fr', but must be one of 'en', 'zh'\.$"):
        captions(phrase, "fr")  # pyright: ignore[reportArgumentType]
