"""What is tracked: pages name what is there and as it is called, every picture is shown, and a clone stays small."""

import re
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path
from shlex import split
from urllib.parse import unquote

import pytest

from regrow.requests.aliases import current_arguments

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    chain(ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"), ROOT.glob("regrow/weights/*/README.md")),
    key=lambda path: path.as_posix(),
)
MOST_BYTES = 14_300_000
"""Of everything but weights; 14.2 million on 30 November 2026: 0.8 vocabularies of single files, 0.7 axe-core, 0.3
hashes of packages. Store pictures with `runs/store_pictures.py`."""

_NOT_TRACKED = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "out"}
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)[^)]*\)|(?:src|href)=\"([^\"]+)\"")
_NAMED = re.compile(r"`((?:regrow|tests|docs|examples|runs)/[\w./-]*)?(?:::(\w+))?`")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```|`(regrow [^`]+)`", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:.* -m )?regrow ([a-z].*?)(?:  +#.*)?$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@cache
def tracked() -> frozenset[Path]:
    """Return all tracked files; where there is no git, all files that are not caches, environments or output."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        files = (path for path in ROOT.rglob("*") if not _NOT_TRACKED & set(path.relative_to(ROOT).parts))
    else:
        files = (ROOT / name for name in listed.split("\0") if name)
    return frozenset(path for path in files if path.is_file())


def links(page: Path) -> list[Path]:
    """Return the files that a page links to or shows, code apart."""
    targets = (link[0] or link[1] for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))))
    inside = (unquote(target.partition("#")[0]) for target in targets if not re.match(r"[a-z]+:", target))
    return [(page.parent / target).resolve() for target in inside if target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_tracked_files(page: Path) -> None:
    there = tracked() | {parent for path in tracked() for parent in path.parents}
    assert not [str(target) for target in links(page) if target not in there]


def test_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text('[a](a.md#b) ![c](d/e%20f.webp "g") <img src="h.png"> [i](https://j.org/k.md) `[l](m)` [n](#o)\n')
    assert links(page) == [tmp_path / "a.md", tmp_path / "d" / "e f.webp", tmp_path / "h.png"]


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as GitHub and the site (`mkdocs.yml`) make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)|[`*]", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def lost_anchors(page: Path) -> list[str]:
    """Return the links of a page to headings that are not there."""
    lost = []
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        name, _, anchor = (link[0] or link[1]).partition("#")
        there = (page.parent / unquote(name)).resolve() if name else page
        if anchor and not re.match(r"[a-z]+:", name) and there.suffix == ".md":
            lost += [] if unquote(anchor) in anchors(there) else [f"{name}#{anchor}"]
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_headings_that_are_there(page: Path) -> None:
    assert lost_anchors(page) == []


def test_a_lost_anchor_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# What it is\n\n```\n# not one\n```\n\n## `regrow`, by [name](x.md): a-b\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Own\n[a](#own) [b](other.md#what-it-is) [c](other.md#regrow-by-name-a-b) [d](other.md#not-one) [e](#no)\n"
    )
    assert lost_anchors(page) == ["other.md#not-one", "#no"]


def test_the_site_lists_every_page_of_docs() -> None:
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.md)$", site, re.MULTILINE))
    pages = {page.relative_to(ROOT).as_posix() for page in PAGES if page in tracked()}
    made = {"docs/reference/made/commands.md", "docs/reference/made/python.md"}
    assert listed - pages == made
    assert {page for page in pages if page.startswith("docs/")} <= listed


def missing(text: str) -> list[str]:
    """Return the files and tests that a page names between backticks and that are not there.

    A test without a file, as in `::test_a`, is of the file that was named last.
    """
    there, file, lost = {*tracked(), *(parent for path in tracked() for parent in path.parents)}, ROOT, []
    for name, function in _NAMED.findall(text):
        file = ROOT / name if name else file
        holds = not function or (file.is_file() and f"def {function}(" in file.read_text(encoding="utf-8"))
        lost += [] if file in there and holds else [f"{name}::{function}" if function else name]
    return lost


def commands_of(text: str) -> list[list[str]]:
    """Return the words of each command of regrow's in a page's blocks."""
    blocks = (block.replace("\\\n", " ") for block, _ in _BLOCK.findall(text))
    return [split(words) for block in blocks for words in _COMMAND.findall(block)]


def old_spellings(text: str) -> list[str]:
    """Return what is said of the old options and values in a page's commands, those between backticks too."""
    inline = [split(words.replace("\n", " "))[1:] for _, words in _BLOCK.findall(text) if words]
    return [note for words in (*commands_of(text), *inline) for note in current_arguments(words)[1]]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "LOG.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_what_a_page_names_is_there_and_called_so(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert missing(text) == []
    assert old_spellings(text) == []


def test_what_is_not_there_or_called_otherwise_is_found() -> None:
    text = "`regrow/api.py` `tests/test_tree.py::test_links_are_found`, `::test_none` `docs/none.md` `none/x.py`"
    assert missing(text) == ["::test_none", "docs/none.md"]
    assert (
        len(old_spellings("```\nregrow bench edit \\\n  --wishes 3   # some\n```\n`regrow edit --details leave`\n"))
        == 3
    )


def test_every_picture_is_shown_on_a_page() -> None:
    shown = set(chain.from_iterable(links(page) for page in PAGES))
    assert not {path for path in tracked() if path.parent == ROOT / "docs" / "pictures"} - shown


def test_every_stored_outcome_is_named_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    stored = [path.name for path in tracked() if path.parent == ROOT / "docs" / "figures"]
    assert not [name for name in stored if f"docs/figures/{name}" not in text]


def test_the_tree_without_weights_is_small() -> None:
    sizes = {path: path.stat().st_size for path in tracked() if path.suffix != ".safetensors"}
    largest = sorted(sizes, key=lambda path: -sizes[path])[:5]
    assert sum(sizes.values()) <= MOST_BYTES, f"{sum(sizes.values()):,} bytes; the largest: {largest}"
