"""What an edit of one picture costs: seconds, and the memory that it takes beyond what the process holds already."""

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
    """Of one picture alone, a batch of 1.

    Attributes:
        seconds: by the clock; beside other busy processes this says little.
        processor: seconds of the processor; with one thread, the seconds of a machine that does nothing else.
        memory: bytes by which the process was at its largest above what it held before; None where the system does
            not tell (it takes Linux's /proc).
    """

    seconds: float
    processor: float
    memory: int | None

    @property
    def elapsed(self) -> float:
        """Seconds of the processor with one thread, which other busy processes lengthen little; else by the clock."""
        return self.processor if torch.get_num_threads() == 1 else self.seconds


def cost_of(model: Model, editor: Editor, setting: Setting, drawn: Drawn) -> Cost:
    """Edit one picture twice, and measure the second time."""
    task = batch_of([drawn])
    editor.run(model, task, setting)
    return cost_of_run(lambda: editor.run(model, task, setting))


def cost_of_run(run: Callable[[], object]) -> Cost:
    """What a call costs.

    All that are compared share one process and one opened model. So that none pays for another, memory that was freed
    is given back to the system first, and the high-water mark of what is resident is set back to what is left.
    """
    before = _held_afresh()
    started, processor = time.monotonic(), time.process_time()
    run()
    seconds, processor = time.monotonic() - started, time.process_time() - processor
    peak = None if before is None else resident("VmHWM")
    memory = None if before is None or peak is None else max(0, peak - before)
    return Cost(round(seconds, 3), round(processor, 3), memory)


def _held_afresh() -> int | None:
    """Give freed memory back, set the high-water mark back, and tell what is held; None where that cannot be done."""
    gc.collect()
    try:
        ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size
    except (OSError, AttributeError):
        return None
    return resident("VmRSS")


@contextmanager
def counted(model: Model) -> Generator[Callable[[], int]]:
    """Count evaluations: samples that the network is given, whoever calls it. Yields the count so far."""
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
