"""Steps along the probability-flow path, and `solve`, which strings them together.

A step takes `x_t` at level `t` to level `s`: sampling where `s` is cleaner, inversion where it is noisier. The path
is the ODE of Song et al. 2020 (arXiv 2011.13456, eq. 13), in the form `d(x / alpha) / d(sigma / alpha) = eps`.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args, runtime_checkable

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction, solve_x0
from regrow.core.levels import Level
from regrow.core.names import SolverName
from regrow.core.noise import derive_seed, noise
from regrow.messages.message import say

SOLVERS: tuple[SolverName, ...] = get_args(SolverName)


@runtime_checkable
class Step(Protocol):
    """One step of a solver. Multistep solvers remember, so a fresh one is made for every path."""

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        """Return `x_s` and the prediction made at `x_t`, or None where the step needs none."""
        ...


def ddim(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
    """Return `x_s = alpha_s * x0 + sigma_s * eps` (Song et al. 2021, arXiv 2010.02502, eq. 12, eta = 0). Order 1."""
    prediction = denoise(x_t, t)
    return prediction.at(s), prediction


@dataclass(frozen=True)
class StochasticDDIM:
    """DDIM with fresh noise in every step (Song et al. 2021, arXiv 2010.02502, eq. 12 and 16).

    Args:
        eta: 0 is `ddim`, 1 is ancestral sampling (DDPM).
        seeds: one per sample; the noise of a step depends on the sample's seed and the step's levels alone.
    """

    eta: float
    seeds: tuple[int, ...]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        prediction = denoise(x_t, t)
        fresh = posterior_std(t, s, self.eta)
        kept = (s.sigma**2 - fresh**2) ** 0.5
        x_s = s.alpha * prediction.x0 + kept * prediction.eps
        if fresh:
            seeds = [derive_seed(seed, "ddim", f"{t.alpha:.12g} {s.alpha:.12g}") for seed in self.seeds]
            x_s = x_s + fresh * noise(x_t.shape[1:], seeds, torch.float32).to(x_t)
        return x_s, prediction


def posterior_std(t: Level, s: Level, eta: float = 1.0) -> float:
    """The standard deviation of `x_s` given x0 and `x_t` in DDPM's noising, times eta (arXiv 2010.02502, eq. 16).

    0 where s is not cleaner than t. The ratio form holds on any schedule, not only where alpha^2 + sigma^2 = 1.
    """
    return eta * s.sigma * (1 - (s.ratio / t.ratio) ** 2) ** 0.5 if s.ratio < t.ratio else 0.0


@dataclass(frozen=True)
class PingPong:
    """Predict x0 and add fresh noise, the sampler of distilled networks with few steps.

    `x_s = alpha_s * x0 + sigma_s * z`, z fresh in every step (consistency models, Song et al. 2023, arXiv 2303.01469,
    algorithm 1; "ping-pong" in Stable Audio's distilled models, Novack et al. 2025, arXiv 2505.08175).

    Args:
        seeds: one per sample; the noise of a step depends on the sample's seed and the step's levels alone.
    """

    seeds: tuple[int, ...]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        prediction = denoise(x_t, t)
        x_s = s.alpha * prediction.x0
        if s.sigma:
            seeds = [derive_seed(seed, "ping_pong", f"{t.alpha:.12g} {s.alpha:.12g}") for seed in self.seeds]
            x_s = x_s + s.sigma * noise(x_t.shape[1:], seeds, torch.float32).to(x_t)
        return x_s, prediction


def heun(denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
    """Heun's trapezoid in `sigma / alpha` (Karras et al. 2022, arXiv 2206.00364, algorithm 1). Order 2.

    Costs two evaluations; a step from or to an end where `eps` or `x0` is undetermined is a DDIM step, as in the
    paper's line 6.
    """
    x_s, prediction = ddim(denoise, x_t, t, s)
    if s.sigma == 0 or s.alpha == 0 or t.alpha == 0:
        return x_s, prediction
    eps = (prediction.eps + denoise(x_s, s).eps) / 2
    return Prediction(solve_x0(x_t, eps, t), eps).at(s), prediction


class DPMpp2M:
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2). Order 2 for one evaluation per step.

    Extrapolates `x0` from the previous step. The first step, and a step from or to an end with infinite log-SNR,
    is a DDIM step.
    """

    def __init__(self) -> None:
        self._previous: tuple[Level, Prediction] | None = None

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        prediction = denoise(x_t, t)
        previous, self._previous = self._previous, (t, prediction)
        x0 = extrapolate(previous, prediction, t, s)
        if x0 is None:
            return prediction.at(s), prediction
        return s.sigma / t.sigma * (x_t - t.alpha * x0) + s.alpha * x0, prediction


def extrapolate(previous: tuple[Level, Prediction] | None, prediction: Prediction, t: Level, s: Level) -> Batch | None:
    """x0 as seen from half way to s, from the predictions at t and at the level before it.

    None where there is nothing to extrapolate from: no level before, or a log-SNR that is not finite.
    """
    if previous is None or 0 in (s.sigma, t.sigma, s.alpha, t.alpha, previous[0].alpha, previous[0].sigma):
        return None
    # their lambda is half our log-SNR; only the ratio of two steps is needed
    lean = (s.log_snr - t.log_snr) / (2 * (t.log_snr - previous[0].log_snr))
    return prediction.x0 + lean * (prediction.x0 - previous[1].x0)


def make_step(name: SolverName, eta: float = 0.0, seeds: Sequence[int] = ()) -> Step:
    """Return a fresh step function by name.

    Args:
        name: `ddim`, `heun`, `dpmpp_2m` or `ping_pong`.
        eta: fresh noise of `ddim`, in [0, 1].
        seeds: one per sample, needed where eta > 0 and by ping_pong.

    Raises:
        ValueError: an unknown name, eta outside [0, 1], eta > 0 with a solver that has none, or no seeds for ping_pong.
    """
    if name not in SOLVERS:
        raise ValueError(say("unknown_solver", name=name, known=", ".join(SOLVERS)))
    if not 0 <= eta <= 1 or (eta and name != "ddim"):
        raise ValueError(say("eta_only_for_ddim", eta=eta, solver=name))
    if name == "ddim":
        return StochasticDDIM(eta, tuple(seeds)) if eta else ddim
    if name == "ping_pong":
        if not seeds:
            raise ValueError(say("ping_pong_needs_seeds"))
        return PingPong(tuple(seeds))
    return heun if name == "heun" else DPMpp2M()


@dataclass(frozen=True)
class State:
    """The state of a solution: `x`, shape `b *rest`, at `level`, after `index` of `steps` steps."""

    index: int
    steps: int
    level: Level
    x: Batch
    prediction: Prediction | None


def solve(step: Step, denoise: Denoiser, x: Batch, levels: Sequence[Level]) -> Iterator[State]:
    """Solve from `x` through the levels; yield the start and the state after every step.

    Args:
        step: one of this file's steps.
        denoise: the network.
        x: batch at `levels[0]`, shape `b *rest`.
        levels: two or more, in the order they are walked: falling noise samples, rising noise inverts.
    """
    steps = len(levels) - 1
    yield State(0, steps, levels[0], x, None)
    for index, (t, s) in enumerate(itertools.pairwise(levels), start=1):
        with torch.no_grad():
            x, prediction = step(denoise, x, t, s)
        yield State(index, steps, s, x, prediction)


def last(states: Iterator[State]) -> Batch:
    """Run a solution to its end and return `x`."""
    for state in states:
        x = state.x
    return x  # pyright: ignore[reportPossiblyUnboundVariable]  # solve always yields its start
