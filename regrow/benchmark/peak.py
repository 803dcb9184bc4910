"""How much of what this machine can multiply a network reaches."""

import time
from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from regrow.core.progress import Progress
from regrow.models.engines.openvino import Network
from regrow.models.model import Engine
from regrow.models.names import Precision
from regrow.models.part import channels_last

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
    sides: tuple[int, int]
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
    unet = network.unet
    with torch.device("meta"):
        empty = type(unet).from_config(unet.config)
        call = _calling(network, empty)
    with FlopCounterMode(display=False) as counter:
        call()
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
    x_t, labels, *words = _inputs(network)
    tokens = words[0] if words else torch.zeros(1, 0, 0)
    runs: dict[str, Callable[[], object]] = {}
    if network.unet.dtype == torch.float32:
        runs["torch"] = _calling(network, network.unet)
    runs |= {name: (lambda engine=engine: engine(x_t, labels, tokens)) for name, engine in engines.items()}
    if bfloat16:
        rounded: Any = deepcopy(network.unet) if network.unet.dtype == torch.float32 else network.unet
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


def _calling(network: Network, unet: Any) -> Callable[[], object]:
    """A call of a network, or of a copy of it."""
    inputs = [part.to(unet.dtype) for part in _inputs(network)]
    added = None  # Stable Diffusion XL's second prompt, and its sizes
    if getattr(unet.config, "addition_embed_type", None) == "text_time":
        size = unet.config.addition_time_embed_dim
        pooled = torch.randn(1, unet.config.projection_class_embeddings_input_dim - 6 * size, dtype=unet.dtype)
        added = {"text_embeds": pooled, "time_ids": torch.ones(1, 6, dtype=unet.dtype)}

    def call() -> object:
        with torch.no_grad():
            return unet(*inputs, added_cond_kwargs=added) if added else unet(*inputs)

    return call


def _inputs(network: Network) -> list[Tensor]:
    x_t = torch.randn(1, network.unet.config.in_channels, *network.sides)
    words = [torch.randn(1, *network.words)] if network.words else []
    return [x_t, torch.tensor([500.0]), *words]
