"""The fields of a request dataclass: type, default, range and description, read from the class."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from regrow.interfaces.docstrings import descriptions_of
from regrow.requests import train
from regrow.requests.ranges import RANGES

MISSING_DEFAULT: Any = MISSING
"""The default of a required field."""
NOT_SERVED = ("describer",)
"""Fields only of the command line, as a captioning model may be any folder or a download."""


@dataclass(frozen=True)
class Setting:
    """A field of a request.

    Attributes:
        name: of the field.
        hint: its type; names that are chosen from a list, such as methods, become a `Literal`.
        default: its default, or `MISSING_DEFAULT`.
        description: from the class's docstring.
        least: minimum of a number; None if there is none.
        most: maximum of a number; None if there is none.
    """

    name: str
    hint: Any
    default: Any
    description: str
    least: float | None = None
    most: float | None = None

    @property
    def is_required(self) -> bool:
        """Whether it is required."""
        return self.default is MISSING_DEFAULT

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The possible types of its value, without None."""
        if get_origin(self.hint) in (Union, types.UnionType):
            return tuple(kind for kind in get_args(self.hint) if kind is not type(None))
        return (self.hint,)

    @property
    def is_optional(self) -> bool:
        """Whether it may be None, which leaves it to the model."""
        return type(None) in get_args(self.hint)

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values to choose from; empty if it is not a choice."""
        return tuple(value for kind in self.kinds for value in literals(kind))

    @property
    def is_file(self) -> bool:
        """Whether it names a file; training data is a set of files, and does not count."""
        return Path in self.kinds and self.name != "data"


@cache
def settings_of(kind: type) -> Mapping[str, Setting]:
    """Return the fields of a request class that the server takes, by name, in order."""
    hints, descriptions = get_type_hints(kind, include_extras=True), descriptions_of(kind)
    ranges = train.RANGES if kind is train.Train else {name: bounds[:2] for name, bounds in RANGES.items()}
    found = {}
    for field in sorted(fields(kind), key=lambda field: field.kw_only is True):
        if field.name in NOT_SERVED:
            continue
        least, most = ranges.get(field.name, (None, None))
        default = MISSING_DEFAULT if field.default is MISSING else field.default
        hint = _plain(hints[field.name])
        found[field.name] = Setting(field.name, hint, default, descriptions.get(field.name, ""), least, most)
    return found


def summary_of(kind: type) -> str:
    """Return the first line of a request class's docstring."""
    return (kind.__doc__ or "").strip().splitlines()[0]


def literals(hint: Any) -> tuple[Any, ...]:
    """Return the values of a `Literal`, including nested ones; an empty tuple for other types."""
    return get_args(hint) if get_origin(hint) is Literal else ()


def _plain(hint: Any) -> Any:
    """Return a type without annotations for the command line; names chosen from a list become a `Literal`."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *marks = get_args(hint)
    factories = [mark.constructor_factory for mark in marks if getattr(mark, "constructor_factory", None)]
    return factories[0]() if factories else _plain(kind)
