"""Inverted paths, the result of every inversion method, and the progress of an inversion.

A path is indexed by level, never by position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.masks import Hold
from regrow.core.solvers import Step, ddim
from regrow.messages.message import say

Pair = tuple[Batch, Batch]


@dataclass(frozen=True)
class Convergence:
    """How one implicit step ended: `residual` is RMS of the last change over RMS of the state, worst sample."""

    level: Level
    iterations: int
    residual: float
    converged: bool


@dataclass(frozen=True)
class Trajectory:
    """An inverted path.

    Attributes:
        levels: from clean to noisy.
        states: one per level, shape `b *rest`.
        offsets: of direct_inversion and the edit_friendly methods, one per interval: `offsets[k]` leads from what the
            method's step from `levels[k + 1]` to `levels[k]` gives to `states[k]`. Empty for the other methods.
        convergence: of the fixed_point method, one per interval. Empty for the other methods.
        partners: of the methods that walk with two coupled states, the second of them, one per level. Empty for the
            other methods.
    """

    levels: tuple[Level, ...]
    states: tuple[Batch, ...]
    offsets: tuple[Batch, ...] = ()
    convergence: tuple[Convergence, ...] = ()
    partners: tuple[Batch, ...] = ()

    def at(self, level: Level) -> Batch:
        """Return the state at a level of the path.

        Raises:
            KeyError: the path does not touch this level.
        """
        try:
            return self.states[self.levels.index(level)]
        except ValueError:
            raise KeyError(say("no_state_at_level", level=level)) from None

    def levels_down_from(self, start: Level) -> tuple[Level, ...]:
        """Return the levels from `start` back to clean, for `solve`."""
        if start not in self.levels:
            raise KeyError(say("no_state_at_start", start=start))
        return self.levels[self.levels.index(start) :: -1]

    def interval(self, t: Level, s: Level) -> int:
        """Return the number of the interval whose noisy end is t and whose clean end is s.

        Raises:
            ValueError: the two are not neighbours on the path.
        """
        if (t, s) not in zip(self.levels[1:], self.levels, strict=False):
            raise ValueError(say("no_interval", first=t, last=s))
        return self.levels.index(s)

    def back(self, step: Step = ddim) -> Step:
        """Return the step to walk back with: it adds the path's offsets, and is `step` itself where it has none.

        Direct Inversion (Ju et al. 2023, arXiv 2310.01506, section 3) and DirectEdit (arXiv 2605.02417): the
        offset found under the source prompt is also added under another one.
        """
        if not self.offsets:
            return step

        def offset_step(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
            offset = self.offsets[self.interval(t, s)]
            x_s, prediction = step(denoise, x_t, t, s)
            return x_s + offset, prediction

        return offset_step


@dataclass(frozen=True)
class Progress:
    """After `index` of `steps` steps of an inversion; the last one carries the trajectory."""

    index: int
    steps: int
    level: Level
    x: Batch
    trajectory: Trajectory | None = None


def coupled(pairs: Iterator[Pair], levels: Sequence[Level]) -> Iterator[Progress]:
    """Report the progress of a walk of two coupled states, the first of which is the sample."""
    states: list[Batch] = []
    partners: list[Batch] = []
    for index, (x, y) in enumerate(pairs):
        states.append(x)
        partners.append(y)
        done = None
        if index == len(levels) - 1:
            done = Trajectory(tuple(levels), tuple(states), partners=tuple(partners))
        yield Progress(index, len(levels) - 1, levels[index], x, done)


class CoupledBack:
    """A step back along a path of two coupled states. Remembers the second: a fresh one is made for every path.

    Args:
        trajectory: the path.
        hold: where the second state is put back onto the path; the first is `Held`'s business.
    """

    def __init__(self, trajectory: Trajectory, hold: Hold | None = None) -> None:
        self._trajectory, self._hold = trajectory, hold
        self._y: Batch | None = None

    def _partner(self, index: int, x_t: Batch) -> Batch:
        """Return the second state at the noisy end of an interval: the path's own where the walk begins."""
        return self._trajectory.partners[index + 1].expand_as(x_t) if self._y is None else self._y

    def _keep(self, y_s: Batch, index: int, s: Level) -> Batch:
        """Remember the second state at the clean end of an interval, and return it as it is held."""
        self._y = self._hold(y_s, self._trajectory.partners[index].expand_as(y_s), s) if self._hold else y_s
        return self._y
