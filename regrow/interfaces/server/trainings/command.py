"""Convert a training's request to the command line that starts and resumes its process."""

from dataclasses import fields
from typing import Any

from regrow.requests.train import Train

FLAGS = {"start": "from", "time": "for"}
"""Names of flags that differ from the setting's name."""


def command_of(request: Train) -> list[str]:
    """Return the arguments of `regrow` for a training; settings with their default are left out."""
    arguments = ["train"]
    if request.data is not None:
        arguments.append(str(request.data))
    for field in fields(Train):
        value = getattr(request, field.name)
        if field.name != "data" and value != field.default:
            arguments += _option(FLAGS.get(field.name, field.name).replace("_", "-"), value, field.default)
    return arguments


def _option(flag: str, value: Any, default: Any) -> list[str]:
    if isinstance(value, bool) and isinstance(default, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    if isinstance(value, tuple):
        return [f"--{flag}", *map(_word, value)]
    return [f"--{flag}={value}"]  # joined by "=", as a value that begins with "-" would be taken for a flag


def _word(value: Any) -> str:
    """Return one of several values as text; a harmless space is put before "-", or it would be taken for a flag."""
    return f" {value}" if isinstance(value, str) and value.startswith("-") else str(value)
