"""The words that a small model was trained on, and which words of a prompt are not among them.

A small model's folder may hold `words.json`, {"words": [...], "characters": [...]}: everything that its captions were
written with. A model without that file is taken to know every word.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from unicodedata import category, name, normalize

from regrow.models.errors import ModelError
from regrow.models.folder import read_json

WORDS_FILE = "words.json"


@dataclass(frozen=True)
class Words:
    """What a model knows.

    Attributes:
        words: of languages that put spaces between them, in lower case and without punctuation.
        characters: of Chinese.
    """

    words: frozenset[str]
    characters: frozenset[str]


def read_words(folder: Path) -> Words | None:
    """What the model in a folder knows, or None where the folder does not say: then it knows everything.

    Raises:
        ModelError: there is a `words.json`, but it cannot be read or is not of the layout above.
    """
    path = folder / WORDS_FILE
    if not path.exists():
        return None
    content = read_json(path)
    for key in ("words", "characters"):
        entries = content.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise ModelError(f"{path} holds no list of strings named {key!r}; copy or download it again.")
    return Words(
        # the way of a prompt: nothing can be listed in a spelling that no prompt is compared with
        frozenset(word for entry in content["words"] for word in units(entry)),
        frozenset(normalize("NFC", "".join(content["characters"]))),
    )


def write_words(folder: Path, words: Iterable[str], characters: Iterable[str]) -> None:
    """Write what the model in a folder knows."""
    content = {"words": list(words), "characters": list(characters)}
    (folder / WORDS_FILE).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def learn_words(folder: Path, words: Iterable[str], characters: Iterable[str]) -> None:
    """Add what the model in a folder has learned; nothing where the folder does not say what it knows."""
    known = read_words(folder)
    if known is not None:
        write_words(folder, sorted(known.words.union(words)), sorted(known.characters.union(characters)))


def unknown_words(known: Words | None, prompt: str) -> tuple[str, ...]:
    """What a prompt says in words that the model does not know, each once, in the order of the prompt.

    Words are compared in lower case, without punctuation and possessive 's, and given so. Of Chinese text, which has
    no spaces between its words, the longest runs of unknown characters are given. A number, and a sign such as an
    emoji, is a word of its own; punctuation is never reported.

    Args:
        known: of `read_words`; None knows everything.
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
    """The words, numbers and signs of a text in lower case, and its runs of Chinese characters."""
    # as CLIP's tokenizer does before it looks a word up
    text = normalize("NFC", text).lower().replace("’", "'")
    for kind, run in groupby(text, _kind):
        unit = "".join(run).strip("'")
        if kind and any(category(character)[0] != "M" for character in unit):
            yield unit.removesuffix("'s")


def _kind(character: str) -> str:
    """What may stand together in one unit; empty for what separates units."""
    if is_chinese(character):
        return "chinese"
    general = category(character)
    if general[0] in "LM" or character == "'":
        return "letter"
    if general[0] == "N":
        return "number"
    return "sign" if general == "So" else ""


def is_chinese(character: str) -> bool:
    """Whether it is a character that Chinese is written with."""
    return name(character, "").startswith("CJK ") and category(character) == "Lo"
