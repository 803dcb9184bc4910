"""Every sentence of the rooms stands in the tables, in both languages, with the names that the code gives it."""

import ast
import json
import pickle
import string
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from regrow.messages.message import Message, as_json, from_json, language_here, say, table, worded
from regrow.models.registry import ModelError
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate

PACKAGE = Path(__file__).parents[1] / "regrow"
TABLES = sorted((PACKAGE / "messages").glob("*.json"))


def names_in(sentence: str) -> set[str]:
    """The names in a sentence's braces, and in those of their formats."""
    found = set()
    for _, name, form, _ in string.Formatter().parse(sentence):
        if name is not None:
            found |= {name} | names_in(form or "")
    return found


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of `say` of the rooms with a key."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "regrow.messages.message import" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                    yield path, node


def test_every_call_fits_its_sentence() -> None:
    wrong = []
    for path, call in calls():
        if not isinstance(call.args[0], ast.Constant):
            continue
        key = str(call.args[0].value)
        wanted = names_in(table()[key]["en"]) if key in table() else None
        given = {keyword.arg for keyword in call.keywords}
        open_ended = None in given  # **arguments
        if wanted is None or (given != wanted and not (open_ended and given - {None} <= wanted)):
            wrong.append((path.name, key, given, wanted))
    assert not wrong


def test_every_sentence_is_said_and_stands_in_one_table() -> None:
    said = {str(call.args[0].value) for _, call in calls() if isinstance(call.args[0], ast.Constant)}
    assert said == set(table())
    tables = defaultdict(list)
    for file in TABLES:
        for key in json.loads(file.read_text(encoding="utf-8")):
            tables[key].append(file.name)
    assert {key: files for key, files in tables.items() if len(files) > 1} == {}


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_both_languages_hold_the_same_names(file: Path) -> None:
    for key, both in json.loads(file.read_text(encoding="utf-8")).items():
        assert set(both) == {"en", "zh"}, key
        assert both["zh"].strip(), key
        assert names_in(both["en"]) == names_in(both["zh"]), key


def test_an_error_is_worded_in_both_languages() -> None:
    with pytest.raises(ValueError, match=r"steps must be a number of steps from 1 to 100,000; got 0\.") as caught:
        Generate("a cat", steps=0)
    assert worded(caught.value, "en") == str(caught.value)
    assert worded(caught.value, "zh") == "--steps 须为1 到 100,000 的步数；给出的是 0。"
    with pytest.raises(ValueError, match="needs at least one") as caught:
        Edit(Path("cat.png"))
    assert "至少需要" in worded(caught.value, "zh")


def test_what_is_no_message_stays_as_it_is() -> None:
    assert worded("a cat", "zh") == "a cat"
    assert worded(OSError(2, "No such file"), "zh") == "[Errno 2] No such file"
    assert worded(ValueError(), "zh") == ""


def test_a_message_survives_json_and_other_processes() -> None:
    inner = say("no_such_file", path=Path("a.png"))
    message = say("sidecar_unusable", path="b.json", problem=ModelError(inner))
    for again in (from_json(json.loads(json.dumps(as_json(message)))), pickle.loads(pickle.dumps(message))):
        assert isinstance(again, Message)
        assert again == message
        assert worded(again, "zh") == worded(message, "zh") == "b.json 不能用：没有文件 a.png：请检查它的名字和文件夹。"


def test_a_message_of_another_version_keeps_its_text() -> None:
    kept = {"say": "of_a_later_version", "with": {}, "text": "It is later."}
    assert from_json(kept) == "It is later."
    changed = as_json(say("no_such_file", path="a.png"))
    assert isinstance(changed, dict)
    assert from_json(changed | {"text": "There was no file."}) == "There was no file."


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE", "REGROW_LANGUAGE": "zh"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("REGROW_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language_here() == language


def test_a_sentence_that_would_quote_a_whole_file_quotes_its_beginning() -> None:
    long = say("no_such_file", path="x" * 100_000)
    assert long == f"There is no file {'x' * 300}…: check its name and its folder."
    assert worded(long, "zh") == f"没有文件 {'x' * 300}…：请检查它的名字和文件夹。"
    assert from_json(json.loads(json.dumps(as_json(long)))) == pickle.loads(pickle.dumps(long)) == long
    assert say("setting_changed", key="drop", before="y" * 2000, now=0.5) == f"drop was {'y' * 300}… and is 0.5"
    assert say("setting_changed", key="data", before=["z"] * 1000, now=()).endswith("… and is ()")


def test_a_sentence_that_is_not_long_is_quoted_whole() -> None:
    assert "x" * 1000 in say("no_such_file", path="x" * 1000)
    inner = say("no_such_file", path="x" * 1000)  # as it is where the sentence around it is long
    assert inner in say("sidecar_unusable", path="y" * 1000, problem=ModelError(inner))
