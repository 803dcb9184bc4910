"""Sentences in records: stored with their keys, so that each reader gets them in their language."""

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

from regrow.messages.message import as_json, from_json


def _read(value: Any) -> str:
    """Return a sentence of a record; raise ValueError if it is not one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("with"), dict) and isinstance(value.get("text"), str):
        return from_json(value)
    raise ValueError("it is no sentence")


Sentence = Annotated[str, PlainValidator(_read, json_schema_input_type=str), PlainSerializer(as_json, when_used="json")]
"""A message or a text, as a type for pydantic models."""


def is_kept(value: Any) -> bool:
    """Return whether a JSON value is a sentence as written by `as_json`."""
    return isinstance(value, dict) and value.keys() == {"say", "with", "text"}
