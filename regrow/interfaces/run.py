"""How any command runs and reports."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from regrow.models.engines.names import EngineName
from regrow.models.memory.names import DtypeName, Offload

AsFamily = Annotated[str, tyro.conf.arg(name="as", metavar="FAMILY")]


@dataclass(frozen=True)
class Report:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: of the CPU; 0 leaves torch's choice. Beside another busy process take 1.
    """

    json: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.threads <= 1024:
            raise ValueError(f"--threads must be from 0, which leaves torch's choice, to 1024; got {self.threads}.")


@dataclass(frozen=True)
class Opening(Report):
    """How a command that looks at a model opens it.

    Attributes:
        device: where the model runs: cpu, cuda, mps.
        dtype: of the model's weights; auto is float32. float8 stores those of the network in a byte each, and computes
            in bfloat16.
        offload: what waits in the machine's memory until the device computes with it: parts, one at a time on the
            device, or layers, which takes least and is slow.
        lora: LoRA files to add to the model's weights, each with its scale: style.safetensors:0.8.
        embedding: embedding files (textual inversions); the name of each is then a word for prompts.
        as_family: the family of the model, where neither its files nor its name say it, as in --as riffusion.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
        offline: fetch nothing: a model of the hub has to be here.
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
    """How a command that makes something computes it.

    Attributes:
        engine: what computes the network: torch, or openvino, on the CPU, and in bfloat16 where that is faster here and
            --dtype is auto. auto takes openvino where it is installed and the network is large enough to pay for its
            compilation, and for replay what computed the file.
    """

    engine: EngineName = "auto"


@dataclass(frozen=True)
class Making(Run):
    """How a command that makes files with recipes computes and writes them.

    Attributes:
        keep_paths: also write into the recipe in which folders the files and the model are, so that replay finds them
            from anywhere; else it holds their names alone.
    """

    keep_paths: bool = False


ReportOptions = Annotated[Report, tyro.conf.arg(name="")]
OpeningOptions = Annotated[Opening, tyro.conf.arg(name="")]
RunOptions = Annotated[Run, tyro.conf.arg(name="")]
MakingOptions = Annotated[Making, tyro.conf.arg(name="")]
