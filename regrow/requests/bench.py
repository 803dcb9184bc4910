"""The requests of `regrow bench`, as frozen dataclasses that import nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from regrow.core.methods.registry import DEFAULT
from regrow.core.names import SharingName
from regrow.models.engines.names import Precision
from regrow.requests.ranges import check_ranges, check_types

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


@dataclass(frozen=True)
class BenchPie:
    """Measure edits of PIE-Bench (Ju et al. 2023, arXiv 2310.01506), for a row beside the published ones.

    The settings that are not given are those of the published rows: 50 steps, the whole path, guidance 7.5 in all of
    them away from empty words, and inversion without guidance.

    Attributes:
        folder: of the benchmark, with mapping_file.json and annotation_images.
        model: name of an embedded or installed model, a folder, a weight file, or a hub id `user/repo`.
        methods: names of editing methods; or of folders in --kept with pictures that another program made.
        categories: editing types to measure, 0 to 9; all if not given.
        limit: how many pictures of each category, the first ones; all if not given.
        steps: levels of the whole path.
        guidance: of the regrowth; 1 = off.
        guidance_share: of the steps back in which guidance is on, the first ones, 0 to 1.
        invert_guidance: of the inversion; 1 = off.
        strength: share of the path that is walked back, above 0 up to 1.
        attention: what the edit shares with the source while it grows, with methods that invert: none, p2p or masactrl.
        seed: of methods that draw noise.
        kept: folder that pictures and results are added to as they come, so that the same command goes on when it was
            killed. Pictures lie in METHOD/annotation_images, as the benchmark's own evaluation takes them.
        clip: folder or cached hub id of a CLIPModel; openai/clip-vit-large-patch14 where it is in the cache.
        dino: the same of a ViTModel of DINO; facebook/dino-vitb8.
        figures: also write the JSON here.
    """

    folder: Positional[Path]
    model: str = "storybook"
    methods: tuple[str, ...] = (DEFAULT,)
    categories: tuple[str, ...] = ()
    limit: int | None = None
    steps: int = 50
    guidance: float = 7.5
    guidance_share: float = 1.0
    invert_guidance: float = 1.0
    strength: float = 1.0
    attention: Literal["none", SharingName] = "none"
    seed: int = 0
    kept: Path = Path("pie")
    clip: str = ""
    dino: str = ""
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit must be 1 or more; got {self.limit}.")
        if not 0 < self.strength <= 1:
            raise ValueError(f"--strength must be above 0 and at most 1; got {self.strength:g}.")
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError("--methods must name at least one method, and none twice.")
