"""The request of `regrow train`, as a frozen dataclass that imports nothing heavy."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from regrow.core.names import Decline, NewSize, Objective, OptimizerName, Precision
from regrow.messages.message import say
from regrow.requests.ranges import check_types

Stage = Literal["auto", "codec", "denoiser", "pixel"]
Medium = Literal["picture", "sound"]
SIZED = ("picture", None)
"""What may be learned where a size in pixels is given; None is what the model to go on from makes."""
SONGBOOK, SINGER = "songbook", "singer"
"""A world, and the family that learns it and has no codec to train."""
FREE = ("minutes", "sample_minutes", "prompts")
"""Settings that change no weights, so that a run may go on with others."""
RANGES: dict[str, tuple[float, float]] = {
    "steps": (0, 10**8),
    "scenes": (0, 10**7),
    "min_snr": (0, 10_000),
    "drop": (0, 1),
    "rate": (1e-12, 1e9),
    "flat": (0, 1),
    "warm_up": (0, 10**7),
    "batch": (1, 65_536),
    "accumulate": (1, 65_536),
    "clip": (1e-6, 1e6),
    "ema": (0, 0.99999),
    "lora": (0, 1024),
    "hold_out": (1, 10**6),
    "minutes": (0.001, 1440),
    "sample_minutes": (0, 10_080),
    "seed": (0, 2**63 - 1),
}
"""The least and the most that a number may be."""
SIDES, LOGIT_MEAN, LOGIT_DEVIATION = (32, 1024), (-10, 10), (0.01, 10)
YEAR = 365 * 24 * 3600.0


@dataclass(frozen=True)
class Train:
    """Train a model on captioned pictures or sounds; a stopped run can be continued.

    Attributes:
        data: a folder of captioned pictures or sounds. Captions stand in metadata.jsonl, metadata.csv, or .txt or
            .caption files beside them, in folder names, or in parquet files. Text that cannot be used as captions stops
            the training before it starts.
        name: name of the trained model. It is written to `$REGROW_HOME/models/NAME`.
        world: train on material made by rule. It may be mixed with a folder, so that an embedded model keeps what it
            knows while it learns the folder. storybook draws pictures, bandstand plays sounds, songbook sings songs.
        start: model to continue from: a name, a folder or a hub id. Without it a new model is made.
        medium: what the folder holds. If not given, what the model to continue from makes, else pictures.
        family: layout of a new model: stable-diffusion, stable-diffusion-3 or singer. stable-diffusion is the default;
            stable-diffusion-3 (sd3) is a transformer that predicts the flow; singer learns the songbook.
        codec: model whose codec a new model takes. A name, a folder or a hub id. Without it a codec is trained; with
            --family and a world alone, the codec of regrow's own model of that world is taken.
        new: size of a new model. small if not given; tiny, with a quarter of its parameters, is for trying things out.
        stage: which part to train. auto trains codec and denoiser of a new model, and the denoiser of a model to
            continue from. codec trains the codec alone (of a model to continue from only the decoder, so that its
            denoiser still fits); denoiser trains the denoiser alone; pixel makes an unconditional model without codec,
            of pixels or of mels.
        time: how long to train, such as 90m or 2h. A new model's codec gets the first third. Two hours if neither this
            nor --steps is given.
        steps: number of steps of each stage, instead of a time.
        size: side of the pictures in pixels. If not given, the model's own, or 128 for a new model.
        scenes: scenes of the world; 0 = 16,000, or 3 for each file. They are phrases of the bandstand.
        objective: what a new denoiser predicts. If not given, v, or flow where the family predicts nothing else.
        min_snr: gamma of min-SNR loss weighting; 0 = off. Hang et al. 2023, arXiv 2303.09556.
        logit_normal: draw noise levels by mean and deviation of their logit. For example 0.6 1.2, which draws more of
            the levels where the prompt decides. If not given, levels are drawn evenly.
        drop: fraction of captions left out, which guidance needs.
        optimizer: optimizer; if not given, muon, or adamw for a LoRA.
        rate: peak learning rate. By default 3e-3 for muon and 1e-3 for adamw, a third of that when continuing from a
            model, 1e-4 for a LoRA. It is the rate of kernels and matrices.
        decline: how the learning rate falls.
        flat: fraction of the run before the learning rate falls.
        warm_up: steps over which the learning rate rises.
        batch: pictures or sounds a step, over all processes.
        accumulate: parts to split a batch into, to save memory.
        clip: largest norm of the gradient.
        ema: decay of the moving average of weights that is saved.
        lora: rank of LoRA adapters to train instead; 0 = off. They adapt the denoiser, whose own weights stay.
        text: also train the text encoder. By default it is trained where it is small.
        checkpointing: recompute activations to save memory.
        precision: precision of the arithmetic. fp16 needs a GPU.
        hold_out: files kept out of training for the validation loss.
        prompts: prompts of the sample grid; if not given, held-out captions.
        minutes: minutes between checkpoints; 2 if not given. A kill costs at most that.
        sample_minutes: minutes between sample grids; 10 if not given, 0 = only at the end.
        seed: seed of weights, samples and noise.
        resume: continue the run of this name with its own settings. Only --minutes, --sample-minutes and --prompts,
            which change no weights, may be given anew.
        dry_run: say what would be done and how long it would take, then stop.
    """

    data: Positional[Path | None] = None
    name: str = ""
    world: Literal["storybook", "bandstand", "songbook"] | None = None
    start: Annotated[str, arg(name="from")] = ""
    medium: Medium | None = None
    family: str | None = None
    codec: str | None = None
    new: NewSize | None = None
    stage: Stage = "auto"
    time: Annotated[str, arg(name="for")] = ""
    steps: int = 0
    size: int = 0
    scenes: int = 0
    objective: Objective | None = None
    min_snr: float = 0.0
    logit_normal: tuple[float, float] | None = None
    drop: float = 0.1
    optimizer: OptimizerName | None = None
    rate: float | None = None
    decline: Decline = "linear"
    flat: float = 0.4
    warm_up: int = 50
    batch: int = 32
    accumulate: int = 1
    clip: float = 1.0
    ema: float = 0.998
    lora: int = 0
    text: bool | None = None
    checkpointing: bool = False
    precision: Precision = "fp32"
    hold_out: int = 32
    prompts: tuple[str, ...] = ()
    minutes: float | None = None
    sample_minutes: float | None = None
    seed: int = 0
    resume: str = ""
    dry_run: bool = False

    def __post_init__(self) -> None:
        self._check_numbers()
        if self.resume:
            others = [f.name for f in fields(self) if f.name not in (*FREE, "resume", "dry_run")]
            if given := [_flag(name) for name in others if getattr(self, name) != getattr(Train, name)]:
                raise ValueError(say("resume_has_own_settings", given=", ".join(given)))
            return
        if not self.name or set(self.name) & set('/\\:*?"<>|') or self.name.startswith("."):
            raise ValueError(say("name_no_file_name", name=self.name))
        if self.data is None and self.world is None:
            raise ValueError(say("training_needs_data"))
        if self.steps and self.time:
            raise ValueError(say("steps_or_time"))
        if self.size and self.learns not in SIZED:
            raise ValueError(say("size_only_for_pictures"))
        if self.scenes and not self.world:
            raise ValueError(say("scenes_need_world"))
        if self.batch % self.accumulate:
            raise ValueError(say("batch_not_divisible", batch=self.batch, accumulate=self.accumulate))
        if self.lora and not self.start:
            raise ValueError(say("lora_needs_start"))
        if self.lora and self.stage in ("pixel", "codec"):
            raise ValueError(say("lora_only_for_denoisers"))
        if self.stage == "denoiser" and not (self.start or self.codec_from):
            raise ValueError(say("denoiser_needs_codec"))
        if self.stage == "pixel" and (self.family or self.codec):
            raise ValueError(say("pixel_stage_has_no_codec"))
        if self.stage == "codec" and self.codec:
            raise ValueError(say("codec_taken_or_trained"))
        if self.world == SONGBOOK and self.family is None and not self.start:
            object.__setattr__(self, "family", SINGER)
        if self.family == SINGER and self.world != SONGBOOK:
            raise ValueError(say("singer_learns_songbook"))
        for name in ("objective", "new", "family", "codec"):
            if self.start and getattr(self, name) is not None:
                raise ValueError(say("only_for_new_model", name=name, start=self.start))

    def _check_numbers(self) -> None:
        """Refuse what is no number, or none that a training could use."""
        check_types(type(self), vars(self))
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:  # which NaN never is
                raise ValueError(say("number_out_of_range", flag=_flag(name), least=least, most=most, value=value))
        if self.size and (self.size % 32 or not SIDES[0] <= self.size <= SIDES[1]):
            raise ValueError(say("size_not_multiple", least=SIDES[0], most=SIDES[1], size=self.size))
        for what, place, (least, most) in (("mean", 0, LOGIT_MEAN), ("deviation", 1, LOGIT_DEVIATION)):
            if self.logit_normal and not least <= self.logit_normal[place] <= most:
                found = self.logit_normal[place]
                raise ValueError(say("logit_normal_out_of_range", what=what, least=least, most=most, given=found))
        if not self.steps and not 0 < self.seconds <= YEAR:
            raise ValueError(say("time_out_of_range", time=self.time))

    @property
    def learns(self) -> Medium | None:
        """What the request says that is learned; None leaves it to the model to go on from."""
        worlds: dict[str, Medium] = {"storybook": "picture", "bandstand": "sound", "songbook": "sound"}
        return worlds[self.world] if self.world else self.medium

    @property
    def codec_from(self) -> str:
        """The model whose codec a new one takes, as `codec` says; "" where one is trained."""
        own = self.family and self.family != SINGER and self.data is None and self.stage != "codec"
        world = self.world if own else None
        return "" if self.start else self.codec or world or ""

    @property
    def between_checkpoints(self) -> float:
        """Minutes, as `minutes` says."""
        return 2.0 if self.minutes is None else self.minutes

    @property
    def between_grids(self) -> float:
        """Minutes, as `sample_minutes` says."""
        return 10.0 if self.sample_minutes is None else self.sample_minutes

    @property
    def seconds(self) -> float:
        """`time` in seconds; two hours where neither it nor `steps` is given."""
        if self.steps:
            return 0.0
        match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", self.time or "2h")
        if not match or not any(match.groups()):
            raise ValueError(say("time_malformed", time=self.time))
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return 3600 * hours + 60 * minutes + seconds


def _flag(name: str) -> str:
    """How a setting is called on the command line."""
    if name == "data":
        return "the folder"
    return "--" + {"start": "from", "time": "for"}.get(name, name).replace("_", "-")
