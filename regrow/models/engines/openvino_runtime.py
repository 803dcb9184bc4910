"""OpenVINO itself: whether it is there, what this CPU computes in, and a network compiled for a shape."""

import importlib
import json
import platform
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from regrow.media.cache import keep, kept
from regrow.media.home import home
from regrow.models.engines.names import Precision
from regrow.models.errors import ModelError
from regrow.models.folder import reason

SIDE, WORTH = 512, 1.2
"""Of the matrices that decide on a precision, and how many times as fast bfloat16 must be to be worth its rounding."""


def installed() -> bool:
    """Whether there is an OpenVINO."""
    return find_spec("openvino") is not None


def computes(precision: Precision) -> bool:
    """Whether this CPU has instructions for a precision."""
    return precision == "float32" or "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def fastest() -> Precision:
    """What OpenVINO computes fastest in on this CPU."""
    return "bfloat16" if computes("bfloat16") and bfloat16_pays() else "float32"


@cache
def bfloat16_pays() -> bool:
    """Whether this CPU is faster in bfloat16, by the product of two matrices, which takes some milliseconds.

    Having instructions for it does not decide: there are CPUs with AVX-512's whose float32 is twice as fast. Without
    them a product takes as long as a hundred. What was measured is kept for this CPU, so that a busy moment later does
    not choose another precision, with other numbers.
    """
    path, cpu = home() / "cache" / "engine" / "precision", _cpu()
    known = json.loads(bytes(kept(path) or b"{}"))
    if isinstance(known.get(cpu), bool):
        return known[cpu]
    pays = _measured()
    keep(path, json.dumps({cpu: pays}).encode())
    return pays


def _cpu() -> str:
    """What this CPU is called, and the torch that was measured on it."""
    with suppress(OSError):
        names = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        return f"{names[0] if names else platform.machine()} {torch.__version__}"
    return f"{platform.processor()} {torch.__version__}"


def _measured() -> bool:
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.full((SIDE, SIDE), 0.5, dtype=dtype)
        torch.mm(matrix, matrix)  # the first call prepares
        times = []
        for _ in range(9):
            started = time.perf_counter()
            torch.mm(matrix, matrix)
            times.append(time.perf_counter() - started)
        seconds[dtype] = min(times)
    return seconds[torch.float32] > WORTH * seconds[torch.bfloat16]


def compile_for(network: Any, shapes: Sequence[tuple[int, ...]], precision: Precision) -> Any:
    """A network, read or converted, compiled for inputs of these shapes and as many threads as torch has."""
    network.reshape({into: list(shape) for into, shape in zip(network.inputs, shapes, strict=True)})
    return core().compile_model(network, "CPU", settings(precision))


def settings(precision: Precision) -> dict[str, Any]:
    """What a network is compiled with, and loaded again with."""
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinned threads crowd onto the cores that other processes pinned theirs to
        "CACHE_MODE": "OPTIMIZE_SIZE",  # leaves the weights out of what is exported
    }


@cache
def core() -> Any:
    """Its devices; one for the process.

    Raises:
        ModelError: it is installed, and does not work here.
    """
    try:
        return library().Core()
    except (ImportError, OSError, RuntimeError) as problem:
        raise ModelError(
            f"OpenVINO is installed and cannot be used ({reason(problem)}); use --engine torch."
        ) from problem


def library() -> Any:
    """The module."""
    # it tells Google of every import and conversion where its openvino_telemetry can be imported
    sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
    return importlib.import_module("openvino")
