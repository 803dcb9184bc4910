"""The rules of the design: where networks and media may be named, how long files are, and which names are gone.

`test_rooms.py` holds the rule on imports, and `test_method_rules.py` that on the names of methods.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "regrow"
FILES = sorted(PACKAGE.rglob("*.py"))
FOLDERS = sorted({path.parent for path in FILES})
MOST_LINES, MOST_FILES = 250, 25

NETWORK = re.compile(r"\.(unet|transformer)\b(?!s)")
MEDIUM = re.compile(
    r"""medium\s*(==|!=|is\b)|\bis_sound\(|mel\s+is\s+(not\s+)?None|\b(not|if)\s+model\.mel\b"""
    r"""|[=!]=\s*["'](sound|picture)["']|["'](sound|picture)["']\s*[=!]="""
)
GUIDED = re.compile(r"\bclassifier_free\b")
LEVELS = re.compile(r"\bmodel\.schedule\.grid\(")

GONE = {
    *("anchored", "predictor_corrector", "Limited", "limited", "regrowth", "Asked", "AtHand", "asked", "at_hand"),
    *("way_back", "path_of", "walked", "details", "imagined", "meaning", "Told", "told", "telling", "contour"),
    *("contours", "seen", "hearing", "heard", "joint", "foretold", "cautions", "journal", "Journal", "rehearsal"),
    *("moods", "ahead", "rival", "rivals", "wish", "wishes", "outcomes", "trade_off", "no_card"),
}
"""Words of the design's table that name no function, class, argument, attribute or variable any more."""
GONE_MODULES = GONE | {
    *("straight", "difference", "exact", "fitting", "plan", "spread", "samples", "played", "dataset", "score"),
    *("alone", "named", "players", "work", "stage", "parts", "playing"),
}
"""And those that name no module; as names of other things, such as the samples of a batch, they are plain words."""
ALLOWED = {
    ("media/audio/crossfade.py", "ahead"): "the sample that comes next in time",
    ("worlds/storybook/canvas.py", "ahead"): "the direction of a line",
    ("media/audio/fitting.py", "fitting"): "how a sound is fitted to a model's frames; the table's is training/loop.py",
    ("models/parts.py", "parts"): "the parts of a checkpoint; the table's is interfaces/web/shared.py",
    ("worlds/bandstand/playing.py", "playing"): "how the band plays; the table's is training/note_conditioning.py",
}


def lines_with(pattern: re.Pattern[str], code: str) -> list[int]:
    """Return the lines of code, without comments and docstrings, that a pattern is found in."""
    tree = ast.parse(code)
    texts = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = (line.split("  # ")[0] for line in code.splitlines())
    return [
        number
        for number, line in enumerate(lines, 1)
        if number not in texts and not line.lstrip().startswith("#") and pattern.search(line)
    ]


def names_in(code: str) -> Iterator[tuple[int, str]]:
    """Yield every name that code defines, with its line; leading underscores are left out."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name.lstrip("_")
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name.lstrip("_")


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def outside(*rooms: str) -> list[Path]:
    return [path for path in FILES if not place(path).startswith(tuple(f"{room}/" for room in rooms))]


@pytest.mark.parametrize("path", outside("models"), ids=place)
def test_only_models_name_a_network(path: Path) -> None:
    lines = lines_with(NETWORK, path.read_text(encoding="utf-8"))
    assert not lines, f"{place(path)}, lines {lines}: a network is `model.network`, whatever its family calls it"


@pytest.mark.parametrize("path", outside("media", "models"), ids=place)
def test_no_medium_is_compared(path: Path) -> None:
    lines = lines_with(MEDIUM, path.read_text(encoding="utf-8"))
    assert not lines, f"{place(path)}, lines {lines}: ask the medium for what differs (media/medium.py)"


@pytest.mark.parametrize("path", outside("core", "models", "verification"), ids=place)
def test_guidance_goes_through_the_model(path: Path) -> None:
    lines = lines_with(GUIDED, path.read_text(encoding="utf-8"))
    assert not lines, f"{place(path)}, lines {lines}: families guide in their own ways; call `model.denoiser`"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_levels_are_the_models(path: Path) -> None:
    lines = lines_with(LEVELS, path.read_text(encoding="utf-8"))
    assert not lines, f"{place(path)}, lines {lines}: families shift levels by the latent's shape; call `model.grid`"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_no_file_is_too_long(path: Path) -> None:
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= MOST_LINES, f"{place(path)} has {length} lines, more than {MOST_LINES}: it has two ideas in it"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_folder_is_too_full(folder: Path) -> None:
    count = sum(path.is_file() for path in folder.iterdir())
    assert count <= MOST_FILES, f"{folder} has {count} files, more than {MOST_FILES}: it has two rooms in it"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_no_old_word_is_a_name(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    old = [(line, name) for line, name in names_in(code) if name in GONE and (place(path), name) not in ALLOWED]
    assert not old, f"{place(path)}: {old} are names that the design renamed; take the field's word"
    assert path.stem not in GONE_MODULES or (place(path), path.stem) in ALLOWED, f"{place(path)} has an old name"


def test_every_exception_is_needed() -> None:
    for where, name in ALLOWED:
        path = PACKAGE / where
        assert path.stem == name or name in {found for _, found in names_in(path.read_text(encoding="utf-8"))}, where


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        (NETWORK, "model.parts.unet"),
        (NETWORK, "pipe.transformer(x)"),
        *(
            (MEDIUM, code)
            for code in (
                "if model.medium == PICTURE: pass",
                "model.medium is not PICTURE",
                'kind == "sound"',
                'kind != "picture"',
                "x = 1 if is_sound(path) else 2",
                "model.mel is None",
                "mel is not None",
                "if model.mel: pass",
                "if not model.mel: pass",
            )
        ),
    ],
)
def test_the_rules_find_what_they_forbid(pattern: re.Pattern[str], code: str) -> None:
    assert lines_with(pattern, code) == [1]
    assert lines_with(pattern, f"x = 1  # {code}") == []


def test_names_are_found_wherever_they_are_defined() -> None:
    code = "def told(wish, *, heard=1):\n    seen = 1\n    self._asked = 2\n    for joint in x: pass\nclass Limited: 1"
    assert {name for _, name in names_in(code)} >= {"told", "wish", "heard", "seen", "asked", "joint", "Limited"}
