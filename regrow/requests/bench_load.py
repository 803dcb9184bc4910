"""The request of `regrow bench load`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from regrow.messages.message import say
from regrow.requests.ranges import check_types


@dataclass(frozen=True)
class BenchLoad:
    """Measure a server with many users: correct results, waiting times and memory.

    It starts `regrow serve` with a password and its own home, and requests small pictures all the time. Pages are used
    only where Chromium and playwright are installed.

    Attributes:
        clients: number of programs that use the API, one job at a time each.
        browsers: number of pages in which somebody types.
        minutes: minutes in which new jobs are sent.
        model: name of the model that makes the pictures.
        steps: number of steps of each picture.
        workers: number of workers of the server.
        together: largest number of results in a batch.
        kept: also write every job and every measure of memory here, one per line.
    """

    clients: int = 50
    browsers: int = 8
    minutes: float = 10.0
    model: str = "storybook"
    steps: int = 2
    workers: int = 0
    together: int = 0
    kept: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if not 1 <= self.clients <= 1000 or not 0 <= self.browsers <= 100 or not 0 < self.minutes <= 24 * 60:
            raise ValueError(say("bench_load_counts"))
