"""`regrow bench`: one command per benchmark. Slow imports are inside the functions."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Union

import tyro

from regrow.core.names import Switch
from regrow.interfaces.commands import Command
from regrow.interfaces.option_groups import verb
from regrow.interfaces.run import OpeningOptions, ReportOptions
from regrow.requests.bench import BenchEdit, BenchFit, BenchPie, BenchSong, BenchSound, BenchSpeed, MelScale
from regrow.requests.bench_hostile import BenchHostile
from regrow.requests.bench_load import BenchLoad


def _verbs(module: str = "bench_verbs") -> ModuleType:
    return import_module(f"regrow.interfaces.{module}")


def bench_storybook(
    run: OpeningOptions,
    model: str = "storybook",
    scenes: int = 500,
    prompt_expansion: Switch = "on",
    sheet: Path | None = None,
) -> None:
    """Measure a picture model on held-out scenes of the storybook.

    Args:
        model: name of a model, or a folder.
        scenes: number of scenes. Their seeds begin at 9,000,000.
        prompt_expansion: expand captions, as `regrow generate` does.
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
    """Measure a sound model on held-out phrases of the bandstand.

    Args:
        model: name of a model, or a folder.
        phrases: number of phrases. Their seeds begin at 9,000,000.
        prompt_expansion: expand captions, as `regrow generate` does. A tune is drawn, too.
        sheet: also write the mels of 16 generated and 16 played clips here.
    """
    _verbs().world("bandstand", model, phrases, prompt_expansion, sheet, run)


def bench_mel(run: ReportOptions, clips: int = 14, folder: Path | None = None, scale: MelScale = "regrow") -> None:
    """Measure conversions from mel spectrogram to sound, with those of other libraries.

    Args:
        clips: number of clips of six seconds.
        folder: folder of sounds; if not given, phrases of the bandstand.
        scale: scale of the mels. For riffusion's pictures, the published conversion is measured too.
    """
    _verbs().mel(clips, folder, scale, run)


def bench_sound(request: Annotated[BenchSound, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure editing methods on sounds whose correct result is known."""
    _verbs().sound(request, run)


def bench_song(request: Annotated[BenchSong, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure a singer on held-out songs: tune, rhythm, words, speed and edits."""
    _verbs().song(request, run)


def bench_edit(request: Annotated[BenchEdit, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure editing methods on pictures whose correct result is known."""
    _verbs().edit(request, run)


def bench_speed(request: Annotated[BenchSpeed, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure the speed of an edit, and what each optimisation gains."""
    _verbs().speed(request, run)


def bench_fit(request: Annotated[BenchFit, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Measure memory and time of full-size networks with random weights."""
    _verbs().fit(request, run)


def bench_load(request: Annotated[BenchLoad, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Measure a server with many users: correct results, waiting times and memory."""
    _verbs().load(request, run)


def bench_pie(request: Annotated[BenchPie, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure editing methods on PIE-Bench, and print a row for its published table."""
    _verbs().pie(request, run)


def bench_start(
    run: ReportOptions,
    image: Path = Path("examples/cat.png"),
    source: str = "an orange cat on a beach",
    target: str = "an orange puppy on a beach",
    turns: int = 5,
) -> None:
    """Measure how long the command line takes to start.

    Args:
        image: the picture to edit.
        source: what it shows.
        target: what the result shows.
        turns: repetitions, of which the median counts.
    """
    _verbs().start(image, source, target, turns, run)


def bench_hostile(request: Annotated[BenchHostile, tyro.conf.arg(name="")], run: ReportOptions) -> None:
    """Read damaged inputs and kill trainings, and keep every input that fails."""
    _verbs("hostile_verb").hostile(request, run)


def bench_train(run: ReportOptions, model: str = "storybook", batch: int = 32, steps: int = 12) -> None:
    """Measure speed and memory of training, and compare with a plain loop.

    Args:
        model: the model to continue from.
        batch: pictures per step.
        steps: steps to measure, after two warm-up steps.
    """
    _verbs().train(model, batch, steps, run)


Bench: Any = Union[  # noqa: UP007  # made of values
    verb("storybook", bench_storybook),
    verb("bandstand", bench_bandstand),
    verb("edit", bench_edit),
    verb("fit", bench_fit),
    verb("hostile", bench_hostile),
    verb("load", bench_load),
    verb("mel", bench_mel),
    verb("pie", bench_pie),
    verb("song", bench_song),
    verb("sound", bench_sound),
    verb("speed", bench_speed),
    verb("start", bench_start),
    verb("train", bench_train),
]


def bench(what: Annotated[Bench, tyro.conf.arg(name="")]) -> None:  # pyright: ignore[reportInvalidTypeForm]
    """Measure the quality and speed of models, editing methods and training."""


COMMAND = Command("bench", 90, bench)
