"""Measure the cost of an edit of one picture: seconds, and memory beyond what the process already holds."""

import ctypes
import ctypes.util
import gc
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from regrow.benchmark.edit_tasks import Drawn, batch_of
from regrow.benchmark.editors import Editor, Setting
from regrow.models.model import Model
from regrow.training.run_log import resident


@dataclass(frozen=True)
class Cost:
    """The cost of editing one picture, in a batch of 1.

    Attributes:
        seconds: wall-clock time; unreliable while other processes are busy.
        processor: CPU seconds; with one thread, the wall-clock time of an otherwise idle machine.
        memory: peak memory in bytes above what the process held before; None without Linux's /proc.
    """

    seconds: float
    processor: float
    memory: int | None

    @property
    def elapsed(self) -> float:
        """CPU seconds with one thread, which other busy processes hardly affect; wall-clock seconds otherwise."""
        return self.processor if torch.get_num_threads() == 1 else self.seconds


def cost_of(model: Model, editor: Editor, setting: Setting, drawn: Drawn) -> Cost:
    """Edit one picture twice, and measure the second run."""
    task = batch_of([drawn])
    editor.run(model, task, setting)
    return cost_of_run(lambda: editor.run(model, task, setting))


def cost_of_run(run: Callable[[], object]) -> Cost:
    """Return what a call costs.

    All methods that are compared share one process and one opened model. So that one does not affect the figures of
    the next, freed memory is returned to the system first, and the peak of resident memory is reset.
    """
    before = _held_afresh()
    started, processor = time.monotonic(), time.process_time()
    run()
    seconds, processor = time.monotonic() - started, time.process_time() - processor
    peak = None if before is None else resident("VmHWM")
    memory = None if before is None or peak is None else max(0, peak - before)
    return Cost(round(seconds, 3), round(processor, 3), memory)


def _held_afresh() -> int | None:
    """Free unused memory, reset the peak, and return the resident bytes; None where the system cannot do this."""
    gc.collect()
    try:
        ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size
    except (OSError, AttributeError):
        return None
    return resident("VmRSS")


@contextmanager
def counted(model: Model) -> Generator[Callable[[], int]]:
    """Count evaluations: samples that any caller passes to the network. Yields a function that returns the count."""
    evaluations = 0

    def count(_: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        nonlocal evaluations
        x = args[0] if args else kwargs["sample" if "sample" in kwargs else "hidden_states"]
        evaluations += len(x)

    handle = model.network.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield lambda: evaluations
    finally:
        handle.remove()
