"""Measure orders: how fast each method's error falls as the number of steps doubles.

The data are a mixture of two Gaussians in one dimension, whose flow is curved and known exactly by its quantiles. Paths
run between log-SNR 4 and -4, on intervals of alternating length 1 and 2, with 16 to 256 steps, in float64. Under the
label convention `arrives` the h^2 term is nearly as large as the h term at 16 steps (the order between successive
counts is 0.70, 0.85, 0.93, 0.96, 0.98), so it is measured from 64 steps on.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from regrow.core import solvers
from regrow.core.denoiser import Denoiser
from regrow.core.levels import Level
from regrow.core.methods import direct_inversion, fixed_point, naive
from regrow.core.methods.uni_inv import uni_inv
from regrow.core.names import SolverName
from regrow.core.solvers import Step
from regrow.core.trajectory import Progress, Trajectory
from regrow.verification.check import Check, judge_order, rms
from regrow.verification.oracles import GaussianMixture, as_network, float64, level_of, path
from regrow.verification.steps import FORMULAS

COUNTS = [16, 32, 64, 128, 256]
LATE_COUNTS = [64, 128, 256, 512]
CLEAN, NOISY = 4.0, -4.0
Invert = Callable[[Denoiser, Tensor, tuple[Level, ...]], Iterator[Progress]]

# A step of order p is off by C h^(p+1), and the step back, with -h, by C (-h)^(p+1): for odd p the two add up and
# the round trip has order p; for even p they cancel and it has order p + 1. A multistep method's first step is a
# DDIM step at one end on the way there and at the other on the way back, and those errors of h^2 do not cancel.
EXPECTED: dict[SolverName, tuple[int, int]] = {"ddim": (1, 1), "heun": (2, 3), "dpmpp_2m": (2, 2)}


def two_clouds() -> GaussianMixture:
    """Return a one-dimensional mixture of two Gaussians with different means, widths and weights."""
    means = float64(-1.2, 0.9)[:, None]
    return GaussianMixture(means, float64(0.5, 0.7), float64(0.4, 0.6))


def trajectory(walk: Iterator[Progress]) -> Trajectory:
    """Run an inversion to its end.

    Raises:
        ValueError: its last state carries no trajectory.
    """
    found = None
    for progress in walk:
        found = progress.trajectory
    if found is None:
        raise ValueError("The inversion ended without a trajectory.")
    return found


def orders() -> Iterator[Check]:
    for name, (order, round_trip) in EXPECTED.items():
        for flow in (False, True):

            def fresh(name: SolverName = name) -> Step:
                return solvers.make_step(name)

            def naive_walk(denoise: Denoiser, x: Tensor, up: tuple[Level, ...], fresh: Callable = fresh) -> Iterator:
                return naive.naive(denoise, x, up, step=fresh())

            sampled, inverted, returned = _errors(naive_walk, fresh, flow)
            claim = FORMULAS[name]
            where = "flow" if flow else "variance-preserving"
            for label, errors, expected, against in (
                ("sampling", sampled, order, "the exact flow's clean sample"),
                ("inversion", inverted, order, "the exact flow's latent"),
                ("round trip", returned, round_trip, "the start, after naive inversion and sampling"),
            ):
                yield judge_order(f"{name} {label}, {where}", *claim, against, COUNTS, errors, expected)
    yield from _inversions()


def _inversions() -> Iterator[Check]:
    claim = "x_s from eps(x_t, label of s)", "Dhariwal & Nichol 2021, arXiv 2105.05233, appendix F"

    def arrives(denoise: Denoiser, x: Tensor, up: tuple[Level, ...]) -> Iterator[Progress]:
        return naive.naive(denoise, x, up, label="arrives")

    _, inverted, returned = _errors(arrives, lambda: solvers.ddim, False, LATE_COUNTS)
    for label, errors, against in (
        ("latent", inverted, "the exact flow's latent: the label is one step off, an error of the step's own order"),
        ("round trip", returned, "the start: the labels agree on the way back, the points do not"),
    ):
        yield judge_order(f"naive inversion, label arrives, {label}", *claim, against, LATE_COUNTS, errors, 1)
    _, inverted, _ = _errors(
        lambda denoise, x, up: fixed_point.fixed_point(denoise, x, up, tolerance=1e-10), None, flow=False
    )
    yield judge_order(
        "fixed_point inversion, latent",
        "x_s such that DDIM(x_s, s -> t) = x_t",
        "Pan et al. 2023, arXiv 2309.04907, section 3.2",
        "the exact flow's latent: an implicit Euler step, no truer than the explicit one",
        COUNTS,
        inverted,
        1,
    )
    _, inverted, returned = _errors(uni_inv, lambda: solvers.ddim, flow=False)
    for label, errors, expected, against in (
        ("latent", inverted, 1, "the exact flow's latent: nearly an implicit Euler step"),
        ("round trip", returned, 2, "the start: the step misses the implicit one by the third power of its length"),
    ):
        yield judge_order(
            f"uni_inv inversion, {label}",
            "guess = x_t moved by v;  v <- velocity at guess, level s;  x_s = x_t moved by v",
            "Jiao et al. 2025, arXiv 2504.13109",
            against,
            COUNTS,
            errors,
            expected,
        )
    _, inverted, _ = _errors(direct_inversion.direct_inversion, None, flow=False)
    yield judge_order(
        "direct_inversion inversion, latent",
        "offset_k = x_k - DDIM(x_(k+1), k+1 -> k), added on the way back",
        "Ju et al. 2023, arXiv 2310.01506, section 3",
        "the exact flow's latent: the path is the naive one",
        COUNTS,
        inverted,
        1,
    )


def _errors(
    invert: Invert, fresh: Callable[[], Step] | None, flow: bool, counts: Sequence[int] = COUNTS
) -> tuple[list[float], list[float], list[float]]:
    """Return the RMS errors of sampling, of inversion and of the round trip, for each number of steps.

    `fresh` makes the sampling step; without it only the inversion is measured.
    """
    clouds = two_clouds()
    denoise = as_network(clouds, "flow" if flow else "v")
    x = torch.linspace(-2, 2, 9).double()[:, None]
    latent = clouds.exact_flow(x, level_of(CLEAN, flow), level_of(NOISY, flow))
    sampled, inverted, returned = [], [], []
    for count in counts:
        up = path(CLEAN, NOISY, count, flow)
        found = trajectory(invert(denoise, x, up)).states[-1]
        inverted.append(rms(found - latent))
        if fresh:
            sampled.append(rms(solvers.last(solvers.solve(fresh(), denoise, latent, up[::-1])) - x))
            returned.append(rms(solvers.last(solvers.solve(fresh(), denoise, found, up[::-1])) - x))
    return sampled, inverted, returned
