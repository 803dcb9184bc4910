"""Find editing methods by name: every file of this folder is one, opened only when it is first used.

The names and their help are there without torch, for the command line.
"""

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.messages.message import say

if TYPE_CHECKING:
    import regrow.core.methods.method

DEFAULT = "direct_inversion"
_FOLDER = Path(__file__).parent
_NO_METHODS = {"method", "registry"}
_registered: "dict[str, tuple[regrow.core.methods.method.Method, str]]" = {}


@cache
def _files() -> tuple[str, ...]:
    found = {module.name for module in pkgutil.iter_modules([str(_FOLDER)])} - _NO_METHODS
    return (DEFAULT, *sorted(found - {DEFAULT}))


def names() -> tuple[str, ...]:
    """Return all names: the default first, the others of this folder by alphabet, then those registered."""
    return (*_files(), *(name for name in _registered if name not in _files()))


def names_for_any_model() -> tuple[str, ...]:
    """Return the names of the methods that need no checkpoint of a kind of its own; it opens them all."""
    return tuple(name for name in names() if not method(name).needs)


def about(name: str) -> str:
    """Return a method's help: the first line of its file, or what it was registered with."""
    _check(name)
    if name in _registered:
        return _registered[name][1]
    with (_FOLDER / f"{name}.py").open(encoding="utf-8") as file:
        return file.readline().strip().strip('"')


def method(name: str) -> "regrow.core.methods.method.Method":
    """Return a method.

    Raises:
        ValueError: there is none of this name; the sentence lists those that are there.
    """
    _check(name)
    if name in _registered:
        return _registered[name][0]
    return import_module(f"regrow.core.methods.{name}").METHOD


def register(new: "regrow.core.methods.method.Method", help: str) -> None:
    """Add a method that has no file in this folder, with a sentence of help.

    Raises:
        ValueError: its name is taken.
    """
    if new.name in names():
        raise ValueError(say("method_name_taken", name=new.name))
    _registered[new.name] = (new, help)


def unregister(name: str) -> None:
    """Take a registered method away again."""
    del _registered[name]


def _check(name: str) -> None:
    if name not in names():
        raise ValueError(say("no_such_method", name=name, names=", ".join(names())))
