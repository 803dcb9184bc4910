"""Progress of long operations: each is a generator of `Progress` that returns its result."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser
from regrow.core.levels import Level
from regrow.core.solvers import Step, solve

Result = TypeVar("Result")
State = TypeVar("State")


@dataclass(frozen=True)
class Progress:
    """The state `x`, shape `b *rest`, after `index` of `steps` steps of `part` ("invert", "regrow", ...).

    `x0` is the clean sample that the last step predicted, of the same shape, where there is one: it shows much sooner
    than the state, which is noise for the most part, what comes out.
    """

    part: str
    index: int
    steps: int
    x: Tensor | None = None
    x0: Tensor | None = None


def walk(
    part: str, step: Step, denoise: Denoiser, x: Batch, levels: Sequence[Level]
) -> Generator[Progress, None, Batch]:
    """Solve from `x` through the levels, yield the progress of every step under a name, and return the last state."""
    for state in solve(step, denoise, x, levels):
        x = state.x
        x0 = None if state.prediction is None else state.prediction.x0
        yield Progress(part, state.index, state.steps, x, x0)
    return x


def finish(operation: Generator[State, None, Result], watch: Callable[[State], None] | None = None) -> Result:
    """Run an operation to its end, showing `watch` every step, and return its result."""
    while True:
        try:
            state = next(operation)
        except StopIteration as end:
            return end.value
        if watch:
            watch(state)
