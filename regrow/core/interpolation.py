"""Interpolation of noise along the arc, where every point has the statistics of noise.

    x(w) = sin((1 - w) theta) / sin(theta) x_a + sin(w theta) / sin(theta) x_b

with theta the angle between the two (Shoemake 1985, "Animating rotation with quaternion curves"; for the noise of a
diffusion model Song et al. 2021, arXiv 2010.02502, appendix D.5, eq. 67). On the straight line between them the
middle has a spread of 1 / sqrt(2), which no network was trained on.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.trajectory import Trajectory
from regrow.messages.message import say


def slerp(
    a: Float[Tensor, " 1 *rest"], b: Float[Tensor, " 1 *rest"], shares: Float[Tensor, " n"]
) -> Float[Tensor, " n *rest"]:
    """Return the points at these shares of the arc from a to b: 0 is a and 1 is b, bit for bit.

    Two parallel or opposite points have no arc, and are joined by the straight line.
    """
    wide = shares.reshape(-1, *[1] * (a.ndim - 1)).to(a)
    cosine = (a.double() * b.double()).sum() / (a.double().norm() * b.double().norm()).clamp_min(1e-30)
    theta = torch.acos(cosine.clamp(-1, 1)).to(a)
    if torch.sin(theta) < 1e-4:
        from_a, from_b = 1 - wide, wide
    else:
        from_a, from_b = (torch.sin(part * theta) / torch.sin(theta) for part in (1 - wide, wide))
    return from_a * a + from_b * b


def lerp(
    a: Float[Tensor, " 1 *rest"], b: Float[Tensor, " 1 *rest"], shares: Float[Tensor, " n"]
) -> Float[Tensor, " n *rest"]:
    """Return the points at these shares of the straight line from a to b: 0 is a and 1 is b, bit for bit."""
    wide = shares.reshape(-1, *[1] * (a.ndim - 1)).to(a)
    return (1 - wide) * a + wide * b


def between(a: Trajectory, b: Trajectory, shares: Float[Tensor, " n"]) -> Trajectory:
    """Paths between two inverted paths, one per share: their states along the arc, their offsets in a straight line.

    With the offsets of direct_inversion, the first and the last path regenerate exactly what they were inverted from,
    whatever the network predicts.

    Raises:
        ValueError: the two do not touch the same levels.
    """
    if a.levels != b.levels:
        raise ValueError(say("paths_share_no_levels"))
    states = tuple(slerp(*pair, shares) for pair in zip(a.states, b.states, strict=True))
    offsets = tuple(lerp(*pair, shares) for pair in zip(a.offsets, b.offsets, strict=True))
    return Trajectory(a.levels, states, offsets)
