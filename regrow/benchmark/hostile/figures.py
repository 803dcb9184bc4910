"""The results of `regrow bench hostile`, as a table and as JSON."""

from dataclasses import asdict
from typing import Any, TextIO

from regrow.benchmark.hostile.attempt import FAILURES, Outcome
from regrow.benchmark.hostile.bench import HostileFigures
from regrow.benchmark.hostile.kills import KillFigures

COLUMNS = ("accepted", "refused", *FAILURES)
LISTED = 20
"""Failures that are printed; the folder has all."""


def as_dict(figures: HostileFigures | None, kills: KillFigures | None) -> dict[str, Any]:
    """Return all figures, JSON-able."""
    facts: dict[str, Any] = {}
    if figures:
        facts = asdict(figures) | {"inputs": figures.total, "failures": [asdict(one) for one in figures.failures]}
    return facts | {"kills": asdict(kills) if kills else None}


def print_table(figures: HostileFigures | None, kills: KillFigures | None, out: TextIO) -> None:
    """Print a row for each kind of input, the failures, and the results of killed trainings."""
    if figures:
        heads = "".join(f"{name:>9}" for name in COLUMNS)
        print(f"{'':17}{'inputs':>8}{heads}{'s each':>8}{'slowest':>9}{'MiB':>6}", file=out)
        for kind, counts in figures.counts.items():
            _print_row(figures, kind, counts, out)
        whole = {name: sum(counts.get(name, 0) for counts in figures.counts.values()) for name in COLUMNS}
        print(f"{'all':17}{figures.total:8}" + "".join(f"{whole[name]:9}" for name in COLUMNS), file=out)
        for failure in figures.failures[:LISTED]:
            print(f"{failure.kind} {failure.index} ({failure.file}, {failure.how}): {_last_line(failure)}", file=out)
    if kills:
        print(
            f"{kills.kills} SIGKILLs of {kills.runs} trainings: {kills.differing} of {kills.files} weight files differ "
            f"from those of a training that was not killed ({kills.seconds:.0f} s)",
            file=out,
        )


def _print_row(figures: HostileFigures, kind: str, counts: dict[str, int], out: TextIO) -> None:
    total = sum(counts.values())
    row = "".join(f"{counts.get(name, 0):9}" for name in COLUMNS)
    each, largest = figures.seconds[kind] / total, figures.largest[kind] >> 20
    print(f"{kind:17}{total:8}{row}{each:8.3f}{figures.slowest[kind]:9.2f}{largest:6}", file=out)


def _last_line(failure: Outcome) -> str:
    return f"{failure.verdict}: {(failure.detail.strip().splitlines() or [''])[-1][:200]}"
