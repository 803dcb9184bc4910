"""The output of `regrow bench edit`: a table, figures of every setting, JSON, and a sheet of pictures."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any, TextIO

from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.edit_tasks import FIELDS, KINDS
from regrow.benchmark.editing import EditingFigures
from regrow.benchmark.editors import Setting
from regrow.benchmark.estimates import Estimate, mean, print_rows, shown
from regrow.benchmark.results_store import EditResult
from regrow.benchmark.tuning import Measured
from regrow.media.image.sheet import Cell, Row, sheet


def figures_of(results: Sequence[EditResult]) -> dict[str, Estimate]:
    """Return means over tasks with confidence intervals; distances in a region only over tasks that have the region."""
    names = ("granted", "spoiled", "clean", "outside", "outside_ssim", "inside", "sky")
    columns = {name: [value for o in results if (value := getattr(o, name)) is not None] for name in names}
    return {name: mean(column) for name, column in columns.items() if column}


def lost_by_field(results: Sequence[EditResult]) -> dict[str, float]:
    """Return for each field of a scene the fraction of tasks that changed it wrongly."""
    return {field: sum(field in o.lost for o in results) / max(1, len(results)) for field in FIELDS}


def as_dict(figures: EditingFigures) -> dict[str, Any]:
    """Return all figures JSON-able, without the pictures."""

    def columns(m: Measured) -> dict[str, Any]:
        facts = {"editor": m.editor, "about": m.about, "rival": m.baseline}
        if m.failure:
            return {**facts, "failure": m.failure}
        return {
            **facts,
            "setting": asdict(m.chosen) if m.chosen else None,
            "figures": _plain(m.results),
            "by_kind": {kind: _plain([o for o in m.results if o.kind == kind]) for kind in KINDS},
            "round_trip": asdict(mean(m.round_trip)) if m.round_trip else None,
            "lost": lost_by_field(m.results),
            "cost": asdict(m.cost) if m.cost else None,
            "evaluations": median(o.evaluations for o in m.results),
            "seconds": median(o.seconds for o in m.results),
            "trade_off": [{**asdict(setting), "figures": _plain(tried)} for setting, tried in m.tuning],
        }

    return {
        "wishes": figures.tasks,
        "tuning": figures.tuning,
        "seconds": figures.seconds,
        "editors": [columns(m) for m in figures.measured],
    }


def print_table(figures: EditingFigures, out: TextIO) -> None:
    """Print each editor at its chosen setting, its results by kind of task, and every setting that was tried."""
    print(
        f"{figures.tasks} edits; settings chosen on {figures.tuning} others; 95 % bootstrap intervals; "
        f"{figures.seconds:.0f} s\n",
        file=out,
    )
    width = 2 + max(18, *(len(_name(m)) for m in figures.measured))
    heads = ("strength", "guidance", "granted %", "spoiled %", "clean %", "outside dB", "inside dB", "round trip dB")
    print_rows([("", (*heads, "evaluations", "processor s", "memory MB"))], width, 15, out)
    for m in figures.measured:
        if m.chosen is None:
            print(f"{_name(m):{width}}did not run: {m.failure}", file=out)
        else:
            print_rows([(_name(m), _cells(m, m.chosen))], width, 15, out)
    print("(* = baseline; processor s, memory MB: of one picture alone)\n", file=out)
    ran = [m for m in figures.measured if not m.failure]
    kinds = [(_name(m), [_percent([o.clean for o in m.results if o.kind == kind]) for kind in KINDS]) for m in ran]
    print_rows([("clean %, by kind", KINDS), *kinds], width, 10, out)
    print(file=out)
    print_rows([("spoiled %, by field", (*FIELDS, "sky colour %"))], width, 13, out)
    for m in ran:
        sky = figures_of(m.results).get("sky")
        lost = [f"{100 * share:.0f}" for share in lost_by_field(m.results).values()]
        print_rows([(_name(m), (*lost, f"{100 * sky.value:.0f}" if sky else "-"))], width, 13, out)
    if not figures.tuning:
        return
    print("\ntrade-off, on the tuning edits: strength / guidance: granted % / spoiled %", file=out)
    for m in ran:
        points = ((setting, figures_of(tried)) for setting, tried in m.tuning if tried)
        columns = (
            f"{setting.strength:g}/{setting.guidance:g}: {100 * means['granted'].value:.0f}/"
            f"{100 * means['spoiled'].value:.1f}"
            for setting, means in points
        )
        print(f"{_name(m):{width}}" + "   ".join(columns), file=out)


def contact_sheet(figures: EditingFigures, cell: int = 128) -> Float[Tensor, "3 h w"]:
    """Return the first tasks: scene, truth, and every editor."""
    rows = []
    for sample in figures.shown:
        cells = [Cell(sample.before, ["scene"]), Cell(sample.truth, ["truth"])]
        cells += [Cell(picture, [name]) for name, picture in sample.made.items()]
        rows.append(Row(f"{sample.task.kind}: {sample.task.source} -> {sample.task.target}", cells))
    return sheet(rows, cell, "edits beside the truth")


def _plain(results: Sequence[EditResult]) -> dict[str, Any]:
    return {name: asdict(estimate) for name, estimate in figures_of(results).items()} if results else {}


def _name(m: Measured) -> str:
    return f"{m.editor}{' *' if m.baseline else ''}"


def _cells(m: Measured, chosen: Setting) -> list[str]:
    means = figures_of(m.results)
    return [
        f"{chosen.strength:g}",
        f"{chosen.guidance:g}",
        *(shown(means[name], 100, 0) for name in ("granted", "spoiled", "clean")),
        *(_decibels(means.get(name)) for name in ("outside", "inside")),
        f"{mean(m.round_trip).value:.1f}" if m.round_trip else "-",
        f"{median(o.evaluations for o in m.results):g}",
        f"{m.cost.processor:.1f}" if m.cost else "-",
        f"{m.cost.memory / 2**20:.0f}" if m.cost and m.cost.memory is not None else "-",
    ]


def _percent(hits: Sequence[bool]) -> str:
    return f"{100 * sum(hits) / len(hits):.0f}" if hits else "-"


def _decibels(estimate: Estimate | None) -> str:
    return f"{estimate.value:.2f}" if estimate else "-"
