"""Measure the speed of an edit: regrow, the course's procedure, diffusers' DDIM pair, and each optimisation alone.

All use the same picture, edit, checkpoint, process and number of threads. They run in turn, so that a temporary load of
the machine affects all of them; the median counts.
"""

import textwrap
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import torch

from regrow.benchmark.cost import Cost, cost_of_run
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editing_figures import figures_of
from regrow.benchmark.editors import Editor, Setting, batched
from regrow.benchmark.estimates import Estimate, print_rows
from regrow.benchmark.peak import Share, matrix_peak, share_of
from regrow.benchmark.results_store import finite
from regrow.benchmark.speed_ways import OTHER_STEPS, PLAIN, Made, Way, ways_to_edit
from regrow.core.progress import Progress
from regrow.editing.strength import USUAL
from regrow.media.image.distance import psnr
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.models.engines.engine import Engine
from regrow.models.engines.network import network_of
from regrow.models.engines.openvino import OpenVino
from regrow.models.engines.openvino_runtime import fastest, installed
from regrow.models.model import Model
from regrow.models.shapes import stable_diffusion_15, stable_diffusion_xl
from regrow.requests.edit import USUAL_GUIDANCE, Edit

QUALITY = ("granted", "clean", "spoiled", "outside", "inside")


@dataclass(frozen=True)
class Speed:
    """The speed of one variant.

    Attributes:
        way: its name.
        about: what it is.
        evaluations: network calls with one sample, per edit.
        seconds: wall-clock seconds per edit.
        processor: CPU seconds per edit.
        memory: peak in bytes above what the process held before; None if the system does not report it.
        alike: PSNR in dB between its picture and that of regrow's default edit in torch.
    """

    way: str
    about: str
    evaluations: float
    seconds: float
    processor: float
    memory: int | None
    alike: float


@dataclass(frozen=True)
class SpeedFigures:
    """All figures of a run.

    Attributes:
        speeds: of the variants, the Hugging Face diffusion course's procedure first; empty if they were left out.
        once: CPU seconds until the engine has computed a sample and a guided pair, first with and then without
            converting the network; None without OpenVINO.
        quality: of the default method by number of steps, on tasks with a known answer; names as in `figures_of`.
        shares: of the machine's peak.
        missing: what was not measured, and why.
        threads: of the CPU.
        precision: of OpenVINO, and of the peak.
    """

    speeds: tuple[Speed, ...]
    once: tuple[float, float] | None
    quality: dict[str, dict[str, Estimate]]
    shares: tuple[Share, ...]
    missing: tuple[str, ...]
    threads: int
    precision: str


def bench_speed(
    model: Model, turns: int = 3, tasks: int = 48, large: bool = False
) -> Generator[Progress, None, SpeedFigures]:
    """Measure variants of the same edit, and the share of the machine's peak that the network reaches.

    Args:
        model: a picture model that takes prompts, in torch.
        turns: repetitions of each variant; 0 leaves the variants out.
        tasks: number of tasks for the quality at other numbers of steps; 0 leaves it out.
        large: whether to measure networks of the size of Stable Diffusion 1.5 and XL too; this takes minutes and 12 GB.

    Raises:
        ValueError: a sound model, or one that takes no prompts.
    """
    PICTURE.require(model)
    if not model.takes_words:
        raise ValueError(f"{model.name} does not make pictures from prompts, which the speed benchmark needs.")
    precision = fastest() if installed() else "float32"
    missing = [] if installed() else ["openvino: it is not installed (pip install openvino)"]
    if precision != "bfloat16":
        missing.append("bfloat16: this CPU has no instructions for it, as far as OpenVINO tells")
    peak = matrix_peak(precision)
    engines: dict[str, Engine] = {}
    once, speeds, quality = None, [], {}
    with TemporaryDirectory(prefix="regrow-speed-") as folder:
        aside = Path(folder)
        if installed():
            engines["openvino"], once = _made_twice(model, aside / "engine")
        if turns:
            speeds = yield from _turns(ways_to_edit(model, engines, precision == "bfloat16", aside), turns)
        if tasks:
            quality = yield from _quality(model.using(engines.get("openvino")), tasks)
        rounds = precision == "bfloat16"
        shares = [(yield from share_of(network_of(model), engines, peak, bfloat16=rounds))]
        if large:
            network = stable_diffusion_15()
            compiled: dict[str, Engine] = {name: OpenVino(network, precision, aside / "large") for name in engines}
            shares.append((yield from share_of(network, compiled, peak, times=1, bfloat16=rounds)))
            del network, compiled  # two networks of this size would not fit into memory
            network = stable_diffusion_xl(torch.bfloat16 if rounds else torch.float32)
            shares.append((yield from share_of(network, {}, peak, times=1, bfloat16=rounds)))
            missing.append("Stable Diffusion XL's shape by openvino: not tried, for converting holds its 10 GB twice")
    return SpeedFigures(tuple(speeds), once, quality, tuple(shares), tuple(missing), torch.get_num_threads(), precision)


def _made_twice(model: Model, root: Path) -> tuple[OpenVino, tuple[float, float]]:
    """Return the engine, and the CPU seconds to make it: by conversion, and from the files on disk."""
    x = torch.zeros(1, *model.latent_shape(*model.size))
    made = []
    for _ in range(2):
        started = time.process_time()
        engine = OpenVino(network_of(model), fastest(), root)
        for guidance in (1.0, 2.0):
            model.using(engine).denoiser(model.condition([""]), guidance=guidance)(x, model.schedule.noisiest)
        made.append((engine, time.process_time() - started))
    return made[1][0], (made[0][1], made[1][1])


def _turns(ways: Sequence[Way], turns: int) -> Generator[Progress, None, list[Speed]]:
    made: dict[str, Made] = {}
    costs: dict[str, list[Cost]] = {way.name: [] for way in ways}

    def run(way: Way) -> None:
        made[way.name] = way.run()

    for turn in range(1 + turns):
        for i, way in enumerate(ways):
            yield Progress("turns", turn * len(ways) + i, (1 + turns) * len(ways))
            if turn:
                costs[way.name].append(cost_of_run(lambda way=way: run(way)))
            else:  # the first turn is not measured: it compiles, loads and fills caches
                run(way)
    yield Progress("turns", (1 + turns) * len(ways), (1 + turns) * len(ways))
    return [_speed(way, costs[way.name], made[way.name], made[PLAIN]) for way in ways]


def _speed(way: Way, costs: Sequence[Cost], made: Made, plain: Made) -> Speed:
    memory = [cost.memory for cost in costs if cost.memory is not None]
    return Speed(
        way.name,
        way.about,
        made.evaluations,
        median(cost.seconds for cost in costs) / way.edits,
        median(cost.processor for cost in costs) / way.edits,
        max(memory) if memory else None,
        finite(psnr(made.picture, plain.picture)),
    )


def _quality(model: Model, tasks: int) -> Generator[Progress, None, dict[str, dict[str, Estimate]]]:
    """Return the quality of the default edit by number of steps, at the usual strength for all tasks."""
    setting = Setting(USUAL, USUAL_GUIDANCE)
    editors = [
        Editor(f"{steps} steps", Edit.method, batched(Edit.method, steps), (setting,))
        for steps in (model.edit_steps, *OTHER_STEPS)
    ]
    figures = yield from bench_editing(model, editors, tasks, 0, 0, 0, costs=False)
    for measured in figures.measured:
        if measured.failure:
            raise ValueError(f"The quality of {measured.editor} cannot be measured: {measured.failure}")
    return {measured.editor: figures_of(measured.results) for measured in figures.measured}


def as_dict(figures: SpeedFigures) -> dict[str, Any]:
    """Return the figures JSON-able, with each variant's ratios to the Hugging Face diffusion course's procedure."""
    facts = asdict(figures)
    for speed, row in zip(figures.speeds, facts["speeds"], strict=True):
        first = figures.speeds[0]
        row["times"] = {"seconds": first.seconds / speed.seconds, "processor": first.processor / speed.processor}
    for share, row in zip(figures.shares, facts["shares"], strict=True):
        row["shares"] = share.shares
    return facts


def print_table(figures: SpeedFigures, out: TextIO) -> None:
    """Print the figures for a terminal of 120 columns; ratios are to the first line."""
    print(f"{figures.threads} threads, {figures.precision}", file=out)
    if figures.speeds:
        _print_speeds(figures.speeds, out)
    if figures.once:
        made, loaded = figures.once
        print(f"openvino is ready after {made:.1f} s the first time, and {loaded:.1f} s in later processes", file=out)
    if figures.quality:
        count = next(iter(figures.quality.values()))["granted"].count
        print(file=out)
        print_rows([(f"on {count} edits", QUALITY)], 24, 13, out)
    for name, means in figures.quality.items():
        print_rows([(name, (f"{means[key].value:.3g}" if key in means else "-" for key in QUALITY))], 24, 13, out)
    print("\none call with one sample", file=out)
    for share in figures.shares:
        print(f"{share.network}: {share.flops / 1e9:.1f} Gflop", file=out)
        for name, part in share.shares.items():
            facts = f"{share.seconds[name]:.4f} s, {100 * part:.0f} % of the peak of {share.peak / 1e9:.0f} Gflop/s"
            print(f"  {name:22}{facts}", file=out)
    for why in figures.missing:
        print(textwrap.fill(f"not measured: {why}", 120, subsequent_indent="  "), file=out)


def _print_speeds(speeds: Sequence[Speed], out: TextIO) -> None:
    heads = ("evaluations", "seconds", "times", "processor s", "times", "memory MB", "alike dB")
    print(file=out)
    print_rows([("", heads)], 24, 13, out)
    first = speeds[0]
    for speed in speeds:
        cells = (
            f"{speed.evaluations:g}",
            f"{speed.seconds:.3f}",
            f"{first.seconds / speed.seconds:.1f}",
            f"{speed.processor:.3f}",
            f"{first.processor / speed.processor:.1f}",
            "-" if speed.memory is None else f"{speed.memory / 2**20:.0f}",
            f"{speed.alike:.1f}",
        )
        print_rows([(speed.way, cells)], 24, 13, out)
    print(
        "(of one edit, the median turn; times: faster than the course's procedure; memory: above what was held",
        file=out,
    )
    print(f"before; alike: to the picture of {PLAIN!r})", file=out)
