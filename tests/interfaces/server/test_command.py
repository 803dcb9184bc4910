"""A request copied as a command is the same request when the command line reads it; as Python, when Python does."""

import shlex
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import tyro
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import regrow
from regrow.core.methods.registry import names
from regrow.interfaces.as_command import command_of, python_of
from regrow.interfaces.cli import VERBS
from regrow.interfaces.run import MakingOptions
from regrow.interfaces.server.schemas.requests import REQUESTS
from regrow.interfaces.server.schemas.settings import settings_of
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.requests.invert import Invert
from regrow.requests.sing import Sing

KINDS: dict[str, type] = {
    "edit": Edit,
    "generate": Generate,
    "extend": Extend,
    "interpolate": Interpolate,
    "invert": Invert,
    "sing": Sing,
}
WORDS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" \"'$\\-"), max_size=20)
PATHS = st.sampled_from(["my cat.png", "-cat.png", "a/猫.png", "it's.png"]).map(Path)
NUMBERS = st.floats(-1e3, 1e3, allow_nan=False) | st.integers(0, 100).map(float)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, as far as the command line has them."""
    special = {str: WORDS, int: st.integers(0, 100), float: NUMBERS, bool: st.booleans(), Path: PATHS}
    if hint in special:
        return special[hint]
    parts = getattr(hint, "__args__", ())
    if hint is type(None):
        return st.none()
    if getattr(hint, "__origin__", None) is tuple:
        if parts[-1] is ...:
            return st.lists(values(parts[0]), max_size=3).map(tuple)
        return st.tuples(*map(values, parts))
    if any(isinstance(part, type) or hasattr(part, "__args__") for part in parts):
        return st.one_of(*map(values, parts))
    return st.sampled_from(parts)


@st.composite
def requests(draw: st.DrawFn, kind: type) -> Any:
    """Requests with some settings that are not the default."""
    known = settings_of(kind)
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=6, unique=True))
    given = {name: draw(values(known[name].hint)) for name in known if name in chosen or known[name].is_required}
    if kind in (Edit, Invert) and "method" in given:
        given["method"] = draw(st.sampled_from(names()))
    if kind is Edit:
        given["target"] = tuple(given.get("target", ())) or (draw(WORDS),)
    try:
        return kind(**given)
    except ValueError:
        assume(False)


def read(kind: type, arguments: list[str]) -> Any:
    """The request that the command line reads."""
    found: list[Any] = []

    def verb(request: Annotated[kind, tyro.conf.arg(name="")], run: MakingOptions, out: Path | None = None) -> None:
        found.append(request)

    verbs = {"verb": verb, "other": lambda: None}
    tyro.extras.subcommand_cli_from_dict(verbs, args=["verb", *arguments], config=(tyro.conf.OmitArgPrefixes,))
    return found[0]


@pytest.mark.parametrize("verb", KINDS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_command_asks_for_the_same(verb: str, data: st.DataObject) -> None:
    request = data.draw(requests(KINDS[verb]))
    said = [text for value in vars(request).values() for text in (value if isinstance(value, tuple) else (value,))]
    if any(isinstance(text, str) and (text == "None" or text.startswith("-")) for text in said):
        with suppress(ValueError):  # which such words may raise, and no others
            command_of(request, verb)
            assert read(KINDS[verb], shlex.split(command_of(request, verb))[2:]) == request
        return
    command = command_of(request, verb)
    program, name, *arguments = shlex.split(command)
    assert (program, name) == ("regrow", verb)
    assert name in VERBS
    assert read(KINDS[verb], arguments) == request


@pytest.mark.parametrize("verb", ["edit", "generate", "extend", "interpolate"])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_python_asks_for_the_same(verb: str, data: st.DataObject) -> None:
    request = data.draw(requests(KINDS[verb]))
    asked: list[Any] = []

    class Saved:
        def save(self, path: str) -> None:
            asked.append(path)

    code = python_of([request], verb, ".png").replace("import regrow", "", 1)
    operations = {name: lambda request: asked.append(request) or Saved() for name in ("edit", "generate", "extend")}
    operations["interpolate"] = operations["edit"]
    stand_in = SimpleNamespace(**operations, **{kind.__name__: kind for kind in KINDS.values()})
    exec(code, {"regrow": stand_in})
    assert asked == [request, "result.png"]
    assert all(hasattr(regrow, name) for name in operations)


def test_only_what_is_not_the_default_is_written() -> None:
    request = Edit(Path("cat.png"), ("a dog", "a fox"), strength=0.7, cache=False)
    assert command_of(request, "edit") == "regrow edit cat.png --target 'a dog' 'a fox' --strength 0.7 --no-cache"
    plain = Generate("a cat")
    assert command_of(plain, "generate") == "regrow generate 'a cat'"
    assert command_of(replace(plain, prompt="-5"), "generate") == "regrow generate -- -5"
    assert {field.name for field in fields(Sing)} == set(settings_of(REQUESTS["sing"]))
