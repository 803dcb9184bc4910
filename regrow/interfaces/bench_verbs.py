"""Run the benchmarks of `regrow bench`, and print tables or JSON."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from regrow.benchmark import editing_figures, world_figures
from regrow.benchmark import mel as mels
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editors import BY_KIND, MASKED, Editor, own_editors, short_words, sound_editors
from regrow.benchmark.pareto_plot import curves
from regrow.benchmark.riffusion import bench_riffusion
from regrow.benchmark.sound import figures as sound_figures
from regrow.benchmark.sound.bench import bench_sounds
from regrow.benchmark.training import bench_training
from regrow.benchmark.world_bench import bench_world
from regrow.core.names import Switch
from regrow.interfaces.reporting import opened, print_json, set_threads, watched
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings
from regrow.media.files import write_whole
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.image.picture import check_savable, save
from regrow.media.medium import Medium
from regrow.media.output import check_output
from regrow.models.codecs.riffusion import RATE
from regrow.models.model import Model
from regrow.requests.bench import MelScale
from regrow.requests.generate import Generate

if TYPE_CHECKING:
    from regrow.interfaces.run import Opening, Report
    from regrow.requests.bench import BenchEdit, BenchFit, BenchPie, BenchSong, BenchSound, BenchSpeed
    from regrow.requests.bench_load import BenchLoad

MEDIA = {"storybook": PICTURE, "bandstand": SOUND}
"""The medium of each world."""
SOUND_BASELINES = ("course", "ddim pair")
"""Baselines that need only network, codec and prompts; diffusers' pipelines take only pictures."""


def _model_of(medium: Medium, name: str, run: "Opening") -> Model:
    model = opened(name, run)
    medium.require(model)
    return model


def report_figures(
    facts: Any, run: "Report", print_table: Callable[[TextIO], None], path: Path | None = None, written: tuple = ()
) -> None:
    """Print JSON, or a table and the names of the written files; also write the JSON to `path`, if given."""
    if path:
        write_whole(path, (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
    if run.json:
        print_json(facts)
        return
    print_table(sys.stdout)
    for name in (*filter(None, written), *([path] if path else ())):
        print(f"wrote {name}")


def _chosen(kind: str, editors: dict[str, Editor], only: tuple[str, ...], usual: tuple[str, ...]) -> list[Editor]:
    if unknown := [name for name in only if name not in editors]:
        there = ", ".join(map(repr, editors))  # some names have commas
        raise ValueError(f"There is no way to edit{kind} named {unknown[0]!r}; there are {there}.")
    return [editors[name] for name in only or usual]


def world(world: str, name: str, count: int, prompt_expansion: Switch, sheet: Path | None, run: "Opening") -> None:
    """Measure a model's codec and its results from captions on held-out items of a world."""
    if sheet:
        check_savable(sheet)
    settings = Generate(prompt="", prompt_expansion=prompt_expansion)
    figures = watched(bench_world(_model_of(MEDIA[world], name, run), world, count, settings), run)
    if sheet:
        save(sheet, world_figures.contact_sheet(figures))
    print_table = partial(world_figures.print_table, figures)
    report_figures(world_figures.as_dict(figures), run, print_table, written=(sheet,))


def _open_baselines() -> tuple[Editor, ...]:
    """Return the baselines; their libraries' warnings about missing packages are suppressed."""
    from regrow.models.load_part import quiet

    with quiet():
        from regrow.benchmark.baselines import baselines
    return baselines()


def edit(request: "BenchEdit", run: "Opening") -> None:
    """Compare methods for editing pictures with the truth."""
    for path in (request.sheet, request.curves):
        if path:
            check_savable(path)
    for path in (request.figures, request.kept):
        if path:
            check_output(path)
    editors = {editor.name: editor for editor in (*own_editors(), BY_KIND, MASKED, short_words(), *_open_baselines())}
    optional = {editor.name: editor for editor in own_editors(optional=True)}
    figures = watched(
        bench_editing(
            _model_of(PICTURE, request.model, run),
            _chosen("", editors | optional, request.only, tuple(editors)),
            request.tasks,
            request.tuning,
            min(request.round_trips, request.tasks),
            min(request.shown, request.tasks) if request.sheet else 0,
            kept=request.kept,
            settings=request.settings,
        ),
        run,
    )
    if request.sheet:
        save(request.sheet, editing_figures.contact_sheet(figures))
    if request.curves:
        save(request.curves, curves(figures))
    report_figures(
        editing_figures.as_dict(figures),
        run,
        partial(editing_figures.print_table, figures),
        request.figures,
        (request.sheet, request.curves),
    )


def mel(count: int, folder: Path | None, scale: MelScale, run: "Report") -> None:
    """Compare conversions from mels to waves."""
    set_threads(run)
    settings = MelSettings(rate=RATE) if scale == "riffusion" and folder else MelSettings()
    clips = mels.clips_in(folder, count, settings) if folder else mels.phrases(count)
    ways = {"regrow": lambda: mels.bench_mel(clips), "riffusion": lambda: bench_riffusion(clips, settings.rate)}
    figures = watched(ways[scale](), run)
    report_figures(asdict(figures), run, partial(mels.print_table, figures))


def sound(request: "BenchSound", run: "Opening") -> None:
    """Compare methods for editing sounds with the truth."""
    known = (*sound_editors(), *(baseline for baseline in _open_baselines() if baseline.name in SOUND_BASELINES))
    editors = {editor.name: editor for editor in known}
    chosen = _chosen(" sounds", editors, request.only, tuple(editors))
    if request.figures:
        check_output(request.figures)
    model = _model_of(SOUND, request.model, run)
    clap = None
    if request.clap:
        from regrow.models.probes.clap import open_clap

        clap = open_clap(request.clap)
    figures = watched(
        bench_sounds(model, chosen, request.phrases, request.tuning, request.settings, clap=clap, spans=request.spans),
        run,
    )
    print_table = partial(sound_figures.print_table, figures)
    report_figures(sound_figures.as_dict(figures), run, print_table, request.figures)


def song(request: "BenchSong", run: "Opening") -> None:
    """Compare a singing model with the teacher."""
    from regrow.benchmark.song import figures as song_figures
    from regrow.benchmark.song.bench import bench_songs
    from regrow.benchmark.song.sheet import song_sheet

    if request.sheet:
        check_savable(request.sheet)
    for path in (request.figures, request.out):
        if path:
            check_output(path)
    model = _model_of(SOUND, request.model, run)
    figures = watched(bench_songs(model, request), run)
    if request.sheet:
        save(request.sheet, song_sheet(model, request, figures.strengths))
    print_table = partial(song_figures.print_table, figures)
    report_figures(song_figures.as_dict(figures), run, print_table, request.figures, (request.sheet,))


def pie(request: "BenchPie", run: "Opening") -> None:
    """Run PIE-Bench."""
    from regrow.benchmark.pie import figures as pie_figures
    from regrow.benchmark.pie.bench import bench_pie
    from regrow.benchmark.pie.measure import open_networks

    if request.figures:
        check_output(request.figures)
    model = _model_of(PICTURE, request.model, run)
    networks = open_networks(request.dino, request.clip, run.device, run.allow_pickle)
    figures = watched(bench_pie(model, request, networks), run)
    report_figures(pie_figures.as_dict(figures), run, partial(pie_figures.print_table, figures), request.figures)


def speed(request: "BenchSpeed", run: "Opening") -> None:
    """Measure the speed of an edit."""
    from regrow.benchmark import speed as speeds

    if request.figures:
        check_output(request.figures)
    model = opened(request.model, run)
    figures = watched(speeds.bench_speed(model, request.turns, request.tasks, request.large), run)
    report_figures(speeds.as_dict(figures), run, partial(speeds.print_table, figures), request.figures)


def fit(request: "BenchFit", run: "Report") -> None:
    """Measure memory and time of full-size checkpoints."""
    from regrow.benchmark import fit as fits

    if request.figures:
        check_output(request.figures)
    set_threads(run)
    found = watched(fits.bench_fit(request.shapes, request.precisions, request.seconds, request.openvino), run)
    facts = [asdict(one) | {"in_turn": one.in_turn, "together": one.together, "share": one.share} for one in found]
    report_figures(facts, run, partial(fits.print_table, found), request.figures)


def start(image: Path, source: str, target: str, turns: int, run: "Report") -> None:
    """Measure the start-up time of the command line."""
    from regrow.benchmark import start as starts

    figures = watched(starts.bench_start(image, source, target, turns), run)
    report_figures(asdict(figures) | {"share": figures.share}, run, partial(starts.print_table, figures))


def load(request: "BenchLoad", run: "Report") -> None:
    """Measure a server with several users."""
    from regrow.benchmark.load import figures as load_figures
    from regrow.benchmark.load.bench import bench_load

    if request.kept:
        check_output(request.kept)
    figures = watched(bench_load(request), run)
    if request.kept:
        write_whole(request.kept, load_figures.json_lines(figures))
    facts, print_table = load_figures.as_dict(figures), partial(load_figures.print_table, figures)
    report_figures(facts, run, print_table, written=(request.kept,))


def train(name: str, batch: int, steps: int, run: "Report") -> None:
    """Compare the trainer with a plain loop."""
    speeds = watched(bench_training(name, batch, steps, run.threads), run)

    def print_table(out: TextIO) -> None:
        print(f"{'':20} {'samples/s':>10} {'times':>6} {'peak memory':>12} {'once':>8}", file=out)
        for one in speeds:
            times = one.samples / speeds[0].samples
            memory = f"{one.memory / 2**30:9.2f} GB"
            print(f"{one.way:20} {one.samples:10.1f} {times:6.2f} {memory} {one.once:6.1f} s", file=out)

    report_figures([asdict(one) for one in speeds], run, print_table)
