"""O-BELM: each state from the two before it by one formula in both directions, a step that undoes itself.

One evaluation a step. BDIA (Zhang et al. 2023, arXiv 2307.10829) is exact, too, and for gamma = 0.5 magnifies whatever
changes by 2 in every step; this does not.
"""

from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.flow_coordinates import FlowCoordinates
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.trajectory import Progress, Trajectory

BELM = FlowCoordinates(0.2)
"""The coordinates of `belm`; c = 0 in the paper."""


def belm(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """O-BELM: each state from the two before it (Wang et al. 2024, arXiv 2410.07273, the proposition on the optimal
    coefficients; official README). Order 2 where the steps' lengths change smoothly.

        z_s = r^2 z_u + (1 - r^2) z_t + (1 + r) (tau_s - tau_t) dz/dtau(z_t),    r = (tau_s - tau_t) / (tau_t - tau_u)

    which, solved for z_u, is the same formula from s over t to u. In the paper's coordinates, c = 0, pure noise is
    infinitely far away, so that flow models and zero terminal SNR have no first step; flow matching's, c = 1, start
    with short steps on Stable Diffusion's levels, and a change of words then grows by the square of the ratio of the
    lengths. c = 0.2 has neither fault.

    The first step from clean is a DDIM step.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
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


METHOD = Method(
    "belm",
    source=("O-BELM, Wang et al. 2024, arXiv 2410.07273", "the proposition on the optimal coefficients"),
    path="belm",
    invert=lambda denoise, x0, levels, _: belm(denoise, x0, levels),
    step_back=lambda origin: BelmBack(origin.path),
    allows_attention=True,
    min_steps=2,
    returns_source=True,
)
