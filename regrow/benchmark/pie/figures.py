"""The results of PIE-Bench, as data and as a Markdown table with the columns of the published one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from regrow.benchmark.estimates import Estimate, mean
from regrow.benchmark.pie.measure import PieResult


@dataclass(frozen=True)
class PieMeasured:
    """The results of one method.

    Attributes:
        method: its name.
        results: of all pictures, each with its editing type.
        seconds: of the edits that were timed.
        notes: sentences about how it was run.
        failure: a sentence that says why it did not run; then the rest is empty.
    """

    method: str
    results: tuple[tuple[str, PieResult], ...] = ()
    seconds: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class PieFigures:
    """All figures of a run.

    Attributes:
        model: its name.
        settings: shared by all methods.
        measured: one row per method.
        networks: names of the networks that measured, by kind; None for one that is not on this machine.
        missing: a sentence for each missing network.
        seconds: duration of the run.
    """

    model: str
    settings: dict[str, Any]
    measured: tuple[PieMeasured, ...]
    networks: dict[str, str | None]
    missing: tuple[str, ...]
    seconds: float


COLUMNS = (
    ("structure", "Structure distance x10^3 ↓", 1e3),
    ("psnr", "PSNR ↑", 1),
    ("lpips", "LPIPS x10^3 ↓", 1e3),
    ("mse", "MSE x10^4 ↓", 1e4),
    ("ssim", "SSIM x10^2 ↑", 1e2),
    ("clip_whole", "CLIP whole ↑", 1),
    ("clip_edited", "CLIP edited ↑", 1),
)
"""Key, heading and factor of the columns, in the order of table 1 of the paper."""


def summary(results: Sequence[PieResult]) -> dict[str, Estimate]:
    """Return the mean of each figure over the pictures for which it was measured."""
    values = {key: [getattr(result, key) for result in results] for key, _, _ in COLUMNS}
    found = {key: [value for value in column if value is not None] for key, column in values.items()}
    return {key: mean(column) for key, column in found.items() if column}


def as_dict(figures: PieFigures) -> dict[str, Any]:
    """Return the figures JSON-able, without the factors of the table."""

    def plain(results: Sequence[PieResult]) -> dict[str, Any]:
        return {"pictures": len(results)} | {key: asdict(one) for key, one in summary(results).items()}

    def row(one: PieMeasured) -> dict[str, Any]:
        if one.failure:
            return {"method": one.method, "failure": one.failure}
        of = {
            category: plain([result for other, result in one.results if other == category])
            for category in sorted({category for category, _ in one.results})
        }
        return {
            "method": one.method,
            "figures": plain([result for _, result in one.results]),
            "categories": of,
            "seconds": asdict(mean(one.seconds)) if one.seconds else None,
            "notes": one.notes,
        }

    return {
        "model": figures.model,
        "settings": figures.settings,
        "networks": figures.networks,
        "missing": figures.missing,
        "seconds": figures.seconds,
        "measured": [row(one) for one in figures.measured],
    }


def print_table(figures: PieFigures, out: TextIO) -> None:
    """Print the table in Markdown, and sentences on what was not measured."""
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.settings.items())
    print(f"PIE-Bench with {figures.model}: {settings}\n", file=out)
    print("| " + " | ".join(("Method", *(head for _, head, _ in COLUMNS), "Pictures")) + " |", file=out)
    print("|---|" + "---:|" * (len(COLUMNS) + 1), file=out)
    for one in figures.measured:
        if not one.failure:
            means = summary([result for _, result in one.results])
            cells = [f"{factor * means[key].value:.2f}" if key in means else "-" for key, _, factor in COLUMNS]
            print("| " + " | ".join((one.method, *cells, str(len(one.results)))) + " |", file=out)
    said = [f"{one.method}: did not run: {one.failure}" for one in figures.measured if one.failure]
    said += [f"{one.method}: {note}" for one in figures.measured for note in one.notes]
    bare = max((sum(result.mse is None for _, result in one.results) for one in figures.measured), default=0)
    if bare:
        said.append(f"PSNR, LPIPS, MSE and SSIM are of the pictures with a background: {bare} have none.")
    for sentence in (*said, *figures.missing):
        print(f"\n{sentence}", file=out)
