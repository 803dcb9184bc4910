"""Sentences for users as keys with arguments, worded in English and Chinese by the tables beside this file.

A table is named after the room that uses it, and has both languages under each key. Arguments stand in a sentence as
names in braces, with a format as in `str.format`.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

Language = Literal["en", "zh"]

MOST_LETTERS, MOST_OF_ONE = 1500, 300
"""If a sentence has more letters, each argument is cut to so many, as one may be the content of a whole file."""


class Message(str):
    """A sentence for users that remembers its key and its arguments.

    As a string, it is its English sentence.

    Attributes:
        key: of the sentence in the tables.
        arguments: values by name; a message among them is worded in the same language.
    """

    key: str
    arguments: dict[str, Any]

    def __new__(cls, key: str, arguments: Mapping[str, Any]) -> Self:
        """Return the message, worded in English.

        Raises:
            KeyError: the tables have no such key, or an argument of its sentence is missing.
        """
        words, filled = table()[key]["en"], dict(arguments)
        if len(words.format_map(filled)) > MOST_LETTERS:
            filled = {name: _shortened(value) for name, value in filled.items()}
        message = super().__new__(cls, words.format_map(filled))
        message.key, message.arguments = key, filled
        return message

    def __getnewargs__(self) -> tuple[str, dict[str, Any]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the arguments from which `copy` and `pickle` make it again."""
        return self.key, self.arguments


def say(key: str, /, **arguments: Any) -> Message:
    """Return the message of a key.

    Raises:
        KeyError: as for `Message`.
    """
    return Message(key, arguments)


def worded(sentence: object, language: Language) -> str:
    """Return a sentence in a language; a text that is not a message is returned unchanged.

    Args:
        sentence: a message, a text, or an exception, whose sentence is taken.
        language: en or zh.
    """
    if isinstance(sentence, BaseException):
        sentence = sentence.args[0] if len(sentence.args) == 1 else str(sentence)
    if language == "en" or not isinstance(sentence, Message):
        return str(sentence)
    arguments = {name: _worded_argument(value, language) for name, value in sentence.arguments.items()}
    return table()[sentence.key][language].format_map(arguments)


def sentence_of(problem: BaseException) -> str:
    """Return the sentence of an error: its message if it has one, else its text on one line."""
    first = problem.args[0] if len(problem.args) == 1 else None
    return first if isinstance(first, Message) else " ".join(str(problem).split())


def as_json(sentence: str) -> str | dict[str, Any]:
    """Return a sentence in a form for JSON; `from_json` reads it back."""
    if not isinstance(sentence, Message):
        return sentence
    arguments = {name: _json_argument(value) for name, value in sentence.arguments.items()}
    return {"say": sentence.key, "with": arguments, "text": str(sentence)}


def from_json(value: str | Mapping[str, Any]) -> str:
    """Return the sentence that `as_json` wrote; its English text if the message cannot be made again."""
    if isinstance(value, str):
        return value
    try:
        arguments = {name: from_json(one) if isinstance(one, dict) else one for name, one in value["with"].items()}
        message = Message(value["say"], arguments)
    except (ValueError, LookupError, TypeError, AttributeError):  # of another version, or of a type that JSON lacks
        return str(value.get("text", ""))
    return message if str(message) == value.get("text") else str(value.get("text", ""))


def language_here() -> Language:
    """Return the language of this computer's user, from $REGROW_LANGUAGE or else the locale's variables."""
    names = ("REGROW_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return "zh" if next((os.environ[name] for name in names if os.environ.get(name)), "").lower()[:2] == "zh" else "en"


def worded_here(sentence: object) -> str:
    """Return a sentence in the language of this computer's user."""
    return worded(sentence, language_here())


@cache
def table() -> dict[str, dict[Language, str]]:
    """Return all sentences by key and language."""
    files = sorted(file for file in Path(__file__).parent.glob("*.json") if file.name != "nouns.json")
    return {key: both for file in files for key, both in json.loads(file.read_text(encoding="utf-8")).items()}


@cache
def nouns() -> dict[str, dict[Language, str]]:
    """Return words of the code that sentences quote, such as names of media, by language."""
    return json.loads((Path(__file__).parent / "nouns.json").read_text(encoding="utf-8"))


def _shortened(value: Any) -> Any:
    """Return an argument of a too long sentence, cut; floats and messages are not cut."""
    if isinstance(value, Message | BaseException | float):
        return value
    text = str(value)
    return value if len(text) <= MOST_OF_ONE else f"{text[:MOST_OF_ONE]}…"


def _worded_argument(value: Any, language: Language) -> Any:
    if isinstance(value, Message | BaseException):
        return worded(value, language)
    return nouns()[value][language] if isinstance(value, str) and value in nouns() else value


def _json_argument(value: Any) -> Any:
    if isinstance(value, BaseException):
        value = value.args[0] if len(value.args) == 1 else str(value)
    if isinstance(value, Message):
        return as_json(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
