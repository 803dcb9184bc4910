"""Measure what fraction of this machine's peak performance a network reaches."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from regrow.core.progress import Progress
from regrow.models.engines.engine import Engine
from regrow.models.engines.names import Precision
from regrow.models.engines.network import Network, example_inputs
from regrow.models.load_part import channels_last

MATRICES = (256, 512, 1024, 2048)
"""Sides of the matrices whose product is the peak: the last, or the first whose product takes `LONG`."""
LONG = 0.05
"""Seconds. A CPU without instructions for bfloat16 would take a minute for the largest matrices."""


@dataclass(frozen=True)
class Share:
    """Measurements of one network, with one sample per call.

    Attributes:
        network: its name.
        sides: of its latents.
        flops: of a call; a multiplication and an addition are two.
        peak: flops per second of a large matrix product in torch.
        seconds: of a call, by engine.
    """

    network: str
    sides: tuple[int, ...]
    flops: float
    peak: float
    seconds: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """The share of the peak that a call reaches, by engine."""
        return {name: self.flops / seconds / self.peak for name, seconds in self.seconds.items()}


def clock() -> float:
    """Return CPU seconds with one thread, which other busy processes hardly affect; wall-clock seconds otherwise."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def fastest_of(run: Callable[[], object], times: int) -> float:
    """Return the seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        started = clock()
        run()
        seconds.append(clock() - started)
    return min(seconds)


def matrix_peak(precision: Precision = "float32", times: int = 5) -> float:
    """Return the flops per second of a large matrix product in torch, the peak of the CPU's math library.

    Args:
        precision: of the matrices.
        times: number of runs; the fastest counts.
    """
    rate = 0.0
    for side in MATRICES:
        a, b = torch.randn(2, side, side, generator=torch.Generator().manual_seed(0)).to(getattr(torch, precision))
        seconds = fastest_of(partial(torch.matmul, a, b), times)
        rate = 2 * side**3 / seconds
        if seconds > LONG:
            break
    return rate


def flops_of(network: Network) -> float:
    """Return the flops of a call with one sample, counted by torch on meta tensors."""
    module = network.module()
    empty = {name: torch.empty_like(tensor, device="meta") for name, tensor in module.state_dict().items()}
    inputs = [part.to("meta", next(module.parameters()).dtype) for part in example_inputs(network, network.sides, 1)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        torch.func.functional_call(module, empty, tuple(inputs))
    return float(counter.get_total_flops())


def share_of(
    network: Network, engines: dict[str, Engine], peak: float, times: int = 5, bfloat16: bool = False
) -> Generator[Progress, None, Share]:
    """Measure a network in torch and by each engine, after a warm-up.

    Args:
        network: the network.
        engines: by name.
        peak: flops per second.
        times: number of runs of each; the fastest counts.
        bfloat16: whether to measure torch in bfloat16 too, on a copy in channels_last format.
    """
    x_t, labels, *condition = example_inputs(network, network.sides, 1)
    module = network.module()
    whole = next(module.parameters()).dtype == torch.float32
    runs: dict[str, Callable[[], object]] = {}
    if whole:
        runs["torch"] = _calling(network, module)
    runs |= {name: (lambda engine=engine: engine(x_t, labels, condition)) for name, engine in engines.items()}
    if bfloat16:
        rounded = deepcopy(module) if whole else module
        nn.Module.to(rounded, torch.bfloat16)  # diffusers' own `to` warns of modules kept in float32
        channels_last(rounded)
        runs["torch bfloat16"] = _calling(network, rounded)
    seconds = {}
    for i, (name, run) in enumerate(runs.items()):
        yield Progress(network.name, i, len(runs))
        run()
        seconds[name] = fastest_of(run, times)
    yield Progress(network.name, len(runs), len(runs))
    return Share(network.name, network.sides, flops_of(network), peak, seconds)


def _calling(network: Network, module: nn.Module) -> Callable[[], object]:
    """Return a function that calls a network, or a copy of it, on example inputs."""
    dtype = next(module.parameters()).dtype
    inputs = [part.to(dtype) for part in example_inputs(network, network.sides, 1)]

    def call() -> object:
        with torch.no_grad():
            return module(*inputs)

    return call
