"""Measure time and memory of one call of an opened checkpoint's network on this machine."""

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
"""Measured calls, after a warm-up; the median counts."""


@dataclass(frozen=True)
class Step:
    """A network call with one sample and one prompt, without guidance.

    Attributes:
        opening: seconds to open the model, encode the prompt and make the first call.
        seconds: of a later call.
        memory: peak memory in bytes above what the process held before the model was opened; None if the system does
            not report it.
        on_device: peak memory in bytes on a graphics card; None on the CPU.
        extent: of the sample's frame.
        device: that computed.
        computed_by: name of the engine.
    """

    opening: float
    seconds: float
    memory: int | None
    on_device: int | None
    extent: tuple[int, ...]
    device: str
    computed_by: str


def measure_step(opened: Callable[[], Model]) -> Step:
    """Open a model, and measure calls of its network at its native size."""
    models, calls = [], []

    def run() -> None:
        started, prompt = time.perf_counter(), ["a cat"]
        model = opened()
        models.append(model)
        words = with_words(model, [prompt])
        denoise, x = words.denoiser(words.condition(prompt)), noise(model.latent_shape(*model.extent), [0])
        for _ in range(1 + TIMES):
            denoise(x, model.schedule.noisiest)  # the result is on the CPU, so the device has finished
            calls.append(time.perf_counter() - started)
            started = time.perf_counter()

    cost = cost_of_run(run)
    model = models[0]
    on_device = None if model.device.type in ("cpu", "mps") else torch.accelerator.max_memory_allocated()
    seconds = median(calls[1:])
    return Step(calls[0], seconds, cost.memory, on_device, model.extent, str(model.device), model.computed_by)
