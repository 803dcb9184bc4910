"""Every command that README, docs and model cards show in a block is one that the command line takes."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from test_tree import PAGES, ROOT, commands_of

from regrow.interfaces import cli
from regrow.interfaces.commands import bench as bench_commands

SHOWN = [(page, words) for page in PAGES if page.name != "LOG.md" for words in commands_of(page.read_text("utf-8"))]


def doing_nothing(verb: Callable[..., Any]) -> Callable[..., None]:
    """Return a verb that takes the same options."""

    @wraps(verb)
    def parsed(*_: Any, **__: Any) -> None:
        pass

    return parsed


def test_there_are_commands_of_most_verbs() -> None:
    assert {words[0] for _, words in SHOWN} >= {"edit", "generate", "train", "bench", "invert", "replay", "verify"}


@pytest.mark.parametrize(
    ("page", "words"), SHOWN, ids=[f"{page.relative_to(ROOT)}-{' '.join(words)}"[:90] for page, words in SHOWN]
)
def test_a_shown_command_is_taken(page: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(bench_commands, "_verbs", lambda module="": Mock())  # they are called while parsed
    for name, verb in cli.VERBS.items():
        if name != "bench" and inspect.isfunction(verb):
            monkeypatch.setitem(cli.VERBS, name, doing_nothing(verb))
    cli.main(words)
    assert capsys.readouterr().err == ""  # of an old spelling, too


def test_a_command_that_is_wrong_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_commands, "_verbs", Mock)
    with pytest.raises(SystemExit):
        cli.main(["bench", "edit", "--taks", "3"])
