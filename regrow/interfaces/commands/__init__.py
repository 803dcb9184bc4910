"""The commands of `regrow`. Each module here that defines `COMMAND` is a command; no other list exists.

Slow imports are inside the functions, so that `regrow --help` answers at once.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Attributes:
        name: as typed on the command line.
        place: sort key of the list in `--help`.
        run: its arguments are the options, and its docstring is the help; or a group of commands.
    """

    name: str
    place: int
    run: Callable[..., Any]


def all_commands() -> list[Command]:
    """Return the commands in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted((import_module(f"{__name__}.{name}").COMMAND for name in names), key=lambda command: command.place)
