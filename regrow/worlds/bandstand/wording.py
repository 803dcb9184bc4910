"""English captions of a phrase, from the plainest to the most detailed, and the choice of one in any language."""

from itertools import product
from random import Random
from typing import Literal, get_args

from regrow.messages.message import say
from regrow.worlds.bandstand.phrase import (
    INSTRUMENTS,
    INSTRUMENTS_OF,
    KITS,
    PATTERNS,
    REGISTERS,
    REGISTERS_OF,
    SCALES,
    SCALES_OF,
    TEMPOS,
    Phrase,
)
from regrow.worlds.bandstand.wording_zh import captions_zh

Language = Literal["en", "zh"]

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "instrument": INSTRUMENTS,
    "pattern": PATTERNS,
    "tempo": tuple(TEMPOS),
    "register": tuple(REGISTERS),
    "scale": tuple(SCALES),
}
"""Attributes of a phrase that captions describe, and their values; the pattern decides which go together."""

MOOD_WORDS = {"major": "happy", "minor": "sad", "pentatonic": "pentatonic"}
SCALE_WORDS = {"major": "in a major key", "minor": "in a minor key", "pentatonic": "on a pentatonic scale"}
TEMPO_WORDS = {"slow": "slow", "medium": "mid-tempo", "fast": "fast"}


def captions(phrase: Phrase, language: Language = "en") -> tuple[str, ...]:
    """Return captions of a phrase without repetitions, the plainest first: "a slow sad piano melody".

    All of them name the instrument and the pattern.

    Raises:
        ValueError: there are no sentences in that language.
    """
    if language not in get_args(Language):
        raise ValueError(say("language_not_known", language=language, known=", ".join(map(repr, get_args(Language)))))
    return captions_zh(phrase) if language == "zh" else _captions_en(phrase)


def _captions_en(phrase: Phrase) -> tuple[str, ...]:
    instrument, pattern, tempo = phrase.instrument, phrase.pattern, TEMPO_WORDS[phrase.tempo]
    player = _with_article(instrument)
    on = f"by {player}" if instrument == "choir" else f"on {player}"
    playing = f"{player} {'singing' if instrument == 'choir' else 'playing'}"
    if instrument in KITS:
        found = [
            f"{tempo} {instrument} beat",
            f"{instrument} beat",
            f"beat {on}",
            f"{tempo} beat {on}",
        ]
        sentences = [_with_article(words) for words in found]
        return (*sentences, f"{playing} {_with_article(f'{tempo} beat')}")
    mood, scale = MOOD_WORDS[phrase.scale], SCALE_WORDS[phrase.scale]
    where = "" if pattern == "bass line" else f"in the {phrase.register} register"  # a bass line is low by definition
    found = [
        f"{tempo} {mood} {instrument} {pattern}",
        f"{instrument} {pattern}",
        f"{mood} {pattern} {on}",
        f"{tempo} {mood} {pattern} {on}",
        f"{tempo} {instrument} {pattern} {scale}",
        f"{mood} {instrument} {pattern} {where}",
        f"{tempo} {instrument} {pattern} {where}",
        f"{tempo} {pattern} {on} {where}",
        f"{tempo} {mood} {instrument} {pattern} {where}",
        f"{tempo} {mood} {pattern} {on} {where}",
    ]
    sentences = [_with_article(words.strip(), pattern) for words in found]
    for words in (f"{mood} {pattern}", f"{tempo} {mood} {pattern} {where}"):
        sentences.append(f"{playing} {_with_article(words.strip(), pattern)}")
    return tuple(dict.fromkeys(sentences))


def _with_article(words: str, pattern: str = "") -> str:
    """Add an article to words; "chords" are plural and take none."""
    if pattern == "chords":
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def caption(phrase: Phrase, seed: int, language: Language = "en") -> str:
    """Return one of the captions, chosen by `seed`: the plainest for 40 % of the seeds, else any other.

    Raises:
        ValueError: there are no sentences in that language.
    """
    found = captions(phrase, language)
    random = Random(f"caption {seed}")
    return found[0] if random.random() < 0.4 else random.choice(found[1:])


def _covering() -> list[Phrase]:
    """Return phrases whose captions contain every word of every caption."""
    phrases = []
    for pattern in PATTERNS:
        fields = (INSTRUMENTS_OF[pattern], SCALES_OF[pattern], TEMPOS, REGISTERS_OF[pattern])
        for instrument, scale, tempo, register in product(*fields):
            phrases.append(Phrase(instrument, pattern, scale, tempo, register))
    return phrases


VOCABULARY = tuple(sorted({word for phrase in _covering() for text in captions(phrase) for word in text.split()}))
"""Every word that an English caption can contain, sorted."""
CHARACTERS = tuple(sorted({character for phrase in _covering() for text in captions_zh(phrase) for character in text}))
"""Every character that a Chinese caption can contain, sorted, with the full-width comma."""
