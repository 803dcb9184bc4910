"""How any command runs and reports."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Run:
    """How a command runs and reports.

    Attributes:
        json: print one JSON document instead of sentences.
        threads: of the CPU; 0 leaves torch's choice. Beside another busy process take 1.
        device: where the model runs: cpu, cuda, mps.
        dtype: of the model's weights.
        allow_pickle: also load .bin weight files, which can run code; only for files you trust.
    """

    json: bool = False
    threads: int = 0
    device: str = "cpu"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    allow_pickle: bool = False


Options = Annotated[Run, tyro.conf.arg(name="")]
