"""Phones of sung English: the symbols of misaki's American alphabet, which hibari's text front end outputs.

A sung consonant keeps the length that it has in speech; the vowel carries the rest of the note.
"""

import re
from itertools import pairwise

from regrow.messages.message import say

VOWELS = ("A", "I", "O", "W", "Y", "i", "u", "ɑ", "ɔ", "ɛ", "ɜ", "ɪ", "ʊ", "ʌ", "æ", "ə", "ɐ", "ᵊ", "ᵻ")
"""A, I, O, W and Y are the diphthongs of day, my, go, how and boy."""
VOICED = ("b", "d", "j", "l", "m", "n", "v", "w", "z", "ð", "ŋ", "ɡ", "ɹ", "T", "ʒ", "ʤ")
"""T is the flap of butter."""
UNVOICED = ("f", "h", "k", "p", "s", "t", "ʃ", "ʧ", "θ")
PHONES = ("", *VOWELS, *VOICED, *UNVOICED)
"""Silence ("") and all phones, in the order of a model's embedding."""
STRESSES = ("ˈ", "ˌ")

_LENGTHS = {
    "T": 1,
    **dict.fromkeys("jwlɹhbdɡðv", 3),
    **dict.fromkeys("ptkmnŋ", 4),
    **dict.fromkeys("fθzʒʤ", 4),
    **dict.fromkeys("sʃʧ", 5),
}
"""Length of a consonant in units of 25 ms, if there is room for it."""

ONSETS = frozenset((
    "p", "b", "t", "d", "k", "ɡ", "f", "v", "θ", "ð", "s", "z", "ʃ", "ʒ", "h", "ʧ", "ʤ", "m", "n", "l", "ɹ", "w",
    "j", "T", "pl", "pɹ", "pj", "bl", "bɹ", "bj", "tɹ", "tw", "tj", "dɹ", "dw", "dj", "kl", "kɹ", "kw", "kj", "ɡl",
    "ɡɹ", "ɡw", "fl", "fɹ", "fj", "vj", "θɹ", "θw", "sp", "st", "sk", "sm", "sn", "sl", "sw", "spl", "spɹ", "spj",
    "stɹ", "stj", "skɹ", "skw", "skj", "skl", "ʃɹ", "hj", "mj", "nj", "lj",
))  # fmt: skip
"""Consonant clusters with which an English syllable can begin."""


def length(phone: str) -> int:
    """Return the length of a consonant in units of 25 ms, if there is room for it."""
    return _LENGTHS[phone]


def is_vowel(phone: str) -> bool:
    """Return whether a phone carries a note."""
    return phone in VOWELS


def split_phones(text: str) -> tuple[str, ...]:
    """Split a phonetic text into phones, without stress marks.

    Raises:
        ValueError: a sign is no phone.
    """
    plain = re.sub("[ˈˌː]", "", text)
    odd = [sign for sign in plain if sign not in PHONES]
    if odd:
        raise ValueError(say("no_such_phone", odd=odd[0], text=text, phones=" ".join(PHONES[1:])))
    return tuple(plain)


def syllables(text: str) -> tuple[str, ...]:
    """Split the phones of a word into syllables, one vowel each, by the longest possible English onset.

    Args:
        text: phones with their stress marks, such as "twˈɪŋkᵊl".

    Returns:
        The syllables, such as ("twˈɪŋ", "kᵊl"), which joined are the word; one if it has fewer than two vowels.

    Raises:
        ValueError: a sign is no phone.
    """
    split_phones(text)
    signs = [sign for sign in text if sign != "ː"]
    nuclei = [i for i, sign in enumerate(signs) if sign in VOWELS]
    if len(nuclei) < 2:
        return ("".join(signs),)
    cuts = [0]
    for before, nucleus in pairwise(nuclei):
        between = signs[before + 1 : nucleus]
        cluster = [sign for sign in between if sign not in STRESSES]
        onset = next((n for n in range(len(cluster), 0, -1) if "".join(cluster[-n:]) in ONSETS), 0)
        # in speech a lax vowel keeps its consonant, but singers open the syllable: so the longest onset
        cut, passed = nucleus, 0
        while passed < onset or (cut > before + 1 and signs[cut - 1] in STRESSES):
            cut -= 1
            passed += signs[cut] not in STRESSES
        cuts.append(cut)
    cuts.append(len(signs))
    return tuple("".join(signs[a:b]) for a, b in pairwise(cuts))
