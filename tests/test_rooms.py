"""Imports between rooms go only downwards."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "regrow"
# worlds only draw and play: below training, which learns from them, and below models, which know nothing of them
ROOMS = [
    "messages",
    "core",
    "media",
    "worlds",
    "models",
    "requests",
    "prompts",
    "editing",
    "training",
    "hub",
    "verification",
    "benchmark",
    "interfaces",
]
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
HEAVY = {"diffusers", "transformers"}
BASELINES = {PACKAGE / "benchmark" / name for name in ("baselines.py", "adapters.py", "mel.py")}
"""What regrow is compared with: diffusers' own pipelines, which no interface of ours may stand before."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it; `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written with their full name"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_every_folder_is_a_room() -> None:
    assert {path.relative_to(PACKAGE).parts[0] for path in FILES} <= set(ROOMS)


def test_imports_go_down() -> None:
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0]
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "regrow" and parts[1] in ROOMS:
                assert ROOMS.index(parts[1]) <= ROOMS.index(room), f"{path} imports {name}, which is above {room}"
            if parts[0] in HEAVY:
                assert room == "models" or path in BASELINES, f"{path} imports {name}; only models may"
            if room == "core":
                assert parts[0] not in {"PIL", "numpy"}, f"{path} imports {name}"
