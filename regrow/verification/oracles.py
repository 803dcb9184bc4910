"""Denoisers in closed form, for distributions with exact posterior means, some also with exact flows.

For data `x0 ~ p` and `x_t = alpha * x0 + sigma * eps` the best prediction is the posterior mean of x0 and of eps.
A network only estimates these; here they are exact, so that any error comes from the methods.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from regrow.core import denoiser
from regrow.core.denoiser import Batch, Denoiser, Prediction, PredictionType
from regrow.core.levels import Level

_TINY = 1e-30  # a variance that avoids 0 / 0 for a point without noise; negligible in float64


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Independent Gaussian coordinates.

    Args:
        mean: broadcastable to `rest`, float64.
        std: likewise; 0 makes the distribution a point.
    """

    mean: Float64[Tensor, "*rest"]
    std: Float64[Tensor, "*rest"]

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        away = (x_t - level.alpha * self.mean) / self._variance(level).clamp_min(_TINY)
        return Prediction(self.mean + level.alpha * self.std**2 * away, level.sigma * away)

    def exact_flow(self, x_t: Batch, t: Level, s: Level) -> Batch:
        """Return the solution of the probability-flow ODE from `x_t` at level t to level s.

        The score is linear, so `(x - alpha mean) / sqrt(alpha^2 std^2 + sigma^2)` is conserved (insert the score into
        Song et al. 2020, arXiv 2011.13456, eq. 13).
        """
        standard = (x_t - t.alpha * self.mean) / self._variance(t).sqrt()
        return s.alpha * self.mean + self._variance(s).sqrt() * standard

    def _variance(self, level: Level) -> Tensor:
        return level.alpha**2 * self.std**2 + level.sigma**2


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of isotropic Gaussians ("clouds").

    Args:
        means: shape `clouds *rest`, float64.
        std: one per cloud, shape `clouds`; 0 makes the cloud a point.
        weights: one per cloud, shape `clouds`, with sum 1.
    """

    means: Float64[Tensor, " clouds *rest"]
    std: Float64[Tensor, " clouds"]
    weights: Float64[Tensor, " clouds"]

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        ones = (1,) * (x_t.ndim - 1)
        variance = self._variance(level)
        away = x_t[:, None] - level.alpha * self.means  # b clouds *rest
        squared = away.flatten(2).square().sum(-1)
        size = x_t[0].numel()
        logits = self.weights.log() - squared / (2 * variance) - size / 2 * variance.log()
        # not torch.softmax: it wakes all threads for a few numbers, which takes 6 ms next to another busy process
        shares = (logits - logits.amax(1, keepdim=True)).exp()
        shares = (shares / shares.sum(1, keepdim=True)).view(*shares.shape, *ones)
        away = away / variance.view(-1, *ones)
        x0 = self.means + level.alpha * self.std.square().view(-1, *ones) * away
        return Prediction((shares * x0).sum(1), level.sigma * (shares * away).sum(1))

    def exact_flow(self, x_t: Float64[Tensor, "b 1"], t: Level, s: Level) -> Float64[Tensor, "b 1"]:
        """Return the solution of the probability-flow ODE for one-dimensional samples from level t to s.

        The ODE maps the marginal at t to that at s (Song et al. 2020, arXiv 2011.13456, section 4.3). In one dimension
        it keeps the order of points, hence each point's quantile. The quantile is computed from the nearer tail, where
        it keeps its precision, and inverted by bisection.
        """
        below, above = self._tail(x_t, t, 1.0), self._tail(x_t, t, -1.0)
        side = torch.where(below < above, 1.0, -1.0).double()
        wanted = torch.minimum(below, above)
        reach = s.alpha * self.means.abs().max() + 40 * self._variance(s).max().sqrt()
        low, high = -reach.expand_as(x_t), reach.expand_as(x_t)
        for _ in range(80):
            middle = (low + high) / 2
            too_far = (self._tail(middle, s, side) > wanted) == (side > 0)
            low, high = torch.where(too_far, low, middle), torch.where(too_far, middle, high)
        return (low + high) / 2

    def _tail(self, x: Tensor, level: Level, side: float | Tensor) -> Tensor:
        """Return the marginal's probability below x (side 1) or above it (side -1), shape `b 1`."""
        standard = (x - level.alpha * self.means.flatten()) / self._variance(level).sqrt()
        return (self.weights * torch.special.ndtr(side * standard)).sum(1, keepdim=True)

    def _variance(self, level: Level) -> Tensor:
        return (level.alpha**2 * self.std**2 + level.sigma**2).clamp_min(_TINY)


class FiniteData(GaussianMixture):
    """The best denoiser of a finite data set (Karras et al. 2022, arXiv 2206.00364, appendix B.3, eq. 57).

    Args:
        points: the data set, shape `points *rest`, float64.
    """

    def __init__(self, points: Float64[Tensor, " points *rest"]) -> None:
        count = len(points)
        super().__init__(points, torch.zeros(count).double(), torch.full((count,), 1 / count).double())


def raw_output(prediction: Prediction, level: Level, kind: PredictionType) -> Batch:
    """Return the output of a network of this prediction type; independent of `core.target`, to reveal faults in it."""
    return {
        "epsilon": prediction.eps,
        "sample": prediction.x0,
        "v": level.alpha * prediction.eps - level.sigma * prediction.x0,
        "flow": prediction.eps - prediction.x0,
    }[kind]


def as_network(oracle: Denoiser, kind: PredictionType) -> Denoiser:
    """Convert the oracle to a network's output and back by `core.predict`, as in a checkpoint's denoiser."""

    def denoise(x_t: Batch, level: Level) -> Prediction:
        return denoiser.predict(raw_output(oracle(x_t, level), level, kind), x_t, level, kind)

    return denoise


def float64(*numbers: float) -> Float64[Tensor, "*rest"]:
    """Return one number as a scalar, several as a vector; never through float32, which cannot represent 0.6."""
    values = torch.tensor(numbers, dtype=torch.float64)
    return values[0] if len(numbers) == 1 else values


def level_of(log_snr: float, flow: bool = False) -> Level:
    """Return the variance-preserving level, or the flow level, of a log-SNR."""
    ratio = math.exp(-log_snr / 2)
    scale = 1 + ratio if flow else math.hypot(1, ratio)
    return Level(1 / scale, ratio / scale)


def path(first: float, last: float, steps: int, flow: bool = False) -> tuple[Level, ...]:
    """Return levels from one log-SNR to another, with intervals of alternating length 1 and 2.

    On even intervals, a multistep formula that wrongly assumes equal steps would give the same result as the right one.
    """
    lengths = [1 + k % 2 for k in range(steps)]
    return tuple(level_of(first + (last - first) * sum(lengths[:k]) / sum(lengths), flow) for k in range(steps + 1))
