"""How a long operation is watched: it is a generator of `Progress` whose return value is its result."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """After `index` of `steps` steps of `part` ("invert", "regrow", ...); `x`, shape `b *rest`, is where it stands."""

    part: str
    index: int
    steps: int
    x: Tensor | None = None


def finish(operation: Generator[Progress, None, Result], watch: Callable[[Progress], None] | None = None) -> Result:
    """Run an operation to its end, showing `watch` every step, and return its result."""
    while True:
        try:
            progress = next(operation)
        except StopIteration as end:
            return end.value
        if watch:
            watch(progress)
