"""`--help` of every command: one line an option, in groups, the options that matter first, two screens at most."""

import contextlib
import io
import re
import sys
from typing import get_args

import pytest

from regrow.interfaces import cli
from regrow.interfaces.commands import bench, models
from regrow.interfaces.docstrings import first_sentence
from regrow.interfaces.option_groups import FIRST, flags_off

WIDTH = 100
SCREENS = 90
"""Lines of two screens."""
SECTIONS = {
    "models": [mark.name for one in get_args(models.Action) for mark in one.__metadata__],
    "bench": [mark.name for one in get_args(bench.Bench) for mark in one.__metadata__],
}
COMMANDS = [
    *([name] for name in cli.VERBS),
    *([name, action] for name, actions in SECTIONS.items() for action in actions),
]


def help_of(*command: str, width: int = WIDTH) -> list[str]:
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit):
            cli.main([*command, "--help"])
    text = printed.buffer.getvalue().decode()  # pyright: ignore[reportAttributeAccessIssue]  # of BytesIO
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def boxes(lines: list[str]) -> dict[str, list[str]]:
    """Return the lines of each box, by its title."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in lines:
        if line.startswith("╭"):
            title = line.strip("╭─╮ ")
            found[title] = []
        elif line.startswith("│"):
            found[title].append(line[2:-2].rstrip())
    return found


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_takes_one_line_and_the_command_two_screens(command: list[str]) -> None:
    lines = help_of(*command)
    assert len(lines) <= SCREENS
    assert max(map(len, lines[1:])) <= WIDTH
    assert lines[2].endswith(".")
    assert lines[3] == "", "the summary takes more than one line"
    for title, inside in boxes(lines).items():
        if title == "subcommands":
            assert all(line.startswith("  •") for line in inside[1:])
            continue
        note = next((number for number, line in enumerate(inside) if line.startswith("──")), -1)
        for line in inside[note + 1 :]:
            assert re.match(r"-|[A-Z\[]", line), f"a second line: {line}"
            assert re.search(r"\S {2,}\S", line), f"without a text: {line}"


@pytest.mark.parametrize("command", FIRST)
def test_the_options_that_matter_come_first(command: str) -> None:
    shown = boxes(help_of(*command.split("_")))["options"]
    flags = [line.split()[0].strip(",").lstrip("-").replace("-", "_") for line in shown]
    renamed = {"start": "from", "time": "for"}
    assert flags == ["h", *(renamed.get(name, name) for name in FIRST[command])]
    assert len(FIRST[command]) <= 5


def test_the_options_of_an_edit_are_in_groups() -> None:
    names = ["prompt", "place", "method", "sound", "song", "expert", "output", "machine"]
    inside = boxes(help_of("edit"))
    assert list(inside) == ["positional arguments", "options", *(f"{name} options" for name in names)]
    assert any(line.startswith("--mask") for line in inside["place options"])
    assert any(line.startswith("--device") for line in inside["machine options"])
    assert "null_text" in " ".join(inside["method options"])


def test_the_list_of_commands_fits_a_screen() -> None:
    lines = help_of()
    assert len(lines) == 10 + len(cli.VERBS)
    assert [line.split()[1] for line in boxes(lines)["subcommands"][1:]] == list(cli.VERBS)


def test_a_narrow_terminal_wraps_and_loses_nothing() -> None:
    def words(width: int) -> list[str]:
        return re.sub(r"[─│╭╮╰╯]", " ", " ".join(help_of("generate", width=width))).split()

    assert sorted(words(60)) == sorted(words(WIDTH))


def test_a_switch_that_is_off_may_be_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--no-json" in flags_off(cli.VERBS["models"], "list")
    assert "--no-tiles" in flags_off(cli.VERBS["edit"])
    cli.main(["models", "list", "--no-json"])
    assert "storybook" in capsys.readouterr().out
    assert not any("--no-tiles" in line for line in help_of("edit"))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("the file to write. png, jpg or webp.", "the file to write"),
        ("1.5 of them", "1.5 of them"),
        ('as in "a.b.c". Then more', 'as in "a.b.c"'),
        ("", ""),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_the_help_of_all_commands_loads_nothing_heavy() -> None:
    import subprocess

    code = "import sys; from regrow.interfaces import cli\ntry: cli.main(['edit', '--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'torch', 'numpy', 'pydantic', 'diffusers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
