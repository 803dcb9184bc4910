"""Check single steps and short paths against exact results."""

from collections.abc import Iterator

import torch

from regrow.core import schedules, solvers
from regrow.core.denoiser import PREDICTION_TYPES, PredictionType
from regrow.core.levels import Schedule
from regrow.core.names import SolverName
from regrow.core.noise import noise
from regrow.verification.check import Check, apart, judge, judge_order
from regrow.verification.forward import zero_terminal_snr
from regrow.verification.oracles import FiniteData, Gaussian, GaussianMixture, as_network, float64, level_of, path

FORMULAS: dict[SolverName, tuple[str, str]] = {
    "ddim": ("x_s = alpha_s x0 + sigma_s eps", "Song et al. 2021, arXiv 2010.02502, eq. 12, eta = 0"),
    "heun": (
        "x_s / alpha_s = x_t / alpha_t + (sigma_s / alpha_s - sigma_t / alpha_t) (eps_t + eps_s) / 2",
        "Karras et al. 2022, arXiv 2206.00364, algorithm 1",
    ),
    "dpmpp_2m": (
        "x_s = (sigma_s / sigma_t) x_t - alpha_s (exp(-h) - 1) ((1 + 1/2r) x0_t - 1/2r x0_previous)",
        "Lu et al. 2022, arXiv 2211.01095, algorithm 2",
    ),
}


def steps() -> Iterator[Check]:
    yield from _local_orders()
    for name, claim in FORMULAS.items():
        yield judge(
            f"{name} on a single point",
            *claim,
            "the exact map x_s = alpha_s m + (sigma_s / sigma_t) (x_t - alpha_t m); all outputs, both ways",
            max(_point_error(name, flow) for flow in (False, True)),
            1e-12,
        )
        yield judge(
            f"{name}, flow = variance-preserving",
            *claim,
            "x_flow = x_vp / (alpha + sigma): the same path on both kinds of levels, both ways",
            _change_of_variables_error(name),
            1e-12,
        )
        yield judge(
            f"{name} from pure noise to the data",
            *claim,
            "5 points: 20 steps from alpha = 0 to sigma = 0 must end on one (2206.00364, appendix B.3)",
            _finite_data_error(name),
            1e-9,
        )
    yield from _ancestral()


def _point_error(name: SolverName, flow: bool) -> float:
    point = Gaussian(float64(0.4), float64(0.0))
    x, errors = noise((4,), [1, 2], torch.float64), [0.0]
    for levels_ in (path(3, -3, 5, flow), path(-3, 3, 5, flow)):
        wanted = point.exact_flow(x, levels_[0], levels_[-1])
        for kind in PREDICTION_TYPES:
            walk = solvers.solve(solvers.make_step(name), as_network(point, kind), x, levels_)
            # relative, as the noisy end is larger
            errors.append(apart(solvers.last(walk), wanted) / max(1.0, float(wanted.abs().max())))
    return max(errors)


def _change_of_variables_error(name: SolverName) -> float:
    clouds = GaussianMixture(noise((3,), [1, 2], torch.float64), float64(0.4, 0.8), float64(0.3, 0.7))
    x, errors = noise((3,), [3, 4], torch.float64), [0.0]
    for first, last in ((4, -4), (-4, 4)):
        start, end = level_of(first), level_of(last)
        preserving = solvers.solve(solvers.make_step(name), as_network(clouds, "v"), x, path(first, last, 12))
        straight = solvers.solve(
            solvers.make_step(name),
            as_network(clouds, "flow"),
            x / (start.alpha + start.sigma),
            path(first, last, 12, flow=True),
        )
        errors.append(apart(solvers.last(preserving), solvers.last(straight) * (end.alpha + end.sigma)))
    return max(errors)


def _finite_data_error(name: SolverName) -> float:
    points = 6 * noise((3,), [1, 2, 3, 4, 5], torch.float64)
    x, errors = noise((3,), list(range(10, 18)), torch.float64), [0.0]
    ends: tuple[tuple[Schedule, PredictionType], ...] = ((zero_terminal_snr(), "v"), (schedules.Flow(), "flow"))
    for schedule, kind in ends:
        walk = solvers.solve(
            solvers.make_step(name), as_network(FiniteData(points), kind), x, schedule.grid(20, "log_snr")
        )
        errors.append(float(torch.cdist(solvers.last(walk), points).min(dim=1).values.max()))
    return max(errors)


def _local_orders() -> Iterator[Check]:
    """Check one step against a Gaussian's exact flow: a method of order p has a local error of h^(p + 1).

    For multistep methods, a step of half the length between exact points comes first. Whole paths cannot reveal an
    inverted step ratio: its errors h_k^2 - h_(k-1)^2 cancel from step to step.
    """
    data, orders = Gaussian(float64(0.3, -1.0), float64(0.6, 1.5)), {"ddim": 2, "heun": 3, "dpmpp_2m": 3}
    x, counts = noise((2,), [1, 2, 3], torch.float64), [16, 32, 64, 128, 256]
    denoise = as_network(data, "v")
    for name, claim in FORMULAS.items():
        errors = []
        for count in counts:
            before, t, s = level_of(2 / count), level_of(0), level_of(-4 / count)
            step = solvers.make_step(name)
            step(denoise, data.exact_flow(x, t, before), before, t)
            errors.append(apart(step(denoise, x, t, s)[0], data.exact_flow(x, t, s)))
        against = "the exact flow of a Gaussian: (x - alpha mean) / sqrt(alpha^2 std^2 + sigma^2) is conserved"
        yield judge_order(f"{name}, one step", *claim, against, counts, errors, orders[name])


def _ancestral() -> Iterator[Check]:
    """Check that DDIM with eta = 1 draws from DDPM's posterior, by mean and deviation over 100,000 coordinates."""
    count, x0, x_t = 100_000, 0.5, -0.8
    t, s = level_of(-1.0), level_of(0.5)
    denoise = as_network(Gaussian(float64(x0), float64(0.0)), "epsilon")
    step = solvers.make_step("ddim", eta=1.0, seeds=[3])
    x_s, _ = step(denoise, torch.full((1, count), x_t).double(), t, s)
    kept = (t.alpha / s.alpha) ** 2  # their alpha_t = 1 - beta_t
    mean = s.alpha * (1 - kept) / t.sigma**2 * x0 + kept**0.5 * s.sigma**2 / t.sigma**2 * x_t
    std = (s.sigma**2 / t.sigma**2 * (1 - kept)) ** 0.5
    formula = "x_s ~ N(sqrt(abar_s) beta / (1 - abar_t) x0 + sqrt(1 - beta) (1 - abar_s) / (1 - abar_t) x_t, beta~)"
    source = "Ho et al. 2020, arXiv 2006.11239, eq. 7; Song et al. 2021, arXiv 2010.02502, eq. 16, eta = 1"
    for name, error in (
        ("mean", abs(float(x_s.mean()) - mean) / std * count**0.5),
        ("deviation", abs(float(x_s.std()) - std) / std * (2 * count) ** 0.5),
    ):
        against = f"DDPM's posterior, {count} draws, distance in standard errors"
        yield judge(f"ddim with eta = 1, {name}", formula, source, against, error, 4.0)
