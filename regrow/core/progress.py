"""How a long operation is watched: it is a generator of `Progress` whose return value is its result."""

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
    """After `index` of `steps` steps of `part` ("invert", "regrow", ...); `x`, shape `b *rest`, is where it stands."""

    part: str
    index: int
    steps: int
    x: Tensor | None = None


def walk(
    part: str, step: Step, denoise: Denoiser, x: Batch, levels: Sequence[Level]
) -> Generator[Progress, None, Batch]:
    """Walk `x` through the levels, as `solve` does, showing every step under a name, and return where it ends."""
    for state in solve(step, denoise, x, levels):
        x = state.x
        yield Progress(part, state.index, state.steps, x)
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
