"""The tables of docs/reference/checkpoints.md, whose cells are tests."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "checkpoints.md"


def rows(section: str) -> list[dict[str, str]]:
    """Return the rows of a section's table, by column."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    names = cells[0]
    return [dict(zip(names, row, strict=True)) for row in cells[2:] if len(row) == len(names)]


def checkpoint_of(cell: str) -> str:
    """Return the tiny checkpoint that a cell names as code."""
    return cell.split("`")[1]
