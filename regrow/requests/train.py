"""The request of `regrow train`, as a frozen dataclass that imports nothing heavy."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from regrow.core.names import Decline, NewSize, Objective, OptimizerName, Precision
from regrow.requests.ranges import check_types

Stage = Literal["auto", "codec", "denoiser", "pixel"]
Medium = Literal["picture", "sound"]
SIZED = ("picture", None)
"""What may be learned where a size in pixels is given; None is what the model to go on from makes."""
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
    """Train a model on a folder of captioned pictures or sounds or on a world; killed, the same command goes on.

    Attributes:
        data: a folder: pictures or sounds with captions in metadata.jsonl, metadata.csv, .txt or .caption files beside
            them or folder names, or parquet files. Text that cannot be used as captions stops the training first.
        name: of the model; it is written to `$REGROW_HOME/models/NAME`.
        world: pictures drawn (storybook) or sounds played (bandstand) by rule, instead of a folder; or mixed with it,
            so that an embedded model keeps what it knows while it learns the folder.
        start: the model to go on from: a name, a folder or a hub id. Without it a new one is made.
        medium: what a folder holds: picture or sound; that of the model to go on from, or pictures if not given.
        family: layout of a new model: stable-diffusion, which is the default, or stable-diffusion-3 (sd3), a
            transformer that predicts the flow.
        codec: the model whose codec a new model takes as it is: a name, a folder or a hub id. Without it a codec is
            trained; or, with --family and a world alone, that of the model that regrow carries of this world is taken.
        new: size of a new model; small if not given. tiny, of a quarter of its parameters, is for trying
            things out.
        stage: auto trains codec and denoiser of a new model, and the denoiser of one to go on from. codec trains
            only that (of a model to go on from: its decoder, so that its denoiser still fits); denoiser only that;
            pixel makes an unconditional model without codec, of pixels or of mels.
        time: how long to train, like 90m or 2h; a new model's codec gets the first third. Two hours if neither this
            nor --steps is given.
        steps: the same as a number of steps of each stage.
        size: side of the pictures in pixels; the model's own, or 128 for a new one.
        scenes: how many scenes or phrases of the world; 0 is 16,000, or three for each picture or clip of the folder.
        objective: what a new denoiser predicts; v if not given, or flow where the family predicts nothing else.
        min_snr: gamma of min-SNR weighting (Hang et al. 2023, arXiv 2303.09556); 0 = off.
        logit_normal: draw levels by this mean and deviation of their logit, like 0.6 1.2, so that more are from where
            words decide; evenly if not given.
        drop: share of the captions left out, for guidance.
        optimizer: muon, the default, or adamw, that of a LoRA.
        rate: peak learning rate of kernels and matrices; by default 3e-3 for muon and 1e-3 for adamw, a third of
            that when going on from a model, 1e-4 for a LoRA.
        decline: how the rate falls: linear, cosine, constant.
        flat: share of the run before it falls.
        warm_up: steps over which it rises.
        batch: pictures a step, over all processes.
        accumulate: parts that a batch is computed in, to save memory.
        clip: the gradient's norm is cut to this.
        ema: decay of the moving average of the weights, which is what is saved.
        lora: rank of low-rank adapters that are trained instead of the denoiser itself; 0 = off.
        text: whether the text encoder learns too; by default it does where it is small.
        checkpointing: compute activations twice instead of keeping them, to save memory.
        precision: of the arithmetic: fp32, bf16, or fp16 (on a GPU).
        hold_out: pictures that are never trained on and measure the validation loss.
        prompts: of the sample grid; captions of held-out pictures if not given.
        minutes: between checkpoints, the most that a kill can cost; 2 if not given.
        sample_minutes: between sample grids; 0 = only at the end, 10 if not given.
        seed: of weights, samples and noise.
        resume: go on with the run of this name, with its own settings; of them only --minutes, --sample-minutes and
            --prompts, which change no weights, may be given anew.
        dry_run: say what would be done, and how long it would take, and stop.
    """

    data: Positional[Path | None] = None
    name: str = ""
    world: Literal["storybook", "bandstand"] | None = None
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
                raise ValueError(f"--resume goes on with the run's own settings; leave out {', '.join(given)}.")
            return
        if not self.name or set(self.name) & set('/\\:*?"<>|') or self.name.startswith("."):
            raise ValueError(f"--name must be a plain file name; got {self.name!r}.")
        if self.data is None and self.world is None:
            raise ValueError("Name a folder of pictures or sounds to train on, or a --world.")
        if self.steps and self.time:
            raise ValueError("--steps and --for exclude each other.")
        if self.size and self.learns not in SIZED:
            raise ValueError("--size is for pictures.")
        if self.scenes and not self.world:
            raise ValueError("--scenes is for a world: name one (--world), or leave it out.")
        if self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be cut into {self.accumulate} equal parts (--accumulate).")
        if self.lora and not self.start:
            raise ValueError("--lora needs a model to go on from (--from).")
        if self.lora and self.stage in ("pixel", "codec"):
            raise ValueError("--lora is for denoisers with a text encoder.")
        if self.stage == "denoiser" and not (self.start or self.codec_from):
            raise ValueError(
                "A denoiser needs a codec: name a model to go on from (--from) or to take it of (--codec), or leave "
                "--stage out."
            )
        if self.stage == "pixel" and (self.family or self.codec):
            raise ValueError("--stage pixel makes a network of pixels without a codec; leave --family and --codec out.")
        if self.stage == "codec" and self.codec:
            raise ValueError("--codec takes a codec as it is, and --stage codec trains one; leave one of them out.")
        for name in ("objective", "new", "family", "codec"):
            if self.start and getattr(self, name) is not None:
                raise ValueError(f"--{name} is for a new model, and {self.start} stays what it is; leave it out.")

    def _check_numbers(self) -> None:
        """Refuse what is no number, or none that a training could use."""
        check_types(type(self), vars(self))
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:  # which NaN never is
                raise ValueError(f"{_flag(name)} must be from {least:.12g} to {most:.12g}; got {value}.")
        if self.size and (self.size % 32 or not SIDES[0] <= self.size <= SIDES[1]):
            raise ValueError(f"--size must be a multiple of 32 from {SIDES[0]} to {SIDES[1]}; got {self.size}.")
        for what, place, (least, most) in (("mean", 0, LOGIT_MEAN), ("deviation", 1, LOGIT_DEVIATION)):
            if self.logit_normal and not least <= self.logit_normal[place] <= most:
                found = self.logit_normal[place]
                raise ValueError(f"The {what} of --logit-normal must be from {least} to {most}; got {found}.")
        if not self.steps and not 0 < self.seconds <= YEAR:
            raise ValueError(f"--for must be some time, like 90m or 2h, and a year at most; got {self.time!r}.")

    @property
    def learns(self) -> Medium | None:
        """What the request says that is learned; None leaves it to the model to go on from."""
        worlds: dict[str, Medium] = {"storybook": "picture", "bandstand": "sound"}
        return worlds[self.world] if self.world else self.medium

    @property
    def codec_from(self) -> str:
        """The model whose codec a new one takes, as `codec` says; "" where one is trained."""
        world = self.world if self.family and self.data is None and self.stage != "codec" else None
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
            raise ValueError(f"--for must be like 90m, 2h or 1h30m; got {self.time!r}.")
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return 3600 * hours + 60 * minutes + seconds


def _flag(name: str) -> str:
    """How a setting is called on the command line."""
    if name == "data":
        return "the folder"
    return "--" + {"start": "from", "time": "for"}.get(name, name).replace("_", "-")
