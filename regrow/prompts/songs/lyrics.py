"""Convert lyrics to words with phones, by hibari's text front end (misaki's American English)."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from regrow.messages.message import say
from regrow.requests.ranges import MOST_WORDS
from regrow.worlds.songbook.phones import PHONES, STRESSES, VOWELS

_TAG = re.compile(r"\[[^\[\]\n]{0,60}\]")
_BY_HAND = re.compile(r"(?P<word>[^/\s]*[^\W_][^/\s]*)/(?P<phones>[^/\s]+?)(?P<closed>/?)[.,;:!?…\"”')]*")
_EDGES = " \t_-–—~@'\"“”‘’`.,;:!?…()[]{}<>*#/\\|+=^&%$"
_PAUSES = ".,;:!?…-–—"
_LONGEST_NUMBER = 15
"""Most digits of a number that the front end can name."""
_IPA = (
    *(("oʊ", "O"), ("əʊ", "O"), ("aʊ", "W"), ("aɪ", "I"), ("eɪ", "A"), ("ɔɪ", "Y"), ("dʒ", "ʤ"), ("tʃ", "ʧ")),
    *(("ɝ", "ɜɹ"), ("ɚ", "əɹ"), ("g", "ɡ"), ("r", "ɹ"), ("ɾ", "T"), ("e", "ɛ"), ("o", "O"), ("a", "ɑ"), ("ː", "")),
    *((".", ""), ("'", "ˈ"), ("’", "ˈ")),
)
"""Dictionary spellings of English phones, each with misaki's sign for it."""
_UNKNOWN_WORDS = str.maketrans({"ɾ": "T", "ʔ": "t", "a": "æ", "y": "u", "ʀ": "ɹ"})
"""Signs that the front end uses only in unknown words, with the phones for them; any other non-phone is dropped."""
_SYLLABIC = re.compile(r"(?<=[pbtdkɡfvszʃʒθðʧʤT])(?=[nml](?:$|[pbtdkɡfvszʃʒθðʧʤh]))")
"""Where an n, m or l is a syllable, as in button; the vowel that songbook words have there is inserted."""
_NO_ABBREVIATIONS = ("th", "sh", "br", "zz", "pf", "ss", "gr", "ff")
_LONGEST_WORD = 300
"""Most letters without a space; the front end's time grows with the square of a word's parts: 8 s for 3,600 letters."""
_SIGNS = {"&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals"}
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion "
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth twentieth thirtieth "
    "fortieth fiftieth hundredth thousandth oh point minus and dollar dollars cent cents pound pounds pence euro "
    "euros percent"
)
"""Words in which numbers and prices are read."""


@dataclass(frozen=True)
class SungWord:
    """A word that is sung.

    Attributes:
        text: as written, without punctuation.
        phones: signs of `phones.PHONES`, with stress marks; at least one vowel.
        ends_line: whether a line of the lyrics ends with it.
    """

    text: str
    phones: str
    ends_line: bool = False


def sung_words(text: str) -> tuple[SungWord, ...]:
    """Return the words of lyrics with their phones.

    A whole line is read at once, as the sound of "the" depends on the next word. Numbers become words. Tags such as
    [verse] are left out. Phones can be given by hand as in tomato/təmˈATO, in misaki's alphabet or the IPA.

    Args:
        text: lyrics, line by line.

    Raises:
        ValueError: there are no words or too many letters, a word is not in Latin script or has no vowel, or phones
            given by hand are invalid.
    """
    if len(text) > MOST_WORDS:
        raise ValueError(say("lyrics_too_long", most_words=MOST_WORDS, count=len(text)))
    words: list[SungWord] = []
    for line in text.splitlines():
        of_line = _words_of(_TAG.sub(" ", line))
        words += of_line[:-1] + [SungWord(word.text, word.phones, True) for word in of_line[-1:]]
    if not words:
        raise ValueError(say("no_words_to_sing"))
    return tuple(words)


def _words_of(line: str) -> list[SungWord]:
    """Return the words of one line."""
    plain, pieces, by_hand = [], [], 0
    for chunk in line.split():
        match = _BY_HAND.fullmatch(chunk)
        if match and (match["closed"] or not match["phones"].isascii()):
            pieces.append(_normal(" ".join(plain)))
            word = _cleaned(match["word"]).replace("]", "") or "la"
            pieces.append(f"[{word}](/{_phones_by_hand(chunk, match['phones'])}/)")
            plain, by_hand = [], by_hand + 1
        else:
            plain += _readable(chunk).split()
    pieces.append(_normal(" ".join(plain)))
    sentence = " ".join(piece for piece in pieces if piece)
    if not sentence:
        return []
    g2p = _front_end()
    return [word for token in g2p.phonemize_tokens(g2p.tokenize(sentence)) for word in _words_of_token(token)]


def _normal(text: str) -> str:
    """Return text with dates, units and abbreviations written out."""
    from hibari.g2p.normalize import normalize

    return normalize(text) if text else ""


def _readable(chunk: str) -> str:
    """Return a chunk of text between two spaces, without emoji and other pictures.

    Raises:
        ValueError: it holds letters that are not Latin or a number that is too long to name, or is too long itself.
    """
    chunk = unicodedata.normalize("NFKC", chunk)
    kept = []
    for sign in chunk:
        kind = unicodedata.category(sign)
        if kind[0] in "LM" and not unicodedata.name(sign, "").startswith(("LATIN", "COMBINING", "MODIFIER LETTER")):
            if kind[0] == "L":
                raise ValueError(say("not_latin_letters", word=chunk[:30]))
            continue
        if kind in ("So", "Sk", "Cf", "Cc", "Cn", "Co", "Cs") and sign != "°" and sign not in "^`":
            sign = " "
        elif kind in ("Nl", "No") or (kind == "Nd" and not sign.isascii()):
            sign = f"{unicodedata.numeric(sign):g}"
        kept.append(sign)
    if re.search(rf"(?:\d[,.]?){{{_LONGEST_NUMBER + 1}}}", "".join(kept)):
        raise ValueError(say("number_too_long", number=chunk[:20]))
    text = "".join(kept)
    if len(text) > _LONGEST_WORD:
        raise ValueError(say("word_too_long", word=chunk[:20], count=len(text), longest=_LONGEST_WORD))
    if not any(sign.isalnum() for sign in text) and text not in _SIGNS and text.strip(_PAUSES):
        return ""
    # the front end's own markup consists of brackets and bars
    return re.sub(r"[\[\]|<>{}]", " ", text)


def _phones_by_hand(chunk: str, given: str) -> str:
    phones = given
    for ipa, sign in _IPA:
        phones = phones.replace(ipa, sign)
    odd = [sign for sign in phones if sign not in PHONES and sign not in STRESSES]
    if odd:
        raise ValueError(say("unknown_phone", odd=odd[0], word=chunk[:60], phones=" ".join(PHONES[1:])))
    if not any(phone in VOWELS for phone in phones):
        raise ValueError(say("no_vowel_in_phones", word=chunk[:60], vowels=" ".join(VOWELS)))
    return phones


def _words_of_token(token: Any) -> list[SungWord]:
    """Return the words of one of the front end's tokens: several for a number, none for punctuation."""
    pieces = [piece for piece in map(_sung, (token.phonemes or "").split()) if piece]
    if not pieces:
        return []
    written = _cleaned(token.text)
    parts = [part for part in re.split(r"[-/–—\s]+", written) if part]
    if _is_spelled_by_mistake(written) or not all(any(sign in VOWELS for sign in piece) for piece in pieces):
        raise ValueError(say("no_vowel_in_word", word=(written or token.text)[:30]))
    if any(sign.isdigit() for sign in written) or not written:
        names = _number_words()
        return [
            SungWord(names.get(_unstressed(piece)) or _SIGNS.get(token.text) or written or "la", piece)
            for piece in pieces
        ]
    if len(parts) == len(pieces) > 1:
        return [SungWord(part, piece) for part, piece in zip(parts, pieces, strict=True)]
    return [SungWord(written, "".join(pieces))]


def _sung(phonemes: str) -> str:
    """Return the phones of a word, without signs that are not phones; "" if there are none."""
    kept = [sign for sign in phonemes.translate(_UNKNOWN_WORDS) if sign in PHONES or sign in STRESSES]
    # the guessed phones of an unknown word may repeat a vowel: loooove
    once = re.sub(f"([{''.join(VOWELS)}])\\1+", r"\1", "".join(kept))
    phones = _SYLLABIC.sub("ᵊ", once)
    return phones if any(sign in PHONES for sign in phones) else ""


def _is_spelled_by_mistake(word: str) -> bool:
    """Return whether the front end would wrongly spell a word letter by letter, such as shh."""
    known = _front_end().lexicon
    return (
        (len(word) > 2 or word in _NO_ABBREVIATIONS)
        and word.isalpha()
        and word == word.lower()
        and not re.search("[aeiouy]", unicodedata.normalize("NFD", word))
        and word not in known.golds
        and word not in known.silvers
    )


def _cleaned(text: str) -> str:
    """Return a word in the form for a score: without spaces, and without punctuation at its ends."""
    return re.sub(r"\s+", "", text.replace("’", "'").replace("‘", "'")).strip(_EDGES)


def _unstressed(phones: str) -> str:
    return re.sub("[ˈˌ]", "", phones)


@cache
def _number_words() -> dict[str, str]:
    """Return the words of which numbers consist, by their phones without stress."""
    lexicon = _front_end().lexicon
    found = {word: lexicon.lookup(word, None, None, None)[0] for word in _NUMBERS.split()}
    found |= {word: lexicon.stem_s(word, None, None, None)[0] for word in found if not found[word]}
    return {_unstressed(_sung(phones)): word for word, phones in found.items() if phones}


@cache
def _front_end() -> Any:
    """Return the text front end, which takes a second to load."""
    from hibari.g2p import G2P

    return G2P()
