"""How much of what this machine can multiply a network reaches."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from regrow.core.progress import Progress
from regrow.models.engines.engine import Engine
from regrow.models.engines.names import Precision
from regrow.models.engines.network import Network, example_inputs
from regrow.models.load_part import channels_last

MATRIX = 2048
"""Side of the matrices whose product is the peak."""


@dataclass(frozen=True)
class Share:
    """Of one network, one sample a call.

    Attributes:
        network: whose.
        sides: of its latents.
        flops: of a call; a multiplication and an addition are two.
        peak: flops a second of a large matrix product in torch.
        seconds: of a call, by who computes it.
    """

    network: str
    sides: tuple[int, ...]
    flops: float
    peak: float
    seconds: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Of the peak, by who computes."""
        return {name: self.flops / seconds / self.peak for name, seconds in self.seconds.items()}


def clock() -> float:
    """Seconds: of the processor with one thread, which other busy processes lengthen little; else by the clock."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def fastest_of(run: Callable[[], object], times: int) -> float:
    """Seconds of the fastest of several runs."""
    seconds = []
    for _ in range(times):
        started = clock()
        run()
        seconds.append(clock() - started)
    return min(seconds)


def matrix_peak(precision: Precision = "float32", times: int = 5) -> float:
    """Flops a second of a large matrix product in torch, which is the CPU library's own best.

    Args:
        precision: of the matrices.
        times: the fastest of which is taken.
    """
    a, b = torch.randn(2, MATRIX, MATRIX, generator=torch.Generator().manual_seed(0)).to(getattr(torch, precision))
    return 2 * MATRIX**3 / fastest_of(lambda: a @ b, times)


def flops_of(network: Network) -> float:
    """Of a call with one sample, counted by torch on tensors without content."""
    module = network.module()
    empty = {name: torch.empty_like(tensor, device="meta") for name, tensor in module.state_dict().items()}
    inputs = [part.to("meta", next(module.parameters()).dtype) for part in example_inputs(network, network.sides, 1)]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        torch.func.functional_call(module, empty, tuple(inputs))
    return float(counter.get_total_flops())


def share_of(
    network: Network, engines: dict[str, Engine], peak: float, times: int = 5, bfloat16: bool = False
) -> Generator[Progress, None, Share]:
    """Measure a network in torch, and by each engine, once warm.

    Args:
        network: which.
        engines: by name.
        peak: flops a second.
        times: of each, the fastest of which counts.
        bfloat16: whether torch computes it in bfloat16, too, by a copy in channels_last.
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
        nn.Module.to(rounded, torch.bfloat16)  # diffusers' own warns of modules to be kept, of which there are none
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
    """A call of a network, or of a copy of it."""
    dtype = next(module.parameters()).dtype
    inputs = [part.to(dtype) for part in example_inputs(network, network.sides, 1)]

    def call() -> object:
        with torch.no_grad():
            return module(*inputs)

    return call
