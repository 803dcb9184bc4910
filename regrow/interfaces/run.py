"""Options that commands share."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from regrow.messages.message import say
from regrow.models.engines.names import EngineName
from regrow.models.memory.names import DtypeName, Offload

AsFamily = Annotated[str, tyro.conf.arg(name="as", metavar="FAMILY")]


@dataclass(frozen=True)
class Report:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: number of CPU threads; 0 = chosen by torch. Take 1 while another process is busy.
    """

    json: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.threads <= 1024:
            raise ValueError(say("threads_out_of_range", threads=self.threads))


@dataclass(frozen=True)
class Opening(Report):
    """How a command opens a model.

    Attributes:
        device: where the model runs: cpu, cuda or mps.
        dtype: weights: auto, float32, bfloat16, float16 or float8. auto is float32; float8 stores the network's weights
            in a byte each and computes in bfloat16.
        offload: keep idle weights in main memory. parts keeps one part at a time on the device; layers needs least
            memory there and is slow.
        lora: LoRA files, each with its scale: style.safetensors:0.8.
        embedding: textual inversion files. The name of each is then a word for prompts.
        as_family: family of the model, if its files do not say it. For example --as riffusion.
        allow_pickle: also load .bin files, which can run code; only for files you trust.
        offline: never download a model.
    """

    as_family: AsFamily = ""
    device: str = "cpu"
    dtype: DtypeName = "auto"
    offload: Offload = "none"
    allow_pickle: bool = False
    lora: tuple[str, ...] = ()
    embedding: tuple[str, ...] = ()
    offline: bool = False


@dataclass(frozen=True)
class Run(Opening):
    """How a command computes.

    Attributes:
        engine: what computes the network. openvino runs on the CPU, in bfloat16 where that is faster here and --dtype
            is auto. auto takes openvino where it is installed and the network is large enough to pay for its
            compilation; replay takes what computed the file.
    """

    engine: EngineName = "auto"


@dataclass(frozen=True)
class Making(Run):
    """How a command computes and writes files with recipes.

    Attributes:
        keep_paths: record the folders of files and model in the recipe. Then replay finds them from anywhere; else the
            recipe holds only their names.
    """

    keep_paths: bool = False


ReportOptions = Annotated[Report, tyro.conf.arg(name="")]
OpeningOptions = Annotated[Opening, tyro.conf.arg(name="")]
RunOptions = Annotated[Run, tyro.conf.arg(name="")]
MakingOptions = Annotated[Making, tyro.conf.arg(name="")]
