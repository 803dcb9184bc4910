"""What the benchmark of sound edits finds, as data and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TextIO

from regrow.benchmark.editors import Setting
from regrow.benchmark.estimates import Estimate, mean


@dataclass(frozen=True)
class Outcome:
    """Of one edit: see `sounds`; and network calls, and seconds with everything from mel to wave."""

    heard: bool
    notes: float
    truth: float
    source: float
    evaluations: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Measured:
    """A way to edit: its settings on the tuning phrases, the chosen one's outcomes, or why it did not run."""

    editor: str
    rival: bool
    chosen: Setting | None = None
    tuning: tuple[tuple[Setting, tuple[Outcome, ...]], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    failure: str = ""


@dataclass(frozen=True, eq=False)
class SoundFigures:
    """All of a run; `limits` are the counterfactual and the source, each through codec and phase."""

    model: str
    phrases: int
    first_seed: int
    tuning: int
    limits: dict[str, tuple[Outcome, ...]]
    measured: tuple[Measured, ...]
    seconds: float


def summary(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """The means of all fields, with their intervals."""
    return {name: mean([float(getattr(outcome, name)) for outcome in outcomes]) for name in asdict(outcomes[0])}


def as_dict(figures: SoundFigures) -> dict[str, Any]:
    """The figures as JSON can hold them."""

    def plain(outcomes: Sequence[Outcome]) -> dict[str, Any]:
        return {name: asdict(found) for name, found in summary(outcomes).items()}

    return {
        "model": figures.model,
        "phrases": figures.phrases,
        "tuning": figures.tuning,
        "seconds": figures.seconds,
        "limits": {name: plain(outcomes) for name, outcomes in figures.limits.items()},
        "measured": [
            {"editor": one.editor, "rival": one.rival, "failure": one.failure}
            if one.chosen is None
            else {
                "editor": one.editor,
                "rival": one.rival,
                "chosen": asdict(one.chosen),
                "figures": plain(one.outcomes),
                "tuning": [{**asdict(setting), "figures": plain(outcomes)} for setting, outcomes in one.tuning],
            }
            for one in figures.measured
        ],
    }


def print_table(figures: SoundFigures, out: TextIO) -> None:
    """Print the figures as lines for a terminal of 120 columns."""
    print(
        f"{figures.model}: {figures.phrases} phrases from seed {figures.first_seed}, settings chosen on "
        f"{figures.tuning} others; 95 % bootstrap intervals; {figures.seconds:g} s\n",
        file=out,
    )
    head = ("heard, %", "notes, F1", "to the truth, dB", "to the source, dB")
    print(f"{'':<26}" + "".join(f"{name:<20}" for name in head) + f"{'calls':>6}{'s':>6}", file=out)
    rows: list[tuple[str, Sequence[Outcome]]] = [
        ("the truth, codec + phase", figures.limits["truth"]),
        ("the source, unchanged", figures.limits["source"]),
    ]
    for one in figures.measured:
        if one.chosen is None:
            print(f"{one.editor}: did not run: {one.failure}", file=out)
            continue
        mark = "*" if one.rival else ""
        rows.append((f"{one.editor}{mark} {one.chosen.strength:g} g{one.chosen.guidance:g}", one.outcomes))
    for name, outcomes in rows:
        found = summary(outcomes)
        cells = [
            f"{factor * e.value:.{digits}f} [{factor * e.low:.{digits}f}, {factor * e.high:.{digits}f}]"
            for e, factor, digits in (
                (found["heard"], 100, 0), (found["notes"], 1, 2), (found["truth"], 1, 1), (found["source"], 1, 1),
            )
        ]  # fmt: skip
        tail = f"{found['evaluations'].value:>6.0f}{found['seconds'].value:>6.1f}"
        print(f"{name:<26}" + "".join(f"{cell:<20}" for cell in cells) + tail, file=out)
    print("\n* a rival; then the strength and the guidance that the tuning chose", file=out)
