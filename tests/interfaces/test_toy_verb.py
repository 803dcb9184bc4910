"""A verb is three files: its request, its operation and its command. Written here, it runs and is made again."""

from collections.abc import Callable
from pathlib import Path

import pytest

import regrow.editing
import regrow.interfaces.commands
import regrow.requests
from regrow.interfaces import cli
from regrow.interfaces.commands import all_commands

REQUEST = '''
from dataclasses import dataclass
from pathlib import Path
from tyro.conf import Positional


@dataclass(frozen=True)
class Mirror:
    """Mirror a picture."""

    image: Positional[Path]
    model: str
    frame: str = "crop"
    size: tuple[int, int] | None = None
'''
OPERATION = """
from regrow.core.progress import Progress
from regrow.editing.recipe import make_recipe
from regrow.editing.result import Operation, Result
from regrow.requests.mirror import Mirror


def mirror(request, model):
    content = model.medium.load(request.image, model, request).content
    mirrored = content.flip(-1)
    yield Progress("mirror", 1, 1)
    return Result((mirrored,), mirrored[None], (make_recipe(request, model, mirrored, 0, {}),))


OPERATION = Operation(Mirror, mirror)
"""
COMMAND = '''
from pathlib import Path
from typing import Annotated

import tyro

from regrow.interfaces.commands import Command
from regrow.interfaces.run import RunOptions
from regrow.requests.mirror import Mirror


def mirror(request: Annotated[Mirror, tyro.conf.arg(name="")], run: RunOptions, out: Path) -> None:
    """Mirror a picture."""
    from regrow.editing.mirror import mirror as operation
    from regrow.interfaces.reporting import engaged, watched, write_results

    model = engaged(request.model, run)
    write_results(watched(operation(request, model), run), out, model.medium)


COMMAND = Command("mirror", 35, mirror)
'''


def test_three_files_are_a_verb(
    checkpoint: Callable[[str], Path],
    image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rooms = (regrow.requests, regrow.editing, regrow.interfaces.commands)
    for room, text in zip(rooms, (REQUEST, OPERATION, COMMAND), strict=True):
        place = tmp_path / room.__name__
        place.mkdir()
        (place / "mirror.py").write_text(text)
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(place)])
    monkeypatch.setattr(cli, "VERBS", {command.name: command.run for command in all_commands()})
    assert list(cli.VERBS)[3:5] == ["extend", "mirror"]
    monkeypatch.chdir(tmp_path)
    cli.main(["mirror", str(image), "--model", str(checkpoint("sd-tiny")), "--out", "m.png"])
    capsys.readouterr()
    cli.main(["replay", "m.png"])
    assert "the same, bit for bit" in capsys.readouterr().out
