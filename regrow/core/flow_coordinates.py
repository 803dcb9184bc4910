"""Coordinates in which every path is straight, and a step whose direction was found at another point.

For every c >= 0 the probability-flow ODE (Song et al. 2020, arXiv 2011.13456, eq. 13) is

    z = x / (alpha + c sigma),    tau = sigma / (alpha + c sigma),    dz / dtau = eps - c x0

c = 0 is the `sigma / alpha` of `solvers`, in which pure noise is infinitely far away. c = 1 is the time and velocity of
flow matching (Lipman et al. 2022, arXiv 2210.02747), on any schedule: tau runs from 0 to 1 and nothing is infinite.
"""

from dataclasses import dataclass

from regrow.core.denoiser import Batch, Prediction
from regrow.core.levels import Level


@dataclass(frozen=True)
class FlowCoordinates:
    """The coordinates of one c, 0 or larger."""

    c: float

    def scale(self, level: Level) -> float:
        """Return `alpha + c sigma`: what x is divided by; 0 at pure noise if c = 0."""
        return level.alpha + self.c * level.sigma

    def time(self, level: Level) -> float:
        """tau of a level, from 0 for clean to 1 / c for pure noise."""
        return level.sigma / self.scale(level)

    def velocity(self, prediction: Prediction) -> Batch:
        """Return `eps - c x0`, shape `b *rest`."""
        return prediction.eps - self.c * prediction.x0

    def move(self, x_t: Batch, t: Level, s: Level, prediction: Prediction) -> Batch:
        """Return an Euler step from t to s with the velocity of a prediction that need not be of `x_t`.

        Of `x_t` itself it gives `prediction.at(s)`, for every c. The step back from s to t with the same prediction
        undoes it: this is what the exact inversions are made of.
        """
        step = self.time(s) - self.time(t)
        return self.scale(s) * (x_t / self.scale(t) + step * self.velocity(prediction))


FLOW = FlowCoordinates(1.0)
"""Flow matching's coordinates: finite at both ends of every schedule."""
