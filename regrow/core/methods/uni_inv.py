"""DDIM inversion that predicts where a step leads and corrects it with the direction there.

    guess = move(x_t by v),    v <- velocity at guess, level s,    x_s = move(x_t by v)

Jiao et al. 2025, arXiv 2504.13109; official UniEdit-Flow, `denoise_uniinv`. The step is nearly the implicit one that a
DDIM step back undoes: it misses by the third power of its length, where the naive step misses by the second.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser
from regrow.core.flow_coordinates import FLOW
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.trajectory import Progress, Trajectory


def uni_inv(denoise: Denoiser, x0: Batch, levels: Sequence[Level]) -> Iterator[Progress]:
    """Walk from clean to noisy: `len(levels)` evaluations, for the first prediction is one of the start.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
    """
    states, steps = [x0], len(levels) - 1
    with torch.no_grad():
        prediction = denoise(x0, levels[0])
    yield Progress(0, steps, levels[0], x0)
    for index, (t, s) in enumerate(itertools.pairwise(levels), start=1):
        with torch.no_grad():
            prediction = denoise(FLOW.move(states[-1], t, s, prediction), s)
            states.append(FLOW.move(states[-1], t, s, prediction))
        done = Trajectory(tuple(levels), tuple(states)) if index == steps else None
        yield Progress(index, steps, s, states[-1], done)


METHOD = Method(
    "uni_inv",
    source=("Uni-Inv, Jiao et al. 2025, arXiv 2504.13109", "official UniEdit-Flow, denoise_uniinv"),
    path="uni_inv",
    invert=lambda denoise, x0, levels, _: uni_inv(denoise, x0, levels),
    allows_attention=True,
)
