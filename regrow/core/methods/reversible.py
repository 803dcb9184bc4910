"""Two states, one per step ahead of the other, so that each line of the step can be undone.

Two evaluations per step.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.flow_coordinates import FLOW
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.trajectory import CoupledBack, Pair, Progress, coupled

COUPLING = 0.999
"""How much of the second state `reversible` keeps in a step."""


def reversible(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """McCallum and Foster's reversible step (2024, arXiv 2410.11648) around Euler's, in flow matching's coordinates.

    Sampling from t to s, with h = tau_s - tau_t and f = dz / dtau,

        y_s = k y_t + (1 - k) z_t + h f(z_t, t)         z_s = z_t + h f(y_s, s)

    k = 0.999 as in Rex (Blasingame and Liu 2025, arXiv 2502.08834; official Rex-solver), which has the same coupling
    in other coordinates. Each line can be solved for what it moved, whatever the network. Order 1.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
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

    return coupled(pairs(), levels)


class ReversibleBack(CoupledBack):
    """The step of `reversible` from noisy to clean."""

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        index = self._trajectory.interval(t, s)
        y_t = self._partner(index, x_t)
        prediction = denoise(x_t, t)
        y_s = self._keep(FLOW.move(COUPLING * y_t + (1 - COUPLING) * x_t, t, s, prediction), index, s)
        return FLOW.move(x_t, t, s, denoise(y_s, s)), prediction


METHOD = Method(
    "reversible",
    source=("McCallum and Foster 2024, arXiv 2410.11648", "the reversible step, around Euler's"),
    path="reversible",
    invert=lambda denoise, x0, levels, _: reversible(denoise, x0, levels),
    step_back=lambda origin: ReversibleBack(origin.path, origin.hold),
    allows_attention=True,
    returns_source=True,
)
