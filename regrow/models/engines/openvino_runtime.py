"""OpenVINO itself: whether it is installed, the CPU's precisions, and compiling a network for a shape."""

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
from regrow.messages.message import say
from regrow.models.engines.names import Precision
from regrow.models.errors import ModelError
from regrow.models.folder import reason

SIDE, WORTH = 512, 1.2
"""Side of the matrices that are timed, and how many times as fast bfloat16 must be to be worth its rounding."""


def installed() -> bool:
    """Return whether OpenVINO is installed."""
    return find_spec("openvino") is not None


def computes(precision: Precision) -> bool:
    """Return whether this CPU has instructions for a precision."""
    return precision == "float32" or "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def fastest() -> Precision:
    """Return OpenVINO's fastest precision on this CPU."""
    return "bfloat16" if computes("bfloat16") and bfloat16_pays() else "float32"


@cache
def bfloat16_pays() -> bool:
    """Return whether this CPU is faster in bfloat16, by timing matrix products, which takes some milliseconds.

    Instructions for bfloat16 do not suffice: some CPUs that have those of AVX-512 are twice as fast in float32. Without
    any, a product takes 100 times as long. The result is cached for this CPU: a later measurement on a busy machine
    might choose another precision, which would change results.
    """
    path, cpu = home() / "cache" / "engine" / "precision", _cpu()
    known = json.loads(bytes(kept(path) or b"{}"))
    if isinstance(known.get(cpu), bool):
        return known[cpu]
    pays = _measured()
    keep(path, json.dumps({cpu: pays}).encode())
    return pays


def _cpu() -> str:
    """Return the CPU's name and torch's version."""
    with suppress(OSError):
        names = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        return f"{names[0] if names else platform.machine()} {torch.__version__}"
    return f"{platform.processor()} {torch.__version__}"


def _measured() -> bool:
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        matrix = torch.full((SIDE, SIDE), 0.5, dtype=dtype)
        torch.mm(matrix, matrix)  # warm-up
        times = []
        for _ in range(9):
            started = time.perf_counter()
            torch.mm(matrix, matrix)
            times.append(time.perf_counter() - started)
        seconds[dtype] = min(times)
    return seconds[torch.float32] > WORTH * seconds[torch.bfloat16]


def compile_for(network: Any, shapes: Sequence[tuple[int, ...]], precision: Precision) -> Any:
    """Compile a network for inputs of these shapes, with as many threads as torch has."""
    network.reshape({into: list(shape) for into, shape in zip(network.inputs, shapes, strict=True)})
    return core().compile_model(network, "CPU", settings(precision))


def settings(precision: Precision) -> dict[str, Any]:
    """Return the settings for compiling a network and for loading it again."""
    return {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # pinned threads would share cores with other processes' pinned threads
        "CACHE_MODE": "OPTIMIZE_SIZE",  # exports without the weights
    }


@cache
def core() -> Any:
    """Return OpenVINO's Core; one per process.

    Raises:
        ModelError: OpenVINO is installed, but does not work here.
    """
    try:
        return library().Core()
    except (ImportError, OSError, RuntimeError) as problem:
        raise ModelError(say("openvino_unusable", reason=reason(problem))) from problem


def library() -> Any:
    """Import OpenVINO, without its telemetry."""
    # if openvino_telemetry can be imported, it reports every import and conversion to Google
    sys.modules.setdefault("openvino_telemetry", None)  # pyright: ignore[reportArgumentType]
    return importlib.import_module("openvino")
