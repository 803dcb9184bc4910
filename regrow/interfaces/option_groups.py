"""Group the options of a command for tyro's `--help`: one line each, the most important first.

A command is a function with dataclasses and plain parameters as arguments. All fields and parameters form one list,
which is divided into the boxes of `--help`. An option's line is the first sentence of its description in the docstring;
the reference in docs/ shows the rest.
"""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, make_dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro
from tyro.conf import FlagCreatePairsOff, Positional

from regrow.core.methods.registry import names as method_names
from regrow.interfaces.docstrings import descriptions_of, first_sentence
from regrow.interfaces.option_numbers import read_as_number
from regrow.requests.option_groups import EXPERT, GROUPS

FIRST: Mapping[str, tuple[str, ...]] = {
    "generate": ("model", "out", "count", "seed", "size"),
    "sing": ("tune", "out", "style", "singer", "accompany"),
    "edit": ("target", "out", "source", "model", "strength"),
    "extend": ("after", "before", "out", "model", "count"),
    "interpolate": ("frames", "out", "words", "model", "strength"),
    "invert": ("source", "out", "model", "method", "steps"),
    "train": ("name", "world", "start", "time", "lora"),
    "replay": ("out", "files", "download"),
    "verify": (),
    "inspect": ("model", "source", "steps", "out"),
    "batch": ("out", "workers", "set"),
    "models_fit": ("measure",),
}
"""The options that `--help` lists first, by command; for other commands, all options of their request."""
_TRAIN: Mapping[str, tuple[str, ...]] = {
    "data": ("medium", "size", "scenes", "hold_out", "drop", "text"),
    "new model": ("family", "new", "codec", "stage", "objective"),
    "optimizer": (
        *("steps", "batch", "accumulate", "optimizer", "rate", "decline", "flat", "warm_up", "clip", "ema", "min_snr"),
        *("logit_normal", "precision", "checkpointing", "seed"),
    ),
    "run": ("resume", "dry_run", "minutes", "sample_minutes", "prompts"),
}
_MORE: Mapping[str, tuple[str, ...]] = {
    "output": ("out", "sheet", "explore", "strengths", "guidances", "also", "keep_paths", "json"),
    "machine": (
        *("threads", "device", "dtype", "offload", "engine", "lora", "embedding", "as_family", "allow_pickle"),
        "offline",
    ),
}
"""Groups that only the command line has."""
_LABELS: Mapping[str, str] = {"what": "prompt", "where": "place", "how": "method"}
"""Titles in `--help` of groups that the page has too, if they differ from the groups' names."""
_NOTES: Mapping[str, str] = {"method": f"Methods: {', '.join(method_names())}."}
"""A note at the top of the box that holds an option, by the option's name."""


@dataclass(frozen=True)
class _Option:
    """An option. `owner` is the command's parameter that it is a field of, or "" if it is a parameter itself."""

    owner: str
    name: str
    hint: Any
    default: Any
    help: str

    @property
    def is_positional(self) -> bool:
        """Whether it is a positional argument."""
        return not set(get_args(Positional[int])[1:]).isdisjoint(getattr(self.hint, "__metadata__", ()))

    @property
    def configured(self) -> Any:
        """Its type, annotated with the help text and the metavar of `--help`."""
        hint = Annotated[
            read_as_number(self.hint), tyro.conf.arg(help=self.help, help_behavior_hint=self._default_words())
        ]
        if _plain(self.hint) is bool and self.default is False:
            return FlagCreatePairsOff[hint]
        has_own = any(getattr(mark, "metavar", None) is not None for mark in getattr(self.hint, "__metadata__", ()))
        shown = "" if has_own else _metavar(self.hint)
        return Annotated[hint, tyro.conf.arg(metavar=shown)] if shown else hint

    def _default_words(self) -> str:
        """Return the default and the other choices as text, unless the metavar shows them."""
        default = self.default if isinstance(self.default, str | int | float | tuple | Path) else ""
        each = default if isinstance(default, tuple) else (default,)
        words = " ".join(f"{one:g}" if isinstance(one, float) else str(one) for one in each)
        choices = [one for one in _choices(self.hint) if one != default] if _metavar(self.hint) == "NAME" else []
        if all(choice in self.help for choice in choices):
            choices = []
        if "if not given" in self.help:
            words = ""
        if default is False or default is True:
            return f"(default: {'on' if default else 'off'})" if default else ""
        if choices and words:
            return f"(default: {words}; else {', '.join(choices)})"
        if choices:
            return f"({', '.join(choices)})"
        return f"(default: {words})" if words else ""


def verb(name: str, run: Callable[..., Any], is_default: bool = False) -> Any:
    """Return a subcommand with its options in groups, for tyro."""
    return Annotated[
        Any, tyro.conf.subcommand(name=name, constructor_factory=partial(grouped, run), is_default=is_default)
    ]


def grouped(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes a command's options in groups and calls it; a group of commands is not changed."""
    options = list(_options(run))
    if not options:
        return run
    top, boxes = _divided(run.__name__, options)

    def call(**given: Any) -> Any:
        values = {name: value for name, value in given.items() if name not in keys}
        for key in keys:
            values |= vars(given[key])
        owners = get_type_hints(run)
        arguments = {option.name: values[option.name] for option in options if not option.owner}
        for owner in {option.owner: None for option in options if option.owner}:
            own = {option.name: values[option.name] for option in options if option.owner == owner}
            arguments[owner] = owners[owner](**own)
        return run(**arguments)

    keys = {f"group_{number}": label for number, label in enumerate(boxes)}
    parameters = [_parameter(option.name, option.configured, option.default) for option in top]
    for key, label in keys.items():
        note = " ".join(_NOTES[option.name] for option in boxes[label] if option.name in _NOTES)
        box = Annotated[_box(key, boxes[label]), tyro.conf.arg(name=_LABELS.get(label, label), help=note)]
        parameters.append(_parameter(key, box, MISSING))
    call.__doc__ = inspect.cleandoc(run.__doc__ or "").split("\n\nArgs:")[0]
    call.__name__ = run.__name__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]  # read by tyro
    return call


def named(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a placeholder for a command in the list of commands: its summary, without options."""

    def call() -> None: ...

    call.__doc__ = inspect.cleandoc(run.__doc__ or "").split("\n\n")[0]
    return call


def flags_off(run: Callable[..., Any], action: str = "") -> set[str]:
    """Return `--no-NAME` for each switch of a command that is off by default; accepted, but not listed in `--help`.

    Args:
        run: the command, or a group of commands.
        action: name of the command within the group.
    """
    switches = [o for o in _options(_command(run, action)) if _plain(o.hint) is bool and o.default is False]
    return {f"--no-{option.name.replace('_', '-')}" for option in switches}


def lists(run: Callable[..., Any], action: str = "") -> set[str]:
    """Return the options of a command that take any number of values; see `flags_off`."""
    several = [o for o in _options(_command(run, action)) if get_args(_plain(o.hint))[1:] == (...,)]
    return {f"--{option.name.replace('_', '-')}" for option in several}


def _command(run: Callable[..., Any], action: str) -> Callable[..., Any]:
    """Return the command of a name within a group of commands; the command itself if it is not a group."""
    for part in (part for hint in get_type_hints(run, include_extras=True).values() for part in get_args(_plain(hint))):
        for mark in getattr(part, "__metadata__", ()):
            if getattr(mark, "name", "") == action and isinstance(mark.constructor_factory, partial):
                return mark.constructor_factory.args[0]
    return run


def _options(run: Callable[..., Any]) -> Iterator[_Option]:
    """Yield all options of a command; none for a group of commands."""
    hints, own = get_type_hints(run, include_extras=True), descriptions_of(run)
    for name, parameter in inspect.signature(run).parameters.items():
        kind = _plain(hints[name])
        if is_dataclass(kind) and isinstance(kind, type):
            inner, texts = get_type_hints(kind, include_extras=True), descriptions_of(kind)
            for each in fields(kind):
                yield _Option(name, each.name, inner[each.name], each.default, first_sentence(texts.get(each.name, "")))
        elif Any not in [_plain(part) for part in get_args(kind)]:
            default = MISSING if parameter.default is parameter.empty else parameter.default
            yield _Option("", name, hints[name], default, first_sentence(own.get(name, "")))


def _divided(command: str, options: list[_Option]) -> tuple[list[_Option], dict[str, list[_Option]]]:
    """Return the options above all groups, and those of each non-empty group, in order."""
    more = {name for some in _MORE.values() for name in some}
    first = FIRST.get(command, tuple(option.name for option in options if option.name not in more))
    own = _TRAIN if command == "train" else GROUPS if command in FIRST else {}
    by_name = {option.name: option for option in options}
    rest = {name: option for name, option in by_name.items() if name not in first and not option.is_positional}
    boxes: dict[str, list[_Option]] = {}
    known = {name for some in own.values() for name in some} | more
    expert = tuple(name for name in rest if name not in known)
    for label, some in [*own.items(), (EXPERT, expert), *_MORE.items()]:
        if found := [rest[name] for name in some if name in rest and (label in _MORE or name not in more)]:
            boxes[label] = found
    places = [option for option in options if option.is_positional]
    return [*places, *(by_name[name] for name in first if name in by_name and by_name[name] not in places)], boxes


def _box(name: str, options: list[_Option]) -> type:
    parts = []
    for option in options:
        more = {} if option.default is MISSING else {"default": option.default}
        parts.append((option.name, option.configured, field(**more)))
    return make_dataclass(name, parts, kw_only=True, namespace={"__doc__": ""})


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    shown = inspect.Parameter.empty if default is MISSING else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=shown)


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _choices(hint: Any) -> list[str]:
    """Return the values of a choice; an empty list for other types."""
    plain = _plain(hint)
    parts = get_args(plain) if get_origin(plain) in (Union, types.UnionType) else (plain,)
    return [str(value) for part in parts if get_origin(part) is Literal for value in get_args(part)]


def _metavar(hint: Any) -> str:
    plain = _plain(hint)
    if get_origin(plain) is tuple:
        each, *others = get_args(plain)
        return f"{_metavar(each)} ..." if others == [...] else " ".join(map(_metavar, get_args(plain)))
    parts = get_args(plain) if get_origin(plain) in (Union, types.UnionType) else (plain,)
    known = {Path: "PATH", str: "TEXT", int: "N", float: "X"}
    if sizes := next((get_args(part) for part in parts if get_origin(part) is tuple), ()):
        return " ".join(map(_metavar, sizes))
    words = [known[part] for part in parts if part in known]
    return "|".join([*words, *_choices(hint)]) if words else "NAME" if _choices(hint) else ""
