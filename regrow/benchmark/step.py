"""What one call of an opened checkpoint's network takes here."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from regrow.benchmark.cost import cost_of_run
from regrow.core.noise import noise
from regrow.models.memory.words import with_words
from regrow.models.model import Model

TIMES = 3
"""Calls that are measured, of which the median counts, after one that warms up."""


@dataclass(frozen=True)
class Step:
    """A call of a network for one sample under one prompt, without guidance.

    Attributes:
        opening: seconds until words were encoded and the first call was done.
        seconds: of a later call.
        memory: bytes by which the process was at its largest above what it held before the model was opened; None
            where the system does not tell.
        on_device: bytes at the most on a graphics card; None on the CPU.
        extent: of the frame that the sample is of.
        device: that computed.
        computed_by: what computed.
    """

    opening: float
    seconds: float
    memory: int | None
    on_device: int | None
    extent: tuple[int, ...]
    device: str
    computed_by: str


def measure_step(opened: Callable[[], Model]) -> Step:
    """Open a model, and measure calls of its network at the size that it was made for."""
    models, calls = [], []

    def run() -> None:
        started, prompt = time.perf_counter(), ["a cat"]
        model = opened()
        models.append(model)
        words = with_words(model, [prompt])
        denoise, x = words.denoiser(words.condition(prompt)), noise(model.latent_shape(*model.extent), [0])
        for _ in range(1 + TIMES):
            denoise(x, model.schedule.noisiest)  # what it returns is on the CPU, so that a card has finished
            calls.append(time.perf_counter() - started)
            started = time.perf_counter()

    cost = cost_of_run(run)
    model = models[0]
    on_device = None if model.device.type in ("cpu", "mps") else torch.accelerator.max_memory_allocated()
    seconds = median(calls[1:])
    return Step(calls[0], seconds, cost.memory, on_device, model.extent, str(model.device), model.computed_by)
