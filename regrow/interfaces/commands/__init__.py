"""The commands of `regrow`. A command is a module here that offers `COMMAND`; nothing else lists them.

What is heavy is imported inside the functions, so that `regrow --help` answers at once.
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
        name: by which it is called.
        place: `--help` lists commands in the order of their places.
        run: its arguments are the options, its docstring is the help; or a group of commands.
    """

    name: str
    place: int
    run: Callable[..., Any]


def all_commands() -> list[Command]:
    """Return the commands in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted((import_module(f"{__name__}.{name}").COMMAND for name in names), key=lambda command: command.place)
