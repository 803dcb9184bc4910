"""What `regrow bench` prints: tables for people, JSON for machines."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from regrow.benchmark import bandstand_figures, editing_figures, sounds_figures, storybook_figures
from regrow.benchmark import mel as mels
from regrow.benchmark.bandstand import bench_bandstand
from regrow.benchmark.editing import bench_editing
from regrow.benchmark.editors import BY_KIND, MASKED, own_editors, short_words, sound_editors
from regrow.benchmark.pareto_plot import curves
from regrow.benchmark.sounds import bench_sounds
from regrow.benchmark.storybook import bench_storybook
from regrow.benchmark.training import bench_training
from regrow.core.names import Switch
from regrow.interfaces.reporting import opened, set_threads, watched
from regrow.media.files import check_folder, write_whole
from regrow.media.image.picture import check_savable, save
from regrow.models.model import Model
from regrow.requests.generate import Generate

if TYPE_CHECKING:
    from regrow.interfaces.bench_cli import BenchEdit, BenchSound, BenchSpeed
    from regrow.interfaces.run import Opening, Report


def _model_of(medium: str, name: str, run: "Opening") -> Model:
    model = opened(name, run)
    if model.medium != medium:
        raise ValueError(f"{name} is a model of {model.medium}s, and this measures models of {medium}s.")
    return model


def storybook(name: str, scenes: int, prompt_expansion: Switch, sheet: Path | None, run: "Opening") -> None:
    """Codec and words of a model on held-out scenes."""
    if sheet:
        check_savable(sheet)
    asked = Generate(prompt="", prompt_expansion=prompt_expansion)
    figures = watched(bench_storybook(_model_of("picture", name, run), scenes, asked), run)
    if sheet:
        save(sheet, storybook_figures.contact_sheet(figures))
    if run.json:
        print(json.dumps(storybook_figures.as_dict(figures), ensure_ascii=False))
        return
    storybook_figures.print_table(figures, sys.stdout)
    if sheet:
        print(f"wrote {sheet}")


def edit(asked: "BenchEdit", run: "Opening") -> None:
    """Ways to edit, beside the truth."""
    from regrow.benchmark.baselines import baselines

    for path in (asked.sheet, asked.curves):
        if path:
            check_savable(path)
    if asked.figures:
        check_folder(asked.figures)
    editors = {editor.name: editor for editor in (*own_editors(), BY_KIND, MASKED, short_words(), *baselines())}
    optional = {editor.name: editor for editor in own_editors(optional=True)}
    if unknown := [name for name in asked.only if name not in editors | optional]:
        there = ", ".join(map(repr, editors | optional))  # some names have commas
        raise ValueError(f"There is no way to edit named {unknown[0]!r}; there are {there}.")
    chosen = [(editors | optional)[name] for name in asked.only or editors]
    figures = watched(
        bench_editing(
            _model_of("picture", asked.model, run),
            chosen,
            asked.tasks,
            asked.tuning,
            min(asked.round_trips, asked.tasks),
            min(asked.shown, asked.tasks) if asked.sheet else 0,
            kept=asked.kept,
            settings=asked.settings,
        ),
        run,
    )
    found, written = editing_figures.as_dict(figures), []
    if asked.sheet:
        save(asked.sheet, editing_figures.contact_sheet(figures))
        written.append(asked.sheet)
    if asked.curves:
        save(asked.curves, curves(figures))
        written.append(asked.curves)
    if asked.figures:
        write_whole(asked.figures, (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())
        written.append(asked.figures)
    if run.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    editing_figures.print_table(figures, sys.stdout)
    for path in written:
        print(f"wrote {path}")


def bandstand(name: str, phrases: int, prompt_expansion: Switch, sheet: Path | None, run: "Opening") -> None:
    """Codec, phase and words of a sound model on held-out phrases."""
    if sheet:
        check_savable(sheet)
    asked = Generate(prompt="", prompt_expansion=prompt_expansion)
    figures = watched(bench_bandstand(_model_of("sound", name, run), phrases, asked), run)
    if sheet:
        save(sheet, bandstand_figures.contact_sheet(figures))
    if run.json:
        print(json.dumps(bandstand_figures.as_dict(figures), ensure_ascii=False))
        return
    bandstand_figures.print_table(figures, sys.stdout)
    if sheet:
        print(f"wrote {sheet}")


def mel(count: int, folder: Path | None, run: "Report") -> None:
    """From mels back to waves."""
    set_threads(run)
    figures = watched(mels.bench_mel(mels.clips_in(folder, count) if folder else mels.phrases(count)), run)
    if run.json:
        print(json.dumps(asdict(figures)))
        return
    mels.print_table(figures, sys.stdout)


SOUND_RIVALS = ("course", "ddim pair")
"""Of the rivals, those that need nothing but the network, the codec and the words; the pipelines take pictures only."""


def sound(asked: "BenchSound", run: "Opening") -> None:
    """Edits of sounds, beside the truth."""
    from regrow.benchmark.baselines import baselines

    editors = {e.name: e for e in (*sound_editors(), *(rival for rival in baselines() if rival.name in SOUND_RIVALS))}
    if unknown := [name for name in asked.only if name not in editors]:
        raise ValueError(f"There is no way to edit sounds named {unknown[0]!r}; there are {', '.join(editors)}.")
    chosen = [editors[name] for name in asked.only or editors]
    if asked.figures:
        check_folder(asked.figures)
    model = _model_of("sound", asked.model, run)
    figures = watched(bench_sounds(model, chosen, asked.phrases, asked.tuning, asked.settings), run)
    found = sounds_figures.as_dict(figures)
    if asked.figures:
        write_whole(asked.figures, (json.dumps(found, indent=1) + "\n").encode())
    if run.json:
        print(json.dumps(found))
        return
    sounds_figures.print_table(figures, sys.stdout)


def speed(asked: "BenchSpeed", run: "Opening") -> None:
    """How fast an edit is."""
    from regrow.benchmark import speed as speeds

    if asked.figures:
        check_folder(asked.figures)
    figures = watched(speeds.bench_speed(opened(asked.model, run), asked.turns, asked.wishes, asked.large), run)
    found = speeds.as_dict(figures)
    if asked.figures:
        write_whole(asked.figures, (json.dumps(found, indent=1) + "\n").encode())
    if run.json:
        print(json.dumps(found))
        return
    speeds.print_table(figures, sys.stdout)


def train(name: str, batch: int, steps: int, run: "Report") -> None:
    """The trainer beside a plain loop."""
    found = watched(bench_training(name, batch, steps, run.threads), run)
    if run.json:
        print(json.dumps([asdict(speed) for speed in found]))
        return
    print(f"{'':20} {'samples/s':>10} {'times':>6} {'peak memory':>12} {'once':>8}")
    for speed in found:
        times = speed.samples / found[0].samples
        print(f"{speed.way:20} {speed.samples:10.1f} {times:6.2f} {speed.memory / 2**30:9.2f} GB {speed.once:6.1f} s")
