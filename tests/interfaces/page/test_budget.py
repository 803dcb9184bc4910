"""The page stays small, speaks both languages, and asks nothing of the network."""

import json
import re
from pathlib import Path

import pytest

import regrow.interfaces

PAGE = Path(regrow.interfaces.__file__).parent / "page"
CODE = [
    path
    for path in sorted(PAGE.rglob("*"))
    if path.suffix in (".js", ".css", ".html") and "vendor" not in path.relative_to(PAGE).parts
]
APP = (PAGE / "js" / "app.js").read_text(encoding="utf-8")
TEXTS = [PAGE / "texts" / f"{name}.json" for name in json.loads(re.findall(r"readTexts\((\[.*?\])\)", APP)[0])]
"""The tables that the page reads; others in that folder are the server's."""
LITERAL = re.compile(r"""["'`]([\w.-]+)["'`]""")
CALL = re.compile(r"""\bt\(((?:"[^"]*"|`[^`]*`|[^"`,()]|\([^()]*\))*)[,)]""")
"""A call for words; its group is the first argument."""
KEY = re.compile(r"""(?:^|[?:])\s*"([\w.-]+)"\s*(?=$|:)""")
"""A key in such an argument: all of it, or what a condition chooses."""
PREFIX = re.compile(r"\bt\(\s*`([\w.-]+)\$\{")
ADDRESS = re.compile(
    r"""(?:https?|wss?):(?:\\?/){2}(?!www\.w3\.org/)|(?:src=|href=|url\(|from\s|import\s)[\s("'`]*//"""
)


def table() -> dict[str, dict[str, str]]:
    """Return all texts of the page by their keys."""
    return {key: words for path in TEXTS for key, words in json.loads(path.read_text(encoding="utf-8")).items()}


def code() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in CODE if path.suffix != ".css")


COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*|<!--.*?-->", re.DOTALL | re.MULTILINE)


def test_the_page_is_small() -> None:
    lines = {path.relative_to(PAGE): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    bare = [COMMENT.sub("", path.read_text(encoding="utf-8")).splitlines() for path in CODE]
    assert sum(bool(line.strip()) for lines in bare for line in lines) <= 3500  # of at most 120 letters
    assert sum(lines.values()) <= 4420  # with comments and blank lines
    assert {path: count for path, count in lines.items() if count > 250} == {}
    assert sum(path.stat().st_size for path in [*CODE, *TEXTS]) < 300_000


def test_no_key_stands_in_two_tables() -> None:
    keys = [key for path in TEXTS for key in json.loads(path.read_text(encoding="utf-8"))]
    assert len(keys) == len(set(keys)), sorted({key for key in keys if keys.count(key) > 1})


def test_every_key_is_said_in_both_languages() -> None:
    table_ = table()
    called = {key for argument in CALL.findall(code()) for key in KEY.findall(argument)}
    assert called
    assert {key for key in called if key not in table_} == set()
    assert {prefix for prefix in PREFIX.findall(code()) if not any(key.startswith(prefix) for key in table_)} == set()
    assert {key for key, words in table_.items() if not words.get("en") or not words.get("zh")} == set()


def test_both_languages_take_the_same_figures() -> None:
    figures = {
        key: [set(re.findall(r"\{(\w+)\}", words[lang])) for lang in ("en", "zh")] for key, words in table().items()
    }
    assert {key: found for key, found in figures.items() if found[0] != found[1]} == {}


def test_no_key_is_unused() -> None:
    literals, prefixes = set(LITERAL.findall(code())), tuple(set(PREFIX.findall(code())))
    assert [key for key in table() if key not in literals and not key.startswith(prefixes)] == []


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ('t("a")', ["a"]),
        ('t("a", {count})', ["a"]),
        ('t(verb === "edit" ? "a" : "b", {count})', ["a", "b"]),
        ('t(known(x) ? "a" : "b")', ["a", "b"]),
        ('get("a")', []),
        ("t(`a_${b}`)", []),
    ],
)
def test_keys_are_found_where_they_are_asked_for(line: str, keys: list[str]) -> None:
    assert [key for argument in CALL.findall(line) for key in KEY.findall(argument)] == keys


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(PAGE)))
def test_no_address_of_the_network_stands_in_the_code(path: Path) -> None:
    assert ADDRESS.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        'fetch("https://a.org/x.js")',
        '<img src="//a.org/x.png">',
        "@import url(//a.org/x.css)",
        "new WebSocket('wss://a')",
    ],
)
def test_addresses_are_found_where_there_are_some(line: str) -> None:
    assert ADDRESS.search(line)
