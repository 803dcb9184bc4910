"""Conversions between a network's output (epsilon, v, sample or flow) and (x0, eps).

With `x_t = alpha * x0 + sigma * eps` the four things networks are trained to predict are

    epsilon   eps                       Ho et al. 2020, arXiv 2006.11239, eq. 14
    sample    x0                        Ramesh et al. 2022, arXiv 2204.06125, section 2.2
    v         alpha * eps - sigma * x0  Salimans & Ho 2022, arXiv 2202.00512, section 4 and appendix D
    flow      eps - x0                  Lipman et al. 2022, arXiv 2210.02747; Esser et al. 2024, 2403.03206, eq. 2

Each is linear in (x0, eps), and so is x_t: two equations for two unknowns, solved here once for all rooms.
"""

from dataclasses import dataclass
from typing import Protocol, get_args, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.levels import Level
from regrow.core.names import PredictionType
from regrow.messages.message import say

PREDICTION_TYPES: tuple[PredictionType, ...] = get_args(PredictionType)
Batch = Float[Tensor, "b *rest"]


@dataclass(frozen=True)
class Prediction:
    """The clean sample and the noise that a network predicts from `x_t`; both of shape `b *rest` like `x_t`."""

    x0: Batch
    eps: Batch

    def at(self, level: Level) -> Batch:
        """Return `alpha * x0 + sigma * eps`: the point of this prediction's straight path at a level."""
        return level.alpha * self.x0 + level.sigma * self.eps


@runtime_checkable
class Denoiser(Protocol):
    """A network as a function: from a noisy batch and its level to the prediction."""

    def __call__(self, x_t: Batch, level: Level) -> Prediction: ...


class Counted:
    """A denoiser that counts its evaluations: network calls for one sample of the batch."""

    def __init__(self, denoise: Denoiser, evaluations_per_call: int = 1) -> None:
        self._denoise = denoise
        self._evaluations_per_call = evaluations_per_call
        self.evaluations = 0

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        self.evaluations += self._evaluations_per_call
        return self._denoise(x_t, level)


def predict(output: Batch, x_t: Batch, level: Level, kind: PredictionType) -> Prediction:
    """Solve a network's output for (x0, eps).

    Args:
        output: what the network returned for `x_t`, shape `b *rest`.
        x_t: its input, shape `b *rest`.
        level: the level that the network was given. At sigma = 0 a `sample` output, and at alpha = 0 an `epsilon`
            output, leave one unknown undetermined; it comes back as zeros, so that nothing turns to NaN.
        kind: what the network predicts.

    Raises:
        ValueError: an unknown prediction type.
    """
    alpha, sigma = level.alpha, level.sigma
    if kind == "epsilon":
        return Prediction(solve_x0(x_t, output, level), output)
    if kind == "sample":
        return Prediction(output, (x_t - alpha * output) / sigma if sigma else torch.zeros_like(x_t))
    if kind == "v":
        norm = alpha * alpha + sigma * sigma
        return Prediction((alpha * x_t - sigma * output) / norm, (sigma * x_t + alpha * output) / norm)
    if kind == "flow":
        norm = alpha + sigma
        return Prediction((x_t - sigma * output) / norm, (x_t + alpha * output) / norm)
    raise ValueError(say("unknown_prediction_type", kind=kind, known=", ".join(PREDICTION_TYPES)))


def solve_x0(x_t: Batch, eps: Batch, level: Level) -> Batch:
    """Return `(x_t - sigma * eps) / alpha`: the clean sample once the noise is known; zeros at alpha = 0."""
    return (x_t - level.sigma * eps) / level.alpha if level.alpha else torch.zeros_like(x_t)


def target(
    x0: Batch,
    eps: Batch,
    alpha: float | Float[Tensor, " b *ones"],
    sigma: float | Float[Tensor, " b *ones"],
    kind: PredictionType,
) -> Batch:
    """Return what a network of this kind is trained to return; the inverse of `predict`.

    Args:
        x0: clean batch, shape `b *rest`.
        eps: its noise, same shape.
        alpha: of the level, or one a sample in a shape that broadcasts (training mixes levels in a batch).
        sigma: likewise.
        kind: what the network predicts.

    Raises:
        ValueError: an unknown prediction type.
    """
    if kind == "epsilon":
        return eps
    if kind == "sample":
        return x0
    if kind == "v":
        return alpha * eps - sigma * x0
    if kind == "flow":
        return eps - x0
    raise ValueError(say("unknown_prediction_type", kind=kind, known=", ".join(PREDICTION_TYPES)))
