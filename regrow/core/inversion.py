"""Inversion: from a sample to the noise that a model's own path would have grown it from.

All methods walk the levels from clean to noisy and return a `Trajectory`, which is indexed by level, never by
position. They differ in what the way back costs and loses. Here are those whose way back is the plain one:

    naive        the solver's step in the noisy direction; the way back misses by the step's error
    fixed_point  every step solved so that the DDIM step back returns to where it came from
    anchored     the naive path, and what the DDIM step back misses at every level, to be added on the way back

`exact` has those whose step can be undone by algebra.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction, solve_x0
from regrow.core.levels import Level
from regrow.core.names import InversionName, LabelConvention
from regrow.core.solvers import Step, ddim, solve

INVERSIONS: tuple[InversionName, ...] = get_args(InversionName)


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
        states: one a level, shape `b *rest`.
        offsets: of the anchored method, one an interval: `offsets[k]` leads from what a DDIM step from
            `levels[k + 1]` to `levels[k]` gives to `states[k]`. Empty for the other methods.
        convergence: of the fixed_point method, one an interval. Empty for the other methods.
        partners: of the methods that walk with two coupled states, the second of them, one a level. Empty for the
            other methods.
    """

    levels: tuple[Level, ...]
    states: tuple[Batch, ...]
    offsets: tuple[Batch, ...] = ()
    convergence: tuple[Convergence, ...] = ()
    partners: tuple[Batch, ...] = ()

    def at(self, level: Level) -> Batch:
        """The state at a level of the path.

        Raises:
            KeyError: the path does not touch this level.
        """
        try:
            return self.states[self.levels.index(level)]
        except ValueError:
            raise KeyError(f"This trajectory has no state at {level}.") from None

    def levels_down_from(self, start: Level) -> tuple[Level, ...]:
        """The levels from `start` back to clean, for `solve`."""
        if start not in self.levels:
            raise KeyError(f"This trajectory has no state at {start}.")
        return self.levels[self.levels.index(start) :: -1]

    def interval(self, t: Level, s: Level) -> int:
        """The number of the interval whose noisy end is t and whose clean end is s.

        Raises:
            ValueError: the two are not neighbours on the path.
        """
        if (t, s) not in zip(self.levels[1:], self.levels, strict=False):
            raise ValueError(f"This path is walked back level by level; it has no interval from {t} to {s}.")
        return self.levels.index(s)

    def back(self, step: Step = ddim) -> Step:
        """The step to walk back with: it adds the anchored method's offsets, and is `step` itself without them.

        Direct Inversion (Ju et al. 2023, arXiv 2310.01506, section 3) and DirectEdit (arXiv 2605.02417): the
        offset found under the source prompt is also added under another one.
        """
        if not self.offsets:
            return step

        def anchored_step(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
            offset = self.offsets[self.interval(t, s)]
            x_s, prediction = step(denoise, x_t, t, s)
            return x_s + offset, prediction

        return anchored_step


@dataclass(frozen=True)
class Progress:
    """After `index` of `steps` steps of an inversion; the last one carries the trajectory."""

    index: int
    steps: int
    level: Level
    x: Batch
    trajectory: Trajectory | None = None


def naive(
    denoise: Denoiser, x0: Batch, levels: Sequence[Level], step: Step = ddim, label: LabelConvention = "leaves"
) -> Iterator[Progress]:
    """Walk the path backwards with the prediction at the level that each step leaves.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
        step: any deterministic solver's step.
        label: which level the network is told while it looks at `x_t`. `leaves`: t, the level of `x_t` (Song et
            al. 2021, arXiv 2010.02502, eq. 14 read backwards). `arrives`: s, the level the step goes to (Dhariwal
            & Nichol 2021, arXiv 2105.05233, appendix F; diffusers' DDIMInverseScheduler). Its noise estimate then
            belongs to `x_t` read as a point of level s, and is converted with the alpha and sigma of s.
    """

    def walk(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        def told_s(x_t: Batch, level: Level) -> Prediction:
            if level != t:
                return denoise(x_t, level)
            eps = denoise(x_t, s).eps
            return Prediction(solve_x0(x_t, eps, t), eps)

        return step(told_s, x_t, t, s)

    states = []
    for state in solve(walk if label == "arrives" else step, denoise, x0, levels):
        states.append(state.x)
        done = Trajectory(tuple(levels), tuple(states)) if state.index == state.steps else None
        yield Progress(state.index, state.steps, state.level, state.x, done)


def anchored(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """The naive DDIM path and, for every interval, the offset between it and the DDIM step back.

    The predictions that the way back would make are those the way forth makes one step later, so only the one at
    the last level is extra: `len(levels)` evaluations. Direct Inversion: arXiv 2310.01506, section 3, algorithm 1.
    """
    states, predictions = [x0], []
    for state in solve(ddim, denoise, x0, levels):
        if state.prediction is not None:
            states.append(state.x)
            predictions.append(state.prediction)
        if state.index < state.steps:
            yield Progress(state.index, state.steps, state.level, state.x)
    with torch.no_grad():
        predictions.append(denoise(states[-1], levels[-1]))
    offsets = [x - back.at(s) for x, s, back in zip(states, levels, predictions[1:], strict=False)]
    steps = len(levels) - 1
    yield Progress(steps, steps, levels[-1], states[-1], Trajectory(tuple(levels), tuple(states), tuple(offsets)))


def fixed_point(
    denoise: Denoiser, x0: Batch, levels: Sequence[Level], tolerance: float = 1e-5, max_iterations: int = 30
) -> Iterator[Progress]:
    """Solve every step for the `x_s` from which the DDIM step returns exactly to `x_t`.

    Fixed-point iteration with Anderson acceleration of depth 1, per sample (AIDI, Pan et al. 2023, arXiv
    2309.04907, section 3.2). The iterated form is the one that contracts: through `eps` where `x_t` is mostly
    signal, through `x0` where it is mostly noise.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
        tolerance: relative RMS change at which a step counts as solved.
        max_iterations: evaluations a step at most; a step that ends there is reported as not converged.
    """
    states, reports, x_t = [x0], [], x0
    with torch.no_grad():
        prediction = denoise(x0, levels[0])
    yield Progress(0, len(levels) - 1, levels[0], x0)
    for index, (t, s) in enumerate(itertools.pairwise(levels), start=1):
        with torch.no_grad():
            x_t, prediction, report = _implicit_step(denoise, x_t, prediction, t, s, tolerance, max_iterations)
        states.append(x_t)
        reports.append(report)
        done = index == len(levels) - 1
        trajectory = Trajectory(tuple(levels), tuple(states), (), tuple(reports)) if done else None
        yield Progress(index, len(levels) - 1, s, x_t, trajectory)


def _implicit_step(
    denoise: Denoiser, x_t: Batch, guess: Prediction, t: Level, s: Level, tolerance: float, max_iterations: int
) -> tuple[Batch, Prediction, Convergence]:
    x, prediction = guess.at(s), guess
    image = residual = x
    change, iteration = float("inf"), 0
    for iteration in range(1, max_iterations + 1):
        prediction = denoise(x, s)
        if t.alpha >= t.sigma:
            new_image = Prediction(solve_x0(x_t, prediction.eps, t), prediction.eps).at(s)
        else:
            new_image = Prediction(prediction.x0, (x_t - t.alpha * prediction.x0) / t.sigma).at(s)
        new_residual = new_image - x
        change = float((_rms(new_residual) / _rms(x)).max())
        if change <= tolerance:
            break
        if iteration == 1:
            x = new_image
        else:
            bend = new_residual - residual
            share = _dot(new_residual, bend) / _dot(bend, bend).clamp_min(1e-30)
            x = new_image - share.clamp(-2, 2) * (new_image - image)
        image, residual = new_image, new_residual
    return x, prediction, Convergence(s, iteration, change, change <= tolerance)


def _dot(a: Batch, b: Batch) -> Float[Tensor, " b *ones"]:
    return (a * b).sum(dim=tuple(range(1, a.ndim)), keepdim=True)


def _rms(a: Batch) -> Float[Tensor, " b *ones"]:
    return a.square().mean(dim=tuple(range(1, a.ndim)), keepdim=True).sqrt()
