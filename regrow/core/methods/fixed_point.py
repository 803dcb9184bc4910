"""DDIM inversion with every step solved, so that the DDIM step back returns to where it came from."""

import itertools
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction, solve_x0
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.trajectory import Convergence, Progress, Trajectory


def fixed_point(
    denoise: Denoiser, x0: Batch, levels: Sequence[Level], tolerance: float = 1e-5, max_iterations: int = 30
) -> Iterator[Progress]:
    """Solve every step for the `x_s` from which the DDIM step returns exactly to `x_t`.

    Fixed-point iteration with Anderson acceleration of depth 1, per sample (AIDI, Pan et al. 2023, arXiv
    2309.04907, section 3.2). The iterated form is the one that contracts: through `eps` where `x_t` is mostly
    signal, through `x0` where it is mostly noise.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
        tolerance: relative RMS change at which a step counts as solved.
        max_iterations: evaluations a step at most; a step that ends there is reported as not converged.
    """
    states, reports, x_t = [x0], [], x0
    with torch.no_grad():
        prediction = denoise(x0, levels[0])
    yield Progress(0, len(levels) - 1, levels[0], x0)
    for index, (t, s) in enumerate(itertools.pairwise(levels), start=1):
        with torch.no_grad():
            x_t, prediction, report = _implicit_step(denoise, x_t, prediction, t, s, tolerance, max_iterations)
        states.append(x_t)
        reports.append(report)
        done = index == len(levels) - 1
        trajectory = Trajectory(tuple(levels), tuple(states), (), tuple(reports)) if done else None
        yield Progress(index, len(levels) - 1, s, x_t, trajectory)


def _implicit_step(
    denoise: Denoiser, x_t: Batch, guess: Prediction, t: Level, s: Level, tolerance: float, max_iterations: int
) -> tuple[Batch, Prediction, Convergence]:
    x, prediction = guess.at(s), guess
    image = residual = x
    change, iteration = float("inf"), 0
    for iteration in range(1, max_iterations + 1):
        prediction = denoise(x, s)
        if t.alpha >= t.sigma:
            new_image = Prediction(solve_x0(x_t, prediction.eps, t), prediction.eps).at(s)
        else:
            new_image = Prediction(prediction.x0, (x_t - t.alpha * prediction.x0) / t.sigma).at(s)
        new_residual = new_image - x
        change = float((_rms(new_residual) / _rms(x)).max())
        if change <= tolerance:
            break
        if iteration == 1:
            x = new_image
        else:
            bend = new_residual - residual
            share = _dot(new_residual, bend) / _dot(bend, bend).clamp_min(1e-30)
            x = new_image - share.clamp(-2, 2) * (new_image - image)
        image, residual = new_image, new_residual
    return x, prediction, Convergence(s, iteration, change, change <= tolerance)


def _dot(a: Batch, b: Batch) -> Float[Tensor, " b *ones"]:
    return (a * b).sum(dim=tuple(range(1, a.ndim)), keepdim=True)


def _rms(a: Batch) -> Float[Tensor, " b *ones"]:
    return a.square().mean(dim=tuple(range(1, a.ndim)), keepdim=True).sqrt()


METHOD = Method(
    "fixed_point",
    source=("AIDI, Pan et al. 2023, arXiv 2309.04907", "section 3.2"),
    path="fixed_point",
    invert=lambda denoise, x0, levels, settings: fixed_point(denoise, x0, levels, settings.tolerance),
    allows_attention=True,
    takes_label=True,  # it solves for the label of the level that a step arrives at, whichever is given
    takes_tolerance=True,
)
