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
    ("editing/songs/score.py", "score"): "the score of a song; the table's is worlds/bandstand/composition.py",
    ("worlds/songbook/score.py", "score"): "words on notes, as a singer reads them",
    ("models/parts.py", "parts"): "the parts of a checkpoint",
    ("worlds/bandstand/playing.py", "playing"): "how the band plays; the table's is training/note_conditioning.py",
}


def lines_with(pattern: re.Pattern[str], code: str) -> list[int]:
    """Return the lines of code, without comments and docstrings, that a pattern is found in."""
    lines = (line.split("  # ")[0] for line in code.splitlines())
    found = [n for n, line in enumerate(lines, 1) if not line.lstrip().startswith("#") and pattern.search(line)]
    texts = set[int]()
    for node in ast.walk(ast.parse(code)) if found else ():
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            texts.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return [n for n in found if n not in texts]


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


def places_of(pattern: re.Pattern[str], paths: list[Path]) -> dict[str, list[int]]:
    """Return the lines that a pattern is found in, by file; one test reads them all, as a test a file costs more."""
    found = {place(path): lines_with(pattern, path.read_text(encoding="utf-8")) for path in paths}
    return {name: lines for name, lines in found.items() if lines}


def test_only_models_name_a_network() -> None:
    found = places_of(NETWORK, outside("models"))
    assert not found, f"{found}: a network is `model.network`, whatever its family calls it"


def test_no_medium_is_compared() -> None:
    found = places_of(MEDIUM, outside("media", "models"))
    assert not found, f"{found}: ask the medium for what differs (media/medium.py)"


def test_guidance_goes_through_the_model() -> None:
    found = places_of(GUIDED, outside("core", "models", "verification"))
    assert not found, f"{found}: families guide in their own ways; call `model.denoiser`"


def test_levels_are_the_models() -> None:
    found = places_of(LEVELS, FILES)
    assert not found, f"{found}: families shift levels by the latent's shape; call `model.grid`"


def test_no_file_is_too_long() -> None:
    lengths = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    long = {name: length for name, length in lengths.items() if length > MOST_LINES}
    assert not long, f"{long} lines, more than {MOST_LINES}: there are two ideas in it"


def test_no_folder_is_too_full() -> None:
    counts = {str(folder): sum(path.is_file() for path in folder.iterdir()) for folder in FOLDERS}
    full = {name: count for name, count in counts.items() if count > MOST_FILES}
    assert not full, f"{full} files, more than {MOST_FILES}: there are two rooms in it"


def test_no_old_word_is_a_name() -> None:
    for path in FILES:
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
