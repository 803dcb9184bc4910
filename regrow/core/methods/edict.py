"""EDICT: two coupled states, moved by the prediction at each other and mixed, a step that undoes itself.

Two evaluations a step. The way back under the same prompt ends where it began, to float error, under any network. That
does not make the latent the ODE's true one, nor the path stable under another prompt.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.flow_coordinates import FLOW
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.trajectory import CoupledBack, Pair, Progress, coupled

MIX, MIX_STEPS = 0.93, 20
"""EDICT's mixing weight, and the number of evenly spaced steps at which it is taken as it is."""


def edict(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """EDICT: two coupled states (Wallace et al. 2022, arXiv 2211.12446; official edict_functions.py).

    Sampling from t to s, with p the mixing weight,

        x' = move(x_t by the prediction at y_t)      y' = move(y_t by the prediction at x')
        x_s = p x' + (1 - p) y'                      y_s = p y' + (1 - p) x_s

    with x and y changing places in every other step; every line can be solved for what it moved. Three things differ
    from the paper. A state moves along the flow's velocity `eps - x0`, not along eps, as that step cannot be inverted
    at pure noise. The mixing weight depends on the length of the step: to unmix magnifies the difference of x and y by
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

    return coupled(pairs(), levels)


class EdictBack(CoupledBack):
    """The step of `edict` from noisy to clean."""

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        index, p = self._trajectory.interval(t, s), _mix(t, s)
        y_t = self._partner(index, x_t)
        first, second = (y_t, x_t) if index % 2 else (x_t, y_t)
        prediction = denoise(second, t)
        first = FLOW.move(first, t, s, prediction)
        second = FLOW.move(second, t, s, denoise(first, t))
        x, y = (second, first) if index % 2 else (first, second)
        x_s = p * x + (1 - p) * y
        self._keep(p * y + (1 - p) * x_s, index, s)
        return x_s, prediction


def _mix(t: Level, s: Level) -> float:
    return MIX ** (MIX_STEPS * (FLOW.time(t) - FLOW.time(s)))


METHOD = Method(
    "edict",
    source=("EDICT, Wallace et al. 2022, arXiv 2211.12446", "section 3; official edict_functions.py"),
    path="edict",
    invert=lambda denoise, x0, levels, _: edict(denoise, x0, levels),
    step_back=lambda origin: EdictBack(origin.path, origin.hold),
    allows_attention=True,
    returns_source=True,
)
