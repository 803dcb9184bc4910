"""Only the files of `core/methods/` know editing methods by name; all else reads what a method says of itself."""

import ast
from pathlib import Path

import pytest

from regrow.core.methods.registry import _NO_METHODS, about, method, names

PACKAGE = Path(__file__).parents[1] / "regrow"
METHODS = PACKAGE / "core" / "methods"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if METHODS not in path.parents)
NAMES = {*names(), "anchored"}


def compared_names(code: str) -> list[int]:
    """Return the lines on which a method's name is compared, or looked up in a literal collection."""
    lines = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            of_method = any(isinstance(side, ast.Attribute) and side.attr == "method" for side in sides)
            constants = [n.value for side in sides for n in ast.walk(side) if isinstance(n, ast.Constant)]
            if of_method or any(isinstance(value, str) and value in NAMES for value in constants):
                lines.append(node.lineno)
        if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant) and node.value.value in NAMES:
            lines.append(node.value.lineno)
    return lines


def test_no_method_is_compared_by_name() -> None:
    found = {str(path): compared_names(path.read_text(encoding="utf-8")) for path in FILES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code", ["if request.method != Edit.method: pass", 'a = name in ("belm", "edict")', 'if "naive" == kind: pass']
)
def test_the_rule_finds_comparisons(code: str) -> None:
    assert compared_names(code) == [1]


def test_every_file_holds_the_method_of_its_name_with_a_sentence_and_a_paper() -> None:
    assert {path.stem for path in METHODS.glob("*.py")} - {"__init__", *_NO_METHODS} == set(names())
    for name in names():
        assert method(name).name == name
        assert about(name).endswith("."), name
        assert "arXiv" in method(name).source[0], name
        assert not method(name).path or method(method(name).path).path == method(name).path
