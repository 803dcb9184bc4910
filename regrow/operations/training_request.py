"""The request of `regrow train`, as a frozen dataclass that imports nothing heavy."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from regrow.core.names import Decline, Objective, OptimizerName, Precision

Stage = Literal["auto", "codec", "denoiser", "pixel"]
NewSize = Literal["small", "medium"]
Medium = Literal["picture", "sound"]


@dataclass(frozen=True)
class Train:
    """Train a model on a folder of captioned pictures or sounds or on a world; killed, the same command goes on.

    Attributes:
        data: a folder: pictures or sounds with captions in metadata.jsonl, metadata.csv, .txt files beside them or
            folder names, or parquet files.
        name: of the model; it is written to `$REGROW_HOME/models/NAME`.
        world: pictures drawn (storybook) or sounds played (bandstand) by rule, instead of a folder; or mixed with it,
            so that an embedded model keeps what it knows while it learns the folder.
        start: the model to go on from: a name, a folder or a hub id. Without it a new one is made.
        medium: what a folder holds: picture or sound; that of the model to go on from, or pictures if not given.
        new: size of a new model.
        stage: auto trains codec and denoiser of a new model, and the denoiser of one to go on from. codec trains
            only that (of a model to go on from: its decoder, so that its denoiser still fits); denoiser only that;
            pixel makes an unconditional model without codec, of pixels or of mels.
        time: how long to train, like 90m or 2h; a new model's codec gets the first third. Two hours if neither this
            nor --steps is given.
        steps: the same as a number of steps of each stage.
        size: side of the pictures in pixels; the model's own, or 128 for a new one.
        scenes: how many scenes or phrases of the world; 0 is 16,000, or three for each picture or clip of the folder.
        objective: what a new denoiser predicts.
        min_snr: gamma of min-SNR weighting (Hang et al. 2023, arXiv 2303.09556); 0 = off.
        logit_normal: draw levels by this mean and deviation of their logit, like 0.6 1.2, so that more are from where
            words decide; evenly if not given.
        drop: share of the captions left out, for guidance.
        optimizer: muon, which learned several times faster in our trials, or adamw, the default for a LoRA.
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
        minutes: between checkpoints, the most that a kill can cost.
        sample_minutes: between sample grids; 0 = only at the end.
        seed: of weights, samples and noise.
        resume: go on with the run of this name, with its own settings.
        dry_run: say what would be done, and how long it would take, and stop.
    """

    data: Positional[Path | None] = None
    name: str = ""
    world: Literal["storybook", "bandstand"] | None = None
    start: Annotated[str, arg(name="from")] = ""
    medium: Medium | None = None
    new: NewSize = "small"
    stage: Stage = "auto"
    time: Annotated[str, arg(name="for")] = ""
    steps: int = 0
    size: int = 0
    scenes: int = 0
    objective: Objective = "v"
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
    minutes: float = 2.0
    sample_minutes: float = 10.0
    seed: int = 0
    resume: str = ""
    dry_run: bool = False

    def __post_init__(self) -> None:
        if self.resume:
            return
        if not self.name or set(self.name) & set('/\\:*?"<>|') or self.name.startswith("."):
            raise ValueError(f"--name must be a plain file name; got {self.name!r}.")
        if self.data is None and self.world is None:
            raise ValueError("Name a folder of pictures or sounds to train on, or a --world.")
        if self.steps and self.time:
            raise ValueError("--steps and --for exclude each other.")
        if self.steps < 0 or self.seconds < 0:
            raise ValueError(f"--steps must be 1 or more; got {self.steps}.")
        if self.size and (self.size % 32 or self.size < 32):
            raise ValueError(f"--size must be a multiple of 32; got {self.size}.")
        if self.learns == "sound" and self.size:
            raise ValueError("--size is for pictures.")
        if min(self.batch, self.accumulate, self.hold_out) < 1 or self.scenes < 0:
            raise ValueError("--batch, --accumulate and --hold-out must be 1 or more, --scenes 0 or more.")
        if self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be cut into {self.accumulate} equal parts (--accumulate).")
        for name, value in (("drop", self.drop), ("flat", self.flat)):
            if not 0 <= value <= 1:
                raise ValueError(f"--{name} must be from 0 to 1; got {value}.")
        if not 0 <= self.ema < 1:
            raise ValueError(f"--ema must be from 0 to below 1; got {self.ema}.")
        if self.lora < 0 or (self.lora and not self.start):
            raise ValueError("--lora needs a model to go on from (--from) and a rank of 1 or more.")
        if self.stage == "pixel" and self.lora:
            raise ValueError("--lora is for denoisers with a text encoder.")
        if self.stage == "denoiser" and not self.start:
            raise ValueError("A denoiser needs a codec: name a model to go on from (--from), or leave --stage out.")
        if self.min_snr < 0 or self.clip <= 0 or self.minutes <= 0 or self.sample_minutes < 0:
            raise ValueError("--clip and --minutes must be above 0, --min-snr and --sample-minutes 0 or more.")

    @property
    def learns(self) -> Medium | None:
        """What the request says that is learned; None leaves it to the model to go on from."""
        worlds: dict[str, Medium] = {"storybook": "picture", "bandstand": "sound"}
        return worlds[self.world] if self.world else self.medium

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
