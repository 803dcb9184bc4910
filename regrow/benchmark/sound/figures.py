"""The results of the benchmark of sound edits, as data and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from regrow.benchmark.estimates import Estimate, mean, shown
from regrow.benchmark.tuning import Measured


@dataclass(frozen=True, kw_only=True)
class SoundResult:
    """The figures of one edit: see `measure`; also network evaluations, and seconds from frames to wave.

    Figures that were not measured are None.
    """

    truth: float
    source: float
    codec: float
    loudness: float
    chroma: float
    melody: float
    right_instrument: bool | None = None
    notes: float | None = None
    clap: float | None = None
    lpaps: float | None = None
    span_kept: bool | None = None
    evaluations: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class SoundFigures:
    """All figures of a run.

    Attributes:
        model: its name.
        phrases: number of phrases that were measured.
        first_seed: of these phrases.
        tuning: number of phrases that settings were chosen on.
        limits: results of the counterfactual and of the source, each through the codec.
        measured: one row per editor.
        seconds: duration of the run.
        length: seconds of a phrase.
        clap: name of the CLAP model; empty if there was none.
    """

    model: str
    phrases: int
    first_seed: int
    tuning: int
    limits: dict[str, tuple[SoundResult, ...]]
    measured: tuple[Measured, ...]
    seconds: float
    length: float
    clap: str = ""


COLUMNS = (
    ("heard", "heard, %", 100, 0),
    ("notes", "notes, F1", 1, 2),
    ("truth", "to the truth, dB", 1, 1),
    ("source", "to the source, dB", 1, 1),
    ("codec", "to the codec, dB", 1, 1),
    ("loudness", "louder, dB", 1, 1),
    ("chroma", "chroma, cosine", 1, 2),
    ("melody", "CQT-1, Pearson", 1, 2),
    ("span_kept", "outside a span, %", 100, 0),
    ("clap", "CLAP", 1, 2),
    ("lpaps", "LPAPS", 1, 2),
)
"""Key, heading, factor and digits of the columns of the table."""
IN_A_ROW = 4
"""Columns per line of the table."""


def summary(results: Sequence[SoundResult]) -> dict[str, Estimate]:
    """Return the mean of each measured field with its confidence interval, by its name in JSON."""
    columns = {name: [getattr(result, name) for result in results] for name in asdict(results[0])}
    found = {name: [float(value) for value in values if value is not None] for name, values in columns.items()}
    return {"heard" if name == "right_instrument" else name: mean(values) for name, values in found.items() if values}


def as_dict(figures: SoundFigures) -> dict[str, Any]:
    """Return the figures JSON-able."""

    def plain(results: Sequence[SoundResult]) -> dict[str, Any]:
        return {name: asdict(estimate) for name, estimate in summary(results).items()}

    def columns(one: Measured) -> dict[str, Any]:
        facts = {"editor": one.editor, "rival": one.baseline}
        if one.chosen is None:
            return {**facts, "failure": one.failure}
        tuning = [{**asdict(setting), "figures": plain(results)} for setting, results in one.tuning if results]
        return {**facts, "chosen": asdict(one.chosen), "figures": plain(one.results), "tuning": tuning}

    return {
        "model": figures.model,
        "phrases": figures.phrases,
        "length": figures.length,
        "tuning": figures.tuning,
        "clap": figures.clap or None,
        "seconds": figures.seconds,
        "limits": {name: plain(results) for name, results in figures.limits.items()},
        "measured": [columns(one) for one in figures.measured],
    }


def print_table(figures: SoundFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    settings = f"settings chosen on {figures.tuning} others" if figures.tuning else "the first setting of each way"
    print(
        f"{figures.model}\n{figures.phrases} phrases of {figures.length:.1f} s from seed {figures.first_seed}, "
        f"{settings}; 95 % bootstrap intervals; {figures.seconds:g} s",
        file=out,
    )
    rows = {
        "the truth, codec + phase": summary(figures.limits["truth"]),
        "the source, unchanged": summary(figures.limits["source"]),
    }
    for one in figures.measured:
        if one.chosen is not None:
            mark = "*" if one.baseline else ""
            rows[f"{one.editor}{mark} {one.chosen.strength:g} g{one.chosen.guidance:g}"] = summary(one.results)
    there = [column for column in COLUMNS if any(column[0] in means for means in rows.values())]
    width = max(26, *(len(name) + 1 for name in rows))
    for i in range(0, len(there), IN_A_ROW):
        part, last = there[i : i + IN_A_ROW], i == 0
        costs = f"{'calls':>6}{'s':>6}" if last else ""
        print(f"\n{'':<{width}}" + "".join(f"{head:<20}" for _, head, _, _ in part) + costs, file=out)
        for name, means in rows.items():
            cells = [shown(means[key], factor, digits) if key in means else "-" for key, _, factor, digits in part]
            costs = f"{means['evaluations'].value:>6.0f}{means['seconds'].value:>6.1f}" if last else ""
            print((f"{name:<{width}}" + "".join(f"{cell:<20}" for cell in cells) + costs).rstrip(), file=out)
    print("\n* a baseline; then strength and guidance", file=out)
    for one in figures.measured:
        if one.chosen is None:
            print(f"{one.editor}: did not run: {one.failure}", file=out)
    if "heard" not in rows["the source, unchanged"]:
        print("heard, notes: not measured, for the model does not know the bandstand's words", file=out)
    if not figures.clap:
        print("CLAP, LPAPS: not measured, for no CLAP model was given (--clap FOLDER)", file=out)
