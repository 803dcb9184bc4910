"""The requests of `regrow bench`, as frozen dataclasses that import nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from regrow.models.engines.names import Precision
from regrow.requests.ranges import check_types

MelScale = Literal["regrow", "riffusion"]
"""Of the spectrograms whose way back is measured."""


@dataclass(frozen=True)
class BenchSound:
    """Measure edits of sounds, another instrument for a phrase, against the phrase played on it.

    Attributes:
        model: name of an embedded or installed model of sounds, or a folder. A judge hears instruments and notes
            where it knows the bandstand; of all others there are distances, level and likeness, on the same phrases.
        phrases: how many to measure, with seeds from 9,400,000 on.
        tuning: how many others the settings of each way are chosen on.
        settings: how many of each way's settings are tried, of which most have nine.
        only: names of the ways to measure; all that work on sounds if not given.
        spans: of how many of the first phrases a span is edited, too, to see whether all else stays as it is.
        clap: folder of a CLAP model of transformers, which then measures how well results fit the words (CLAP) and how
            far they are from the source (LPAPS).
        figures: also write the JSON here.
    """

    model: str = "bandstand"
    phrases: int = 200
    tuning: int = 40
    settings: int = 9
    only: tuple[str, ...] = ()
    spans: int = 2
    clap: Path | None = None
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if self.phrases < 1 or min(self.tuning, self.spans) < 0 or not 1 <= self.settings <= 9:
            raise ValueError("--phrases must be 1 or more, --tuning and --spans 0 or more and --settings from 1 to 9.")


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
        kept: a file that results are added to as they come, so that the same command goes on when it was killed.
        figures: also write the JSON here.
        curves: also draw the trade-off of every setting here.
        sheet: also write the first edits as pictures here.
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
        check_types(type(self), vars(self))
        if self.tasks < 1 or self.tuning < 0:
            raise ValueError(f"--tasks must be 1 or more and --tuning 0 or more; got {self.tasks} and {self.tuning}.")
        if not 1 <= self.settings <= 9:
            raise ValueError(f"--settings must be from 1 to 9; got {self.settings}.")
        if self.curves and not self.tuning:
            raise ValueError("--curves draws what the tuning found, so --tuning must be 1 or more.")


@dataclass(frozen=True)
class BenchSpeed:
    """Measure how fast an edit is: regrow's, each of its levers alone, the course's procedure and diffusers' pair.

    Attributes:
        model: name of an embedded or installed model, or a folder.
        turns: of each way, of which the median counts; 0 leaves the ways out.
        tasks: on which the quality of fewer steps is measured; 0, as for models that do not know the storybook,
            leaves it out.
        large: also measure the networks of Stable Diffusion 1.5 and XL, with random weights; it takes minutes and
            12 GB.
        figures: also write the JSON here.
    """

    model: str = "storybook"
    turns: int = 3
    tasks: int = 48
    large: bool = False
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if min(self.turns, self.tasks) < 0:
            raise ValueError(f"--turns and --tasks must be 0 or more; got {self.turns} and {self.tasks}.")


@dataclass(frozen=True)
class BenchFit:
    """Measure what full-size checkpoints take on this machine, with random weights: nothing is downloaded.

    Attributes:
        shapes: names of the checkpoints: sd-1.5, sdxl, sd3.5-medium, flux.1-q4 (its network in 4 bits, as GGUF files
            have it), stable-audio-open, ace-step-1.5. In bfloat16 their networks are of 1.7, 5.1, 4.5, 6.7, 2.1 and
            3.2 GB.
        precisions: of weights and what is computed.
        seconds: of sound.
        openvino: also measure a call by OpenVINO, of checkpoints in float32; converting holds their weights twice more.
        figures: also write the JSON here.
    """

    shapes: tuple[str, ...] = ("sd-1.5", "sdxl", "sd3.5-medium", "stable-audio-open", "ace-step-1.5")
    precisions: tuple[Precision, ...] = ("bfloat16",)
    seconds: float = 30.0
    openvino: bool = False
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if not self.shapes or not self.precisions:
            raise ValueError("--shapes and --precisions must name at least one each.")
