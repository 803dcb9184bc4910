"""`regrow bench`: one verb a benchmark. Everything heavy is imported inside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand

from regrow.core.names import Switch
from regrow.interfaces.run import OpeningOptions, ReportOptions


def bench_storybook(
    run: OpeningOptions,
    model: str = "storybook",
    scenes: int = 500,
    prompt_expansion: Switch = "on",
    sheet: Path | None = None,
) -> None:
    """Measure a picture model on held-out scenes of the storybook: codec, and what an independent judge sees.

    Args:
        model: name of an embedded or installed model, or a folder.
        scenes: how many, with seeds from 9,000,000 on.
        prompt_expansion: whether captions are completed, as `regrow generate` does.
        sheet: also write 64 generated pictures beside the drawn ones here.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.storybook(model, scenes, prompt_expansion, sheet, run)


def bench_bandstand(
    run: OpeningOptions,
    model: str = "bandstand",
    phrases: int = 300,
    prompt_expansion: Switch = "on",
    sheet: Path | None = None,
) -> None:
    """Measure a sound model on held-out phrases of the bandstand: codec and phase, and what an independent judge hears.

    Args:
        model: name of an embedded or installed model, or a folder.
        phrases: how many, with seeds from 9,000,000 on.
        prompt_expansion: whether captions are completed, and a tune is drawn, as `regrow generate` does.
        sheet: also write the mels of 16 generated clips beside the played ones here.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.bandstand(model, phrases, prompt_expansion, sheet, run)


def bench_mel(run: ReportOptions, clips: int = 14, folder: Path | None = None) -> None:
    """Measure ways from a mel back to a wave: regrow's, its parts, librosa's and diffusers' (both need librosa).

    Args:
        clips: how many, of six seconds.
        folder: take them from the sounds in this folder; played phrases if not given.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.mel(clips, folder, run)


@dataclass(frozen=True)
class BenchSound:
    """Measure edits of sounds, another instrument for a phrase, against the phrase played on it.

    Attributes:
        model: name of an embedded or installed model, or a folder; it must know the bandstand.
        phrases: how many to measure, with seeds from 9,400,000 on.
        tuning: how many others the settings of each way are chosen on.
        settings: how many of each way's settings are tried, of which most have nine.
        only: names of the ways to measure; all that work on sounds if not given.
        figures: also write the JSON here.
    """

    model: str = "bandstand"
    phrases: int = 200
    tuning: int = 40
    settings: int = 9
    only: tuple[str, ...] = ()
    figures: Path | None = None


def bench_sound(asked: Annotated[BenchSound, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure edits of sounds against what they should be: regrow's methods, the course's and diffusers' pair."""
    from regrow.interfaces import bench_verbs

    bench_verbs.sound(asked, run)


@dataclass(frozen=True)
class BenchEdit:
    """Measure ways to edit against counterfactuals whose answer is known: regrow's, the course's and diffusers'.

    Attributes:
        model: name of an embedded or installed model, or a folder; it must know the storybook.
        tasks: how many scenes to measure an edit on each, six kinds in turn.
        tuning: how many other scenes the settings of each way are chosen on; 0 takes the first setting of each.
        settings: how many of each way's settings are tried, of which most have nine.
        only: names of the ways to measure; all but negative_prompt and null_text if not given.
        round_trips: on how many of the first scenes the way back to the scene itself is measured.
        kept: a file that outcomes are added to as they come, so that the same command goes on when it was killed.
        figures: also write the JSON here.
        curves: also draw the trade-off of every setting here.
        sheet: also write the first wishes as pictures here.
        shown: how many.
    """

    model: str = "storybook"
    tasks: int = 400
    tuning: int = 100
    settings: int = 9
    only: tuple[str, ...] = ()
    round_trips: int = 50
    kept: Path | None = None
    figures: Path | None = None
    curves: Path | None = None
    sheet: Path | None = None
    shown: int = 12

    def __post_init__(self) -> None:
        if self.tasks < 1 or self.tuning < 0:
            raise ValueError(f"--tasks must be 1 or more and --tuning 0 or more; got {self.tasks} and {self.tuning}.")
        if not 1 <= self.settings <= 9:
            raise ValueError(f"--settings must be from 1 to 9; got {self.settings}.")
        if self.curves and not self.tuning:
            raise ValueError("--curves draws what the tuning found, so --tuning must be 1 or more.")


def bench_edit(asked: Annotated[BenchEdit, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure ways to edit against counterfactuals whose answer is known: regrow's, the course's and diffusers'."""
    from regrow.interfaces import bench_verbs

    bench_verbs.edit(asked, run)


@dataclass(frozen=True)
class BenchSpeed:
    """Measure how fast an edit is: regrow's, each of its levers alone, the course's procedure and diffusers' pair.

    Attributes:
        model: name of an embedded or installed model, or a folder.
        turns: of each way, of which the median counts; 0 leaves the ways out.
        wishes: on which the quality of fewer steps is measured; 0, as for models that do not know the storybook,
            leaves it out.
        large: also measure the networks of Stable Diffusion 1.5 and XL, with random weights; it takes minutes and
            12 GB.
        figures: also write the JSON here.
    """

    model: str = "storybook"
    turns: int = 3
    wishes: int = 48
    large: bool = False
    figures: Path | None = None

    def __post_init__(self) -> None:
        if min(self.turns, self.wishes) < 0:
            raise ValueError(f"--turns and --wishes must be 0 or more; got {self.turns} and {self.wishes}.")


def bench_speed(asked: Annotated[BenchSpeed, tyro.conf.arg(name="")], run: OpeningOptions) -> None:
    """Measure how fast an edit is: regrow's, each of its levers alone, the course's procedure and diffusers' pair."""
    from regrow.interfaces import bench_verbs

    bench_verbs.speed(asked, run)


def bench_train(run: ReportOptions, model: str = "storybook", batch: int = 32, steps: int = 12) -> None:
    """Measure training: samples a second and peak memory against a plain loop, one after the other.

    Args:
        model: the model to go on from.
        batch: pictures a step.
        steps: that are measured, after two that warm up.
    """
    from regrow.interfaces import bench_verbs

    bench_verbs.train(model, batch, steps, run)


Bench = (
    Annotated[Any, subcommand(name="storybook", constructor=bench_storybook)]
    | Annotated[Any, subcommand(name="bandstand", constructor=bench_bandstand)]
    | Annotated[Any, subcommand(name="edit", constructor=bench_edit)]
    | Annotated[Any, subcommand(name="mel", constructor=bench_mel)]
    | Annotated[Any, subcommand(name="sound", constructor=bench_sound)]
    | Annotated[Any, subcommand(name="speed", constructor=bench_speed)]
    | Annotated[Any, subcommand(name="train", constructor=bench_train)]
)


def bench(what: Annotated[Bench, tyro.conf.arg(name="")]) -> None:
    """Measure a model, ways to edit against the truth, their speed, or the trainer against a plain loop."""
