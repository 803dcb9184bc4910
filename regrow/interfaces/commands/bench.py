"""`regrow bench`: one verb a benchmark. Everything heavy is imported inside."""

from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand

from regrow.core.names import Switch
from regrow.interfaces.commands import Command
from regrow.interfaces.run import OpeningOptions, ReportOptions
from regrow.requests.bench import BenchEdit, BenchFit, BenchPie, BenchSound, BenchSpeed, MelScale


def _verbs() -> ModuleType:
    from regrow.interfaces import bench_verbs

    return bench_verbs


def bench_storybook(
    run: OpeningOptions,
    model: str = "storybook",
    scenes: int = 500,
    prompt_expansion: Switch = "on",
    sheet: Path | None = None,
) -> None:
    """Measure a picture model on held-out scenes of the storybook: codec, and what an independent judge reads.

    Args:
        model: name of an embedded or installed model, or a folder.
        scenes: how many, with seeds from 9,000,000 on.
        prompt_expansion: whether captions are completed, as `regrow generate` does.
        sheet: also write 64 generated pictures beside the drawn ones here.
    """
    _verbs().world("storybook", model, scenes, prompt_expansion, sheet, run)


def bench_bandstand(
    run: OpeningOptions,
    model: str = "bandstand",
    phrases: int = 300,
    prompt_expansion: Switch = "on",
    sheet: Path | None = None,
) -> None:
    """Measure a sound model on held-out phrases of the bandstand: codec and phase, and what an independent judge reads.

    Args:
        model: name of an embedded or installed model, or a folder.
        phrases: how many, with seeds from 9,000,000 on.
        prompt_expansion: whether captions are completed, and a tune is drawn, as `regrow generate` does.
        sheet: also write the mels of 16 generated clips beside the played ones here.
    """
    _verbs().world("bandstand", model, phrases, prompt_expansion, sheet, run)


def bench_mel(run: ReportOptions, clips: int = 14, folder: Path | None = None, scale: MelScale = "regrow") -> None:
    """Measure ways from a mel back to a wave: regrow's, its parts, librosa's and diffusers' (both need librosa).

    Args:
        clips: how many, of six seconds.
        folder: take them from the sounds in this folder; played phrases if not given.
        scale: of the mels; of riffusion's pictures, the published way back is measured beside regrow's.
    """
    _verbs().mel(clips, folder, scale, run)


def bench_sound(request: Annotated[BenchSound, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure edits of sounds against what they should be: regrow's methods, the course's and diffusers' pair."""
    _verbs().sound(request, run)


def bench_edit(request: Annotated[BenchEdit, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure ways to edit against counterfactuals whose answer is known: regrow's, the course's and diffusers'."""
    _verbs().edit(request, run)


def bench_speed(request: Annotated[BenchSpeed, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure how fast an edit is: regrow's, each of its levers alone, the course's procedure and diffusers' pair."""
    _verbs().speed(request, run)


def bench_fit(request: Annotated[BenchFit, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Measure what full-size checkpoints take on this machine, with random weights: nothing is downloaded."""
    _verbs().fit(request, run)


def bench_pie(request: Annotated[BenchPie, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure edits of PIE-Bench with the figures of its published table, which is printed in Markdown."""
    _verbs().pie(request, run)


def bench_start(
    run: ReportOptions,
    image: Path = Path("examples/cat.png"),
    source: str = "an orange cat on a beach",
    target: str = "an orange puppy on a beach",
    turns: int = 5,
) -> None:
    """Measure how long the command line takes to begin, beside the libraries that an edit cannot do without.

    Args:
        image: the picture that is edited.
        source: words that describe it.
        target: what it shall show.
        turns: of each, of which the median counts.
    """
    _verbs().start(image, source, target, turns, run)


def bench_train(run: ReportOptions, model: str = "storybook", batch: int = 32, steps: int = 12) -> None:
    """Measure training: samples a second and peak memory against a plain loop, one after the other.

    Args:
        model: the model to go on from.
        batch: pictures a step.
        steps: that are measured, after two that warm up.
    """
    _verbs().train(model, batch, steps, run)


Bench = (
    Annotated[Any, subcommand(name="storybook", constructor=bench_storybook)]
    | Annotated[Any, subcommand(name="bandstand", constructor=bench_bandstand)]
    | Annotated[Any, subcommand(name="edit", constructor=bench_edit)]
    | Annotated[Any, subcommand(name="fit", constructor=bench_fit)]
    | Annotated[Any, subcommand(name="mel", constructor=bench_mel)]
    | Annotated[Any, subcommand(name="pie", constructor=bench_pie)]
    | Annotated[Any, subcommand(name="sound", constructor=bench_sound)]
    | Annotated[Any, subcommand(name="speed", constructor=bench_speed)]
    | Annotated[Any, subcommand(name="start", constructor=bench_start)]
    | Annotated[Any, subcommand(name="train", constructor=bench_train)]
)


def bench(what: Annotated[Bench, tyro.conf.arg(name="")]) -> None:
    """Measure a model, ways to edit against the truth, their speed, starts, or the trainer against a plain loop."""


COMMAND = Command("bench", 90, bench)
