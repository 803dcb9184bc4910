"""The server's own sentences, in English and Chinese, one JSON file per area: {"key": {"en": ..., "zh": ...}}."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _table() -> dict[str, dict[str, str]]:
    tables = (path for path in files(__name__).iterdir() if path.name.endswith(".json"))
    return {key: both for path in tables for key, both in json.loads(path.read_text(encoding="utf-8")).items()}


def said(key: str, language: str, **figures: Any) -> str:
    """Return the sentence of a key, with each `{name}` replaced by the value of that name.

    Raises:
        KeyError: there is no such key, or a value is missing.
    """
    return _table()[key][language].format(**figures)
