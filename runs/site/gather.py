"""Gather the pages of the site in out/pages: README, docs/, the model cards, and a reference made from the program.

`make docs` runs it, and then MkDocs on the gathered pages. The folders are those of the repository, so that links
between pages are the same on the site, on disk and in a code browser.
"""

import io
import os
import shutil
from contextlib import redirect_stdout, suppress
from itertools import chain
from pathlib import Path
from typing import get_args

import regrow
from regrow.interfaces import cli
from regrow.interfaces.commands.bench import Bench
from regrow.interfaces.commands.models import Action

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "out" / "pages"
COLUMNS = "76"
"""Width in characters of the help texts on the page."""


def gather() -> None:
    """Copy all pages and their pictures into an empty folder."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shown = ("*.md", "docs/**/*.*", "examples/*", "regrow/weights/*/README.md", "regrow/worlds/*/NOTICE", "LICENSE")
    for path in chain.from_iterable(ROOT.glob(pattern) for pattern in shown):
        copy = PAGES / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    log = PAGES / "LOG.md"
    log.write_text("---\nsearch: {exclude: true}\n---\n\n" + log.read_text("utf-8"), "utf-8")  # it would hide the pages
    (PAGES / "assets").mkdir()
    shutil.copyfile(Path(__file__).with_name("iframe-worker.js"), PAGES / "assets" / "iframe-worker.js")


def help_of(*words: str) -> str:
    """Return the output of a command's --help."""
    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        cli.main([*words, "--help"])
    return "\n".join(line.rstrip() for line in said.getvalue().rstrip().splitlines())


def commands() -> str:
    """Return the page of all commands, each with its help."""
    os.environ |= {"COLUMNS": COLUMNS, "NO_COLOR": "1"}
    below = {"bench": Bench, "models": Action}
    verbs = [(verb,) for verb in cli.VERBS]
    more = [(verb, option.__metadata__[0].name) for verb, union in below.items() for option in get_args(union)]
    parts = [f"## regrow {' '.join(words)}\n\n```text\n{help_of(*words)}\n```\n" for words in (*verbs, *more)]
    return "# Commands\n\nMade from the program's own help.\n\n" + "\n".join(parts)


def python() -> str:
    """Return the page of all public names, in which MkDocs inserts the docstrings."""
    places = (f"::: {getattr(regrow, name).__module__}.{name}" for name in regrow.__all__)
    return "# Python\n\nMade from the docstrings.\n\n" + "\n\n".join(places)


if __name__ == "__main__":
    gather()
    made = PAGES / "docs" / "reference" / "made"
    made.mkdir(parents=True)
    (made / "commands.md").write_text(commands(), "utf-8")
    (made / "python.md").write_text(python() + "\n", "utf-8")
    print(f"gathered {sum(1 for _ in PAGES.rglob('*.md'))} pages in {PAGES}")
