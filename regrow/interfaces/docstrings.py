"""Read the descriptions of parameters and attributes from docstrings."""

import re
from collections.abc import Callable
from typing import Any

import docstring_parser
from docstring_parser import DocstringStyle

_SENTENCE_END = re.compile(r"(?<=[.])\s+")


def descriptions_of(owner: Callable[..., Any]) -> dict[str, str]:
    """Return the description of each parameter of a function, or of each attribute of a class and its bases."""
    found: dict[str, str] = {}
    for one in reversed(owner.__mro__) if isinstance(owner, type) else (owner,):
        parsed = docstring_parser.parse(one.__doc__ or "", DocstringStyle.GOOGLE)
        found |= {each.arg_name: re.sub(r"\s+", " ", each.description or "").strip() for each in parsed.params}
    return found


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, without its full stop."""
    return _SENTENCE_END.split(text, maxsplit=1)[0].removesuffix(".")
