"""The commands and the Python of README.md and of the tutorial run, in order, as a reader would run them.

A block that is not run has a comment before it, `<!-- not run: REASON -->`, which readers of the page do not see.
"""

import re
from pathlib import Path
from shlex import split

import pytest
from homes import sharing_engines

from regrow.interfaces import cli
from regrow.media.image.picture import load, read_recipe

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^(?:<!-- not run: (.+?) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Return the reason why it is not run, the language and the text of each block of a page."""
    return FENCED.findall((ROOT / page).read_text(encoding="utf-8"))


def commands(text: str) -> list[list[str]]:
    """Return the words of each line of a block of commands, comments left out."""
    return [words for line in text.replace("\\\n", " ").splitlines() if (words := split(line, comments=True))]


@pytest.mark.parametrize(
    ("page", "target"), [("README.md", "make it a dog"), ("docs/learn/tutorial.md", "an orange puppy on a beach")]
)
def test_a_page_runs_from_its_first_block_to_its_last(
    page: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names: dict[str, object] = {}
    written = []
    for reason, language, text in blocks(page):
        if reason:
            continue
        if language == "python":
            exec(compile(text, page, "exec"), names)
            continue
        for program, *words in commands(text):
            assert program == "regrow", f"{page}: {program} is no command of regrow's; say why it is not run"
            cli.main(words)
            written += [words[at + 1] for at, word in enumerate(words) if word == "--out"]
    assert written
    assert [name for name in written if not list(tmp_path.glob(f"{Path(name).stem}*{Path(name).suffix}"))] == []
    recipe = read_recipe(tmp_path / "puppy.png")  # what the page's Python made
    assert recipe is not None
    assert recipe["settings"]["target"] == [target]
    assert load(tmp_path / "puppy.png").pixels.shape == load(ROOT / "examples" / "cat.png").pixels.shape


def test_the_lines_of_python_in_the_readme_are_few() -> None:
    (lines,) = (text for _, language, text in blocks("README.md") if language == "python")
    assert len(lines.splitlines()) <= 5


def test_the_chinese_readme_has_the_same_blocks() -> None:
    """But for prompts, which may be Chinese."""
    ours, theirs = (
        [(reason, language, re.sub("把猫换成狗", '"make it a dog"', text)) for reason, language, text in blocks(page)]
        for page in ("README.md", "README.zh.md")
    )
    assert theirs == ours


def test_a_block_that_is_not_run_is_told_from_one_that_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.md").write_text("<!-- not run: an hour -->\n```\nregrow a\n```\n\n```python\nb = 1\n```\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert blocks("page.md") == [("an hour", "", "regrow a\n"), ("", "python", "b = 1\n")]
    assert commands('regrow a "b c" \\\n  --d   # e\n') == [["regrow", "a", "b c", "--d"]]
