"""Find the places of parsed words in the text as typed, so that a page can underline them."""

from collections.abc import Iterable, Iterator
from unicodedata import normalize

from regrow.worlds.lexicon import TRADITIONAL, key_of

SIGNS = str.maketrans({"→": "->", **dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'")})
"""Characters that `key_of` replaces."""


def places_of(text: str, words: Iterable[str]) -> Iterator[tuple[int, int] | None]:
    """Yield begin and end of each word in a text; None for a word that is not found after the one before.

    Args:
        text: as typed.
        words: parsed from it, in order: in lower case, without articles, Chinese ones simplified.
    """
    letters: list[tuple[str, int]] = []
    for at, letter in enumerate(text):
        for plain in normalize("NFKC", letter).lower().translate(TRADITIONAL).translate(SIGNS):
            letters.append((plain, at))
    plain = "".join(letter for letter, _ in letters)
    begin = typed = 0
    for word in words:
        place = _place(plain, key_of(word) or (word,), begin)
        if place is None or letters[place[0]][1] < typed:  # a typed sign such as ¼ becomes several letters
            yield None
            continue
        begin, typed = place[1], letters[place[1] - 1][1] + 1
        yield letters[place[0]][1], typed


def _place(text: str, units: tuple[str, ...], begin: int) -> tuple[int, int] | None:
    """Return begin and end of units that follow each other in a text, from `begin` on; None if they are not there."""
    first, end = -1, begin
    for unit in units:
        at = _whole(text, unit, end)
        if at < 0:
            return None
        first, end = (at if first < 0 else first), at + len(unit)
    return first, end


def _whole(text: str, unit: str, begin: int) -> int:
    """Return the place of a unit that is not part of a longer word; -1 if there is none."""
    at = text.find(unit, begin)
    while at >= 0 and unit[0].isascii() and unit[0].isalnum():
        before, after = text[at - 1 : at] if at else "", text[at + len(unit) : at + len(unit) + 1]
        if not any(beside.isascii() and beside.isalnum() for beside in (before, after)):
            break
        at = text.find(unit, at + 1)
    return at
