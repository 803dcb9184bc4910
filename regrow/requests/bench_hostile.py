"""The request of `regrow bench hostile`, as a frozen dataclass that imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path

from regrow.messages.message import say
from regrow.requests.ranges import check_types


@dataclass(frozen=True)
class BenchHostile:
    """Read damaged inputs of every kind, and count those that are neither read nor refused in one sentence.

    Attributes:
        inputs: number of damaged inputs, divided among the kinds; 0 = none.
        seed: seed of the mutations.
        only: names of the kinds; if not given, all.
        first: number of the first input of each kind, to repeat one.
        kills: number of trainings to kill by SIGKILL and continue. They are killed at random moments, and their weights
            are compared with those of a training that was never killed.
        keep: folder for failed inputs. Each has its error and the command that repeats it.
        figures: also write the figures as JSON here.
    """

    inputs: int = 24_000
    seed: int = 0
    only: tuple[str, ...] = ()
    first: int = 0
    kills: int = 0
    keep: Path = Path("hostile")
    figures: Path | None = None

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if min(self.inputs, self.first, self.kills, self.seed) < 0:
            raise ValueError(say("hostile_counts"))
