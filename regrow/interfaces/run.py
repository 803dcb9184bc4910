"""How any command runs and reports."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from regrow.families.names import EngineName


@dataclass(frozen=True)
class Run:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: of the CPU; 0 leaves torch's choice. Beside another busy process take 1.
        device: where the model runs: cpu, cuda, mps.
        dtype: of the model's weights; auto is float32.
        engine: what computes the network of all verbs but train, verify, bench and inspect: torch, or openvino, on the
            CPU and in bfloat16 where the CPU has it and --dtype is auto. auto takes openvino where it is installed and
            the network is large enough to pay for its compilation, and for replay what computed the file.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """

    json: bool = False
    threads: int = 0
    device: str = "cpu"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    engine: EngineName = "auto"
    allow_pickle: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.threads <= 1024:
            raise ValueError(f"--threads must be from 0, which leaves torch's choice, to 1024; got {self.threads}.")


Options = Annotated[Run, tyro.conf.arg(name="")]
