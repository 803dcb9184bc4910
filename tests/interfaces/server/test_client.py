"""The client in ten lines runs as a reader would run it, from its file and from the pages that show it."""

import re
import runpy
from pathlib import Path

import pytest
from web_server import EXAMPLE, Server

from regrow.media.image.picture import read_recipe

ROOT = Path(__file__).parents[3]
CLIENT = EXAMPLE.with_name("client.py")


def shown(page: str) -> str:
    """Return the Python that a page shows."""
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return code


def test_the_client_is_short_and_edits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(tmp_path / "home")
    (tmp_path / "shown.py").write_text(shown("docs/how-to/page.md"), "utf-8")
    monkeypatch.chdir(ROOT)
    try:
        for program in (CLIENT, tmp_path / "shown.py"):
            out = tmp_path / f"{program.stem}.png"
            monkeypatch.setattr("sys.argv", [str(program), server.address, str(out)])
            runpy.run_path(str(program), run_name="__main__")
            assert str(out) in capsys.readouterr().out
            assert (read_recipe(out) or {})["settings"]["target"] == ["a puppy on a beach"]
    finally:
        server.stop()
    code = CLIENT.read_text().partition("sys.argv[1:]\n")[2].splitlines()
    assert len(code) <= 10


def test_both_pages_show_it() -> None:
    assert shown("docs/how-to/page.md") == shown("docs/how-to/page.zh.md")
    in_file = CLIENT.read_text().replace('Path(__file__).with_name("cat.png")', 'Path("examples/cat.png")')
    assert shown("docs/how-to/page.md").strip() == in_file.partition("\n\n")[2].strip()
