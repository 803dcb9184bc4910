"""The words that a small model was trained on, and how to find the words of a prompt that it does not know.

A small model's folder may hold `words.json`, {"words": [...], "characters": [...]}: all words and characters of its
captions. A model without that file is assumed to know every word.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from unicodedata import category, name, normalize

from regrow.media.files import version_of
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import read_json

WORDS_FILE = "words.json"


@dataclass(frozen=True)
class Words:
    """The words that a model knows.

    Attributes:
        words: words of languages with spaces between words, in lower case and without punctuation.
        characters: Chinese characters.
    """

    words: frozenset[str]
    characters: frozenset[str]


def read_words(folder: Path) -> Words | None:
    """Return the words that the model in a folder knows; None without a file, as it is then assumed to know all.

    Raises:
        ModelError: there is a `words.json`, but it cannot be read or does not have this layout.
    """
    path = folder / WORDS_FILE
    return _read(path, version_of(path)) if path.exists() else None


@lru_cache(16)
def _read(path: Path, version: tuple[int, int, int]) -> Words:
    """Read a version of the file."""
    content = read_json(path)
    for key in ("words", "characters"):
        entries = content.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise ModelError(say("no_list_of_strings", path=path, key=key))
    return Words(
        # split like prompts, so that every listed word can match
        frozenset(word for entry in content["words"] for word in units(entry)),
        frozenset(normalize("NFC", "".join(content["characters"]))),
    )


def write_words(folder: Path, words: Iterable[str], characters: Iterable[str]) -> None:
    """Write the words that the model in a folder knows."""
    content = {"words": list(words), "characters": list(characters)}
    (folder / WORDS_FILE).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def learn_words(folder: Path, words: Iterable[str], characters: Iterable[str]) -> None:
    """Add words that the model in a folder has learned; do nothing if the folder has no `words.json`."""
    known = read_words(folder)
    if known is not None:
        write_words(folder, sorted(known.words.union(words)), sorted(known.characters.union(characters)))


def unknown_words(known: Words | None, prompt: str) -> tuple[str, ...]:
    """Return the words of a prompt that the model does not know, each once, in the order of the prompt.

    Words are compared and returned in lower case, without punctuation and possessive 's. For Chinese text, which has no
    spaces between words, the longest runs of unknown characters are returned. A number or a symbol such as an emoji is
    a word of its own; punctuation is never returned.

    Args:
        known: from `read_words`; None knows everything.
        prompt: in any language; it may be empty.
    """
    if known is None:
        return ()
    found: list[str] = []
    for unit in units(prompt):
        if is_chinese(unit[0]):
            runs = groupby(unit, known.characters.__contains__)
            found += ["".join(run) for is_known, run in runs if not is_known]
        elif unit not in known.words:
            found.append(unit)
    return tuple(dict.fromkeys(found))


def units(text: str) -> Iterator[str]:
    """Yield the words, numbers and symbols of a text in lower case, and its runs of Chinese characters."""
    # as CLIP's tokenizer does before it looks a word up
    text = normalize("NFC", text).lower().replace("’", "'")
    for kind, run in groupby(text, _kind):
        unit = "".join(run).strip("'")
        if kind and any(category(character)[0] != "M" for character in unit):
            yield unit.removesuffix("'s")


def _kind(character: str) -> str:
    """Return the kind of a character, which is equal for all characters of a unit; empty for separators."""
    if is_chinese(character):
        return "chinese"
    general = category(character)
    if general[0] in "LM" or character == "'":
        return "letter"
    if general[0] == "N":
        return "number"
    return "sign" if general == "So" else ""


def is_chinese(character: str) -> bool:
    """Return whether a character is Chinese."""
    return name(character, "").startswith("CJK ") and category(character) == "Lo"
