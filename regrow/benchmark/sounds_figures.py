"""What the benchmark of sound edits finds, as data and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from regrow.benchmark.estimates import Estimate, mean, shown
from regrow.benchmark.tuning import Measured


@dataclass(frozen=True)
class SoundResult:
    """Of one edit: see `sounds`; and network calls, and seconds with everything from mel to wave."""

    right_instrument: bool
    notes: float
    truth: float
    source: float
    evaluations: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class SoundFigures:
    """All of a run; `limits` are the counterfactual and the source, each through codec and phase."""

    model: str
    phrases: int
    first_seed: int
    tuning: int
    limits: dict[str, tuple[SoundResult, ...]]
    measured: tuple[Measured, ...]
    seconds: float


def summary(results: Sequence[SoundResult]) -> dict[str, Estimate]:
    """Compute the means of all fields, with their intervals, by their names in JSON."""
    columns = {name: [float(getattr(result, name)) for result in results] for name in asdict(results[0])}
    return {"heard" if name == "right_instrument" else name: mean(values) for name, values in columns.items()}


def as_dict(figures: SoundFigures) -> dict[str, Any]:
    """Return the figures as JSON can hold them."""

    def plain(results: Sequence[SoundResult]) -> dict[str, Any]:
        return {name: asdict(estimate) for name, estimate in summary(results).items()}

    def columns(one: Measured) -> dict[str, Any]:
        facts = {"editor": one.editor, "rival": one.baseline}
        if one.chosen is None:
            return {**facts, "failure": one.failure}
        tuning = [{**asdict(setting), "figures": plain(results)} for setting, results in one.tuning]
        return {**facts, "chosen": asdict(one.chosen), "figures": plain(one.results), "tuning": tuning}

    return {
        "model": figures.model,
        "phrases": figures.phrases,
        "tuning": figures.tuning,
        "seconds": figures.seconds,
        "limits": {name: plain(results) for name, results in figures.limits.items()},
        "measured": [columns(one) for one in figures.measured],
    }


def print_table(figures: SoundFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    print(
        f"{figures.model}: {figures.phrases} phrases from seed {figures.first_seed}, settings chosen on "
        f"{figures.tuning} others; 95 % bootstrap intervals; {figures.seconds:g} s\n",
        file=out,
    )
    heads = ("heard, %", "notes, F1", "to the truth, dB", "to the source, dB")
    print(f"{'':<26}" + "".join(f"{name:<20}" for name in heads) + f"{'calls':>6}{'s':>6}", file=out)
    rows: list[tuple[str, Sequence[SoundResult]]] = [
        ("the truth, codec + phase", figures.limits["truth"]),
        ("the source, unchanged", figures.limits["source"]),
    ]
    for one in figures.measured:
        if one.chosen is None:
            print(f"{one.editor}: did not run: {one.failure}", file=out)
            continue
        mark = "*" if one.baseline else ""
        rows.append((f"{one.editor}{mark} {one.chosen.strength:g} g{one.chosen.guidance:g}", one.results))
    for name, results in rows:
        means = summary(results)
        columns = (("heard", 100, 0), ("notes", 1, 2), ("truth", 1, 1), ("source", 1, 1))
        cells = "".join(f"{shown(means[key], factor, digits):<20}" for key, factor, digits in columns)
        print(f"{name:<26}{cells}{means['evaluations'].value:>6.0f}{means['seconds'].value:>6.1f}", file=out)
    print("\n* a rival; then the strength and the guidance that the tuning chose", file=out)
