"""The requests of `regrow bench`, as frozen dataclasses that import nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from regrow.core.methods.registry import DEFAULT
from regrow.core.names import SharingName, SolverName
from regrow.messages.message import say
from regrow.models.engines.names import Precision
from regrow.requests.ranges import check_ranges, check_types

MelScale = Literal["regrow", "riffusion"]
"""Scales of mel spectrograms."""


@dataclass(frozen=True)
class BenchSound:
    """Measure edits of sounds: another instrument, compared with the phrase played on it.

    Attributes:
        model: name of a sound model, or a folder. An attribute classifier reads instruments and notes where the model
            knows the bandstand; other models are measured by distances, level and similarity on the same phrases.
        phrases: number of phrases. Their seeds begin at 9,400,000.
        tuning: number of other phrases on which settings are chosen.
        settings: number of settings to try for each method, at most 9.
        only: methods to measure; if not given, all that work on sounds.
        spans: number of phrases with an edited span. It measures whether the rest stays unchanged.
        clap: folder of a CLAP model, to measure CLAP and LPAPS. CLAP says how well results fit the words, LPAPS how far
            they are from the source. It is a model of transformers.
        figures: also write the figures as JSON here.
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
            raise ValueError(say("bench_sound_counts"))


@dataclass(frozen=True)
class BenchSong:
    """Measure a singer on held-out songs: tune, rhythm, words, speed and edits.

    Attributes:
        model: name of a singer, or a folder.
        songs: number of songs to sing. Their seeds begin at 9,100,000.
        edits: number of songs whose words are changed; 0 = none. Their seeds begin at 9,140,000; each method changes
            all of them.
        tuning: number of other songs on which strengths are chosen. 0 takes the first strength of each method.
        steps: number of steps of the songs; if not given, the model's own. Edits always take the model's own.
        solver: solver of the songs. If not given, the model's own; edits always take that.
        out: file that collects results, so that a stopped run can continue.
        figures: also write the figures as JSON here.
        sheet: also write spectrograms of the first songs and edits here.
        shown: number of spectrograms of each.
    """

    model: str = "songbook"
    songs: int = 200
    edits: int = 60
    tuning: int = 12
    steps: int | None = None
    solver: SolverName | None = None
    out: Path | None = None
    figures: Path | None = None
    sheet: Path | None = None
    shown: int = 4

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if min(self.songs, self.shown) < 1 or min(self.edits, self.tuning) < 0:
            raise ValueError(say("bench_song_counts"))
        if self.steps is not None and self.steps < 1:
            raise ValueError(say("steps_below_one", steps=self.steps))


@dataclass(frozen=True)
class BenchEdit:
    """Measure editing methods on pictures whose correct result is known.

    They are those of regrow, of the Hugging Face diffusion course (unit 4) and of diffusers.

    Attributes:
        model: name of a model that knows the storybook, or a folder.
        tasks: number of scenes, each with one edit, of six kinds in turn.
        tuning: number of other scenes on which settings are chosen. 0 takes the first setting of each method.
        settings: number of settings to try for each method, at most 9.
        only: methods to measure; if not given, most. negative_prompt and null_text are left out, which are slow.
        round_trips: number of scenes on which reconstruction is measured.
        kept: file that collects results, so that a stopped run can continue.
        figures: also write the figures as JSON here.
        curves: also draw the trade-off of every setting here.
        sheet: also write the first edits as pictures here.
        shown: number of edits on the sheet.
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
            raise ValueError(say("bench_edit_counts", tasks=self.tasks, tuning=self.tuning))
        if not 1 <= self.settings <= 9:
            raise ValueError(say("settings_out_of_range", settings=self.settings))
        if self.curves and not self.tuning:
            raise ValueError(say("curves_need_tuning"))


@dataclass(frozen=True)
class BenchSpeed:
    """Measure the speed of an edit, and what each optimisation gains.

    It is compared with the procedure of the Hugging Face diffusion course (unit 4) and a pair of diffusers' pipelines.

    Attributes:
        model: name of a model, or a folder.
        turns: repetitions, of which the median counts; 0 = no timing.
        tasks: edits that measure the quality of fewer steps; 0 = none. Use 0 for models that do not know the storybook.
        large: also measure networks of the size of Stable Diffusion 1.5 and XL. Their weights are random; it takes
            minutes and 12 GB.
        figures: also write the figures as JSON here.
    """

    model: str = "storybook"
    turns: int = 3
    tasks: int = 48
    large: bool = False
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if min(self.turns, self.tasks) < 0:
            raise ValueError(say("bench_speed_counts", turns=self.turns, tasks=self.tasks))


@dataclass(frozen=True)
class BenchFit:
    """Measure memory and time of full-size networks with random weights.

    Attributes:
        shapes: checkpoints to measure; if not given, all but flux.1-q4. They are sd-1.5, sdxl, sd3.5-medium, flux.1-q4
            (its network in 4 bits, as in GGUF files), stable-audio-open and ace-step-1.5. In bfloat16 their networks
            have 1.7, 5.1, 4.5, 6.7, 2.1 and 3.2 GB.
        precisions: precisions of weights and arithmetic.
        seconds: length of the sounds in seconds.
        openvino: also measure OpenVINO, in float32. Converting needs memory for the weights twice more.
        figures: also write the figures as JSON here.
    """

    shapes: tuple[str, ...] = ("sd-1.5", "sdxl", "sd3.5-medium", "stable-audio-open", "ace-step-1.5")
    precisions: tuple[Precision, ...] = ("bfloat16",)
    seconds: float = 30.0
    openvino: bool = False
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if not self.shapes or not self.precisions:
            raise ValueError(say("bench_fit_needs_names"))


@dataclass(frozen=True)
class BenchPie:
    """Measure edits of PIE-Bench (Ju et al. 2023, arXiv 2310.01506), for a row beside the published ones.

    The default settings are those of the published rows: 50 steps, the whole path, guidance 7.5 in all steps with an
    empty negative prompt, and inversion without guidance.

    Attributes:
        folder: folder of PIE-Bench. It holds mapping_file.json and annotation_images.
        model: a name, a folder, a weight file, or a hub id. A hub id is `user/repo`; `regrow models` lists the names.
        methods: methods, or folders of other pictures. Folders of pictures that another program made lie in --kept.
        categories: editing types to measure, 0 to 9; if not given, all.
        limit: pictures of each category, the first ones; if not given, all.
        steps: number of steps of the whole path.
        guidance: how strongly results follow the target; 1 = off.
        guidance_share: fraction of the steps with guidance, the first ones.
        invert_guidance: guidance during the inversion; 1 = off.
        strength: fraction of the path that is regenerated, above 0 up to 1.
        attention: share attention maps with the source. It needs methods that invert.
        seed: seed of methods that draw noise.
        kept: folder of results; a stopped run continues from it. Pictures lie in METHOD/annotation_images, where the
            benchmark's own evaluation looks for them.
        clip: folder or hub id of a CLIP model. It is a CLIPModel; openai/clip-vit-large-patch14 where that is in the
            cache.
        dino: folder or hub id of a DINO model. It is a ViTModel; facebook/dino-vitb8 where that is in the cache.
        figures: also write the figures as JSON here.
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
            raise ValueError(say("limit_below_one", limit=self.limit))
        if not 0 < self.strength <= 1:
            raise ValueError(say("bench_strength_out_of_range", strength=self.strength))
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError(say("methods_missing_or_twice"))
