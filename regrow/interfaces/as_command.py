"""Convert a request to the command line that runs it, or to Python."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from regrow.messages.message import say

POSITIONAL = ("image", "sound", "prompt", "first", "second", "lyrics", "file")
"""Fields that are positional arguments of the command line; `lyrics` only for `regrow sing`."""
RENAMED = {"start": "from", "time": "for"}
"""Names of options that differ from the field's name."""
OPERATIONS = {"Edit": "edit", "Generate": "generate", "Extend": "extend", "Interpolate": "interpolate"}
"""The public functions that take a request object, by the name of its class."""


def command_of(request: Any, verb: str) -> str:
    """Return the command line of a request: its files and prompts, and every setting that is not the default.

    Args:
        request: a dataclass whose class has the options of the verb.
        verb: of the command line.
    """
    return shlex.join(["regrow", verb, *_arguments(request)])


def python_of(requests: Sequence[Any], verb: str, suffix: str) -> str:
    """Return Python code that does the same by `import regrow`.

    Args:
        requests: dataclasses of one kind.
        verb: for requests without a public function, which are run as a command.
        suffix: of the saved files, which are named "result", or 1, 2 and so on.
    """
    kind = type(requests[0]).__name__
    if kind not in OPERATIONS:
        commands = (", ".join(map(repr, ["regrow", verb, *_arguments(request)])) for request in requests)
        return "import subprocess\n\n" + "".join(f"subprocess.run([{one}], check=True)\n" for one in commands)
    paths = any(isinstance(value, Path) for request in requests for value in vars(request).values())
    lines = [*(["from pathlib import Path", ""] if paths else []), "import regrow"]
    for number, request in enumerate(requests, 1):
        needed = {field.name: getattr(request, field.name) for field in fields(request) if field.default is MISSING}
        given = needed | dict(_given(request))
        name = f"{'result' if len(requests) == 1 else number}{suffix}"
        lines += ["", f"request = regrow.{kind}(", *(f"    {key}={_literal(value)}," for key, value in given.items())]
        lines += [")", f"regrow.{OPERATIONS[kind]}(request).save({name!r})"]
    return "\n".join([*lines, ""])


def as_argument(path: Path) -> str:
    """Return a path as an argument; one that begins with "-" is changed, as it would be taken for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def _given(request: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields whose values are not the default."""
    for field in fields(request):
        value = getattr(request, field.name)
        if field.default is not MISSING and value != field.default:
            yield field.name, value


def _arguments(request: Any) -> Iterator[str]:
    """Yield the arguments after the verb.

    Raises:
        ValueError: a text cannot be written on a command line.
    """
    places = [name for name in POSITIONAL if _is_positional(request, name)]
    values = [_text(getattr(request, name)) for name in places]
    behind = any(value.startswith("-") for value in values)  # which would be taken for an option
    if not behind:
        yield from values
    for name, value in _given(request):
        if name not in places:
            yield from _option(f"--{RENAMED.get(name, name).replace('_', '-')}", value)
    if behind:
        yield from ("--", *values)


def _option(option: str, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        yield option if value else f"--no-{option[2:]}"
        return
    texts = [_text(one) for one in value] if isinstance(value, tuple) else [_text(value)]
    is_words = isinstance(value, str | tuple)
    if "None" in texts or (len(texts) > 1 and is_words and any(text.startswith("-") for text in texts)):
        raise ValueError(say("words_for_command_line", option=option[2:]))
    if len(texts) == 1 and texts[0].startswith("-"):
        yield f"{option}={texts[0]}"
    else:
        yield from (option, *texts)


def _is_positional(request: Any, name: str) -> bool:
    names = [field.name for field in fields(request)]
    return (
        name in names and not (name == "lyrics" and "prompt" in names) and not (name == "lyrics" and "image" in names)
    )


def _text(value: Any) -> str:
    return as_argument(value) if isinstance(value, Path) else str(value)


def _literal(value: Any) -> str:
    return f"Path({str(value)!r})" if isinstance(value, Path) else repr(value)
