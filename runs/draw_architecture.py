"""Draw the rooms of regrow and their imports: `docs/pictures/architecture.svg`.

    make architecture

A row is a room, with the first line of its docstring. A dot means that some file of the row's room imports from the
column's room. Rooms are in the order of `tests/test_rooms.py`, which fails if an import goes up.
"""

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "regrow"
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"
CELL, LEFT, NAME, HEAD, MARGIN = 36, 500, 110, 100, 56
LONGEST = 68
"""Most characters of a room's line; a longer one is cut at a comma, colon or semicolon."""


def rooms() -> list[str]:
    """Return the rooms as `tests/test_rooms.py` lists them, the lowest first."""
    for node in ast.parse((ROOT / "tests" / "test_rooms.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "ROOMS":
            return ast.literal_eval(node.value)
    raise ValueError("tests/test_rooms.py has no list ROOMS any more")


def imported(file: Path) -> Iterator[str]:
    """Yield the rooms that a file imports from."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
        for name in names:
            if name.startswith("regrow."):
                yield name.split(".")[1]


def line_of(room: str) -> str:
    """Return the first sentence of a room's docstring."""
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    first = " ".join(text.partition("\n\n")[0].replace("`", "").split()).partition(". ")[0].rstrip(".")
    if len(first) <= LONGEST:
        return first
    ends = [number for number, sign in enumerate(first[:LONGEST]) if sign in ",:;"]
    return first[: ends[-1] if ends else LONGEST]


def drawn() -> str:
    """Return the picture as SVG."""
    names = rooms()
    edges = {name: {one for file in (PACKAGE / name).rglob("*.py") for one in imported(file)} for name in names}
    top_down = names[::-1]
    width, height = LEFT + NAME + CELL * len(names) + MARGIN, HEAD + CELL * len(names) + MARGIN
    x = {name: LEFT + NAME + CELL * number + CELL // 2 for number, name in enumerate(top_down)}
    y = {name: HEAD + CELL * number + CELL // 2 for number, name in enumerate(top_down)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="14">',
        "<title>The rooms of regrow, and which imports from which</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, name in enumerate(top_down):
        if number % 2 == 0:
            lines.append(f'<rect x="0" y="{y[name] - CELL // 2}" width="{width}" height="{CELL}" fill="#f0f4f1"/>')
        lines += [
            f'<text x="{LEFT - 16}" y="{y[name] + 5}" text-anchor="end" fill="#555">{escape(line_of(name))}</text>',
            f'<text x="{LEFT}" y="{y[name] + 5}" font-weight="bold" fill="#111">{name}</text>',
            f'<text transform="translate({x[name] + 4} {HEAD - 8}) rotate(-50)" fill="#111">{name}</text>',
            f'<rect x="{x[name] - 9}" y="{y[name] - 9}" width="18" height="18" rx="4" fill="#14733f"/>',
        ]
        lines += [
            f'<circle cx="{x[other]}" cy="{y[name]}" r="6" fill="#14733f" fill-opacity="0.6">'
            f"<title>{name} imports from {other}</title></circle>"
            for other in top_down
            if other in edges[name] and other != name
        ]
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(rooms())} rooms")


if __name__ == "__main__":
    main()
