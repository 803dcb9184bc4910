"""The picture of the architecture is that of the imports as they are."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "runs"))
import draw_architecture  # noqa: E402


def test_the_picture_is_that_of_the_imports() -> None:
    stored = draw_architecture.PICTURE.read_text(encoding="utf-8")
    assert stored == draw_architecture.drawn(), "the imports between rooms have changed: run make architecture"


def test_an_import_shows_in_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in draw_architecture.rooms():
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(f'"""What {room} does, in short."""\n')
    monkeypatch.setattr(draw_architecture, "PACKAGE", tmp_path)
    title = "<title>hub imports from core</title>"
    assert title not in draw_architecture.drawn()
    (tmp_path / "hub" / "one.py").write_text("def f():\n    from regrow.core import levels\n")
    assert title in draw_architecture.drawn()
