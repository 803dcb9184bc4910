"""Exact inversions: steps that algebra can undo, so that the way back returns to float error under any network.

    edict       two states, each moved by the prediction at the other, then mixed       2 evaluations a step
    belm        one step from two successive states, the same formula in both directions  1 evaluation a step
    reversible  two states, one a step ahead of the other                                2 evaluations a step

Exact says that the way back under the same words ends where it began, not that the latent is the ODE's true one, nor
that other words get a stable path: BDIA (Zhang et al. 2023, arXiv 2307.10829) is exact, too, and for gamma = 0.5
magnifies whatever changes by 2 in every step.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.flow_coordinates import FLOW, FlowCoordinates
from regrow.core.inversion import Progress, Trajectory
from regrow.core.levels import Level
from regrow.core.masks import Hold

MIX, MIX_STEPS = 0.93, 20
"""EDICT's mixing weight, and the number of evenly spaced steps at which it is taken as it is."""
COUPLING = 0.999
"""How much of the second state `reversible` keeps in a step."""
BELM = FlowCoordinates(0.2)
"""The coordinates of `belm`; c = 0 in the paper."""

Pair = tuple[Batch, Batch]


def edict(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """EDICT: two coupled states (Wallace et al. 2022, arXiv 2211.12446; official edict_functions.py).

    Sampling from t to s, with p the mixing weight,

        x' = move(x_t by the prediction at y_t)      y' = move(y_t by the prediction at x')
        x_s = p x' + (1 - p) y'                      y_s = p y' + (1 - p) x_s

    with x and y changing places in every other step; every line can be solved for what it moved. Three things differ
    from the paper. A state is moved along the flow's velocity `eps - x0`, not along eps, whose step has no inverse at
    pure noise. The mixing weight depends on the length of the step: to unmix magnifies the difference of x and y by
    1 / p^2, so 0.93 in each of 100 steps would do so by 2e6. And the level that the path starts from may be any.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
    """

    def pairs() -> Iterator[Pair]:
        x = y = x0
        yield x, y
        for index, (s, t) in enumerate(itertools.pairwise(levels)):
            p = _mix(t, s)
            with torch.no_grad():
                y = (y - (1 - p) * x) / p
                x = (x - (1 - p) * y) / p
                first, second = (y, x) if index % 2 else (x, y)
                second = FLOW.move(second, s, t, denoise(first, t))
                first = FLOW.move(first, s, t, denoise(second, t))
                x, y = (second, first) if index % 2 else (first, second)
            yield x, y

    return _coupled(pairs(), levels)


class EdictBack:
    """The step of `edict` from noisy to clean. Remembers the second state: a fresh one is made for every path.

    Args:
        trajectory: the path.
        hold: where the second state is put back onto the path; the first is `Held`'s business.
    """

    def __init__(self, trajectory: Trajectory, hold: Hold | None = None) -> None:
        self._trajectory, self._hold = trajectory, hold
        self._y: Batch | None = None

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        index, p = self._trajectory.interval(t, s), _mix(t, s)
        y_t = self._trajectory.partners[index + 1].expand_as(x_t) if self._y is None else self._y
        first, second = (y_t, x_t) if index % 2 else (x_t, y_t)
        prediction = denoise(second, t)
        first = FLOW.move(first, t, s, prediction)
        second = FLOW.move(second, t, s, denoise(first, t))
        x, y = (second, first) if index % 2 else (first, second)
        x_s = p * x + (1 - p) * y
        self._y = p * y + (1 - p) * x_s
        if self._hold:
            self._y = self._hold(self._y, self._trajectory.partners[index].expand_as(x_t), s)
        return x_s, prediction


def _mix(t: Level, s: Level) -> float:
    return MIX ** (MIX_STEPS * (FLOW.time(t) - FLOW.time(s)))


def belm(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """O-BELM: each state from the two before it (Wang et al. 2024, arXiv 2410.07273, the proposition on the optimal
    coefficients; official README). Order 2 where the steps' lengths change smoothly.

        z_s = r^2 z_u + (1 - r^2) z_t + (1 + r) (tau_s - tau_t) dz/dtau(z_t),    r = (tau_s - tau_t) / (tau_t - tau_u)

    which, solved for z_u, is the same formula from s over t to u. In the paper's coordinates, c = 0, pure noise is
    infinitely far away, so that flow models and zero terminal SNR have no first step; flow matching's, c = 1, start
    with short steps on Stable Diffusion's levels, and a change of words then grows by the square of the ratio of the
    lengths. c = 0.2 has neither fault.

    Arguments as of `edict`. The first step from clean is a DDIM step.
    """
    states = [x0]
    yield Progress(0, len(levels) - 1, levels[0], x0)
    for index in range(1, len(levels)):
        with torch.no_grad():
            prediction = denoise(states[-1], levels[index - 1])
            if index == 1:
                states.append(prediction.at(levels[1]))
            else:
                states.append(_two_step(states[-2], states[-1], prediction, levels[index - 2 : index + 1]))
        done = Trajectory(tuple(levels), tuple(states)) if index == len(levels) - 1 else None
        yield Progress(index, len(levels) - 1, levels[index], states[-1], done)


class BelmBack:
    """The step of `belm` from noisy to clean. Remembers the state before: a fresh one is made for every path.

    The first step returns the second state of the inverted path: it takes two states to start from.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory
        self._before: Batch | None = None

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        index = self._trajectory.interval(t, s)
        before, self._before = self._before, x_t
        if before is None:
            return self._trajectory.states[index].expand_as(x_t), None
        prediction = denoise(x_t, t)
        return _two_step(before, x_t, prediction, self._trajectory.levels[index : index + 3][::-1]), prediction


def _two_step(x_u: Batch, x_t: Batch, prediction: Prediction, levels: Sequence[Level]) -> Batch:
    """From states at the first two of three levels, and the prediction at the second, the state at the third."""
    u, t, s = levels
    step = BELM.time(s) - BELM.time(t)
    ratio = step / (BELM.time(t) - BELM.time(u))
    z = ratio**2 * x_u / BELM.scale(u) + (1 - ratio**2) * x_t / BELM.scale(t)
    return BELM.scale(s) * (z + (1 + ratio) * step * BELM.velocity(prediction))


def reversible(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """McCallum and Foster's reversible step (2024, arXiv 2410.11648) around Euler's, in flow matching's coordinates.

    Sampling from t to s, with h = tau_s - tau_t and f = dz / dtau,

        y_s = k y_t + (1 - k) z_t + h f(z_t, t)         z_s = z_t + h f(y_s, s)

    k = 0.999 as in Rex (Blasingame and Liu 2025, arXiv 2502.08834; official Rex-solver), which has the same coupling
    in other coordinates. Each line can be solved for what it moved, whatever the network. Order 1.

    Arguments as of `edict`.
    """

    def pairs() -> Iterator[Pair]:
        x = y = x0
        yield x, y
        for s, t in itertools.pairwise(levels):
            with torch.no_grad():
                x = FLOW.move(x, s, t, denoise(y, s))
                # the whole right side of y_s that is not y_t, brought to t
                moved = FLOW.move(y, s, t, denoise(x, t))
                y = (moved - (1 - COUPLING) * x) / COUPLING
            yield x, y

    return _coupled(pairs(), levels)


class ReversibleBack:
    """The step of `reversible` from noisy to clean. Arguments and second state as of `EdictBack`."""

    def __init__(self, trajectory: Trajectory, hold: Hold | None = None) -> None:
        self._trajectory, self._hold = trajectory, hold
        self._y: Batch | None = None

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        index = self._trajectory.interval(t, s)
        y_t = self._trajectory.partners[index + 1].expand_as(x_t) if self._y is None else self._y
        prediction = denoise(x_t, t)
        self._y = FLOW.move(COUPLING * y_t + (1 - COUPLING) * x_t, t, s, prediction)
        if self._hold:
            self._y = self._hold(self._y, self._trajectory.partners[index].expand_as(x_t), s)
        return FLOW.move(x_t, t, s, denoise(self._y, s)), prediction


def _coupled(pairs: Iterator[Pair], levels: Sequence[Level]) -> Iterator[Progress]:
    """The progress of a walk of two states, the first of which is the sample."""
    states: list[Batch] = []
    partners: list[Batch] = []
    for index, (x, y) in enumerate(pairs):
        states.append(x)
        partners.append(y)
        done = None
        if index == len(levels) - 1:
            done = Trajectory(tuple(levels), tuple(states), partners=tuple(partners))
        yield Progress(index, len(levels) - 1, levels[index], x, done)
