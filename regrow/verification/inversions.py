"""Check the exact inversions, and measure round-trip error and latent accuracy of all inversions.

Round trip: does sampling from the inverted latent return to the start? Latent accuracy: is the inverted latent the
noise from which the model's exact flow leads to the start? The first says nothing about the second.
"""

from collections.abc import Iterator

import torch

from regrow.core import solvers
from regrow.core.denoiser import PREDICTION_TYPES, PredictionType
from regrow.core.methods import direct_inversion, fixed_point, naive
from regrow.verification.check import Check, apart, judge, rms
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, as_network, float64, level_of, path
from regrow.verification.orders import CLEAN, NOISY, trajectory, two_clouds

_START = torch.linspace(-2, 2, 9).double()[:, None]


def inversions() -> Iterator[Check]:
    yield from _labels()
    yield from _direct_inversion()
    yield from _fixed_point()
    yield from _two_numbers()


def _labels() -> Iterator[Check]:
    """Check one naive step from a known point against its closed form, for each label convention."""
    data = Gaussian(float64(0.3), float64(0.6))
    t, s = level_of(2.0), level_of(1.0)
    for label, given, source in (
        ("leaves", t, "Song et al. 2021, arXiv 2010.02502, eq. 14 read backwards"),
        ("arrives", s, "Dhariwal & Nichol 2021, arXiv 2105.05233, appendix F"),
    ):
        variance = given.alpha**2 * 0.36 + given.sigma**2
        eps = given.sigma * (_START - given.alpha * 0.3) / variance
        wanted = s.alpha * (_START - t.sigma * eps) / t.alpha + s.sigma * eps

        def error(kind: PredictionType, label: str = label, wanted: torch.Tensor = wanted) -> float:
            walk = naive.naive(as_network(data, kind), _START, [t, s], label=label)  # pyright: ignore[reportArgumentType]
            return apart(trajectory(walk).states[-1], wanted)

        yield judge(
            f"naive inversion, label {label}, one step",
            f"x_s = alpha_s (x_t - sigma_t e) / alpha_t + sigma_s e,  e = eps(x_t, {'t' if given is t else 's'})",
            source,
            "a Gaussian's eps at the level of the label, for every prediction type",
            max(error(kind) for kind in PREDICTION_TYPES),
            1e-12,
        )


def _direct_inversion() -> Iterator[Check]:
    formula = "x_k = DDIM(x_(k+1), k+1 -> k) + offset_k"
    source = "Ju et al. 2023, arXiv 2310.01506, section 3"
    error, differs = 0.0, 0.0
    for steps in (5, 10, 20, 50):
        up, denoise = stable_diffusion().grid(steps)[::-1], as_network(two_clouds(), "v")
        found = trajectory(direct_inversion.direct_inversion(denoise, _START, up))
        plain = trajectory(naive.naive(denoise, _START, up))
        differs = max(differs, *(apart(a, b) for a, b in zip(found.states, plain.states, strict=True)))
        back = solvers.solve(found.back(), denoise, found.states[-1], up[::-1])
        # at every level, as errors could cancel at the end
        error = max(error, *(apart(state.x, found.at(state.level)) for state in back))
    against = "the states of the inversion, at every level, with 5, 10, 20 and 50 steps from end to end"
    yield judge("direct_inversion round trip", formula, source, against, error, 1e-10)
    yield judge("direct_inversion path", formula, source, "the naive path, state by state", differs, 1e-14)


def _fixed_point() -> Iterator[Check]:
    claim = "x_s such that DDIM(x_s, s -> t) = x_t", "Pan et al. 2023, arXiv 2309.04907, section 3.2"
    tolerance, error, stuck, iterations = 1e-10, 0.0, 0, 0
    for steps in (10, 20, 50):
        up, denoise = stable_diffusion().grid(steps)[::-1], as_network(two_clouds(), "v")
        found = trajectory(fixed_point.fixed_point(denoise, _START, up, tolerance))
        stuck += sum(not report.converged for report in found.convergence)
        iterations = max(iterations, *(report.iterations for report in found.convergence))
        back = solvers.solve(found.back(), denoise, found.states[-1], up[::-1])
        error = max(error, *(apart(state.x, found.at(state.level)) for state in back))
    yield judge(
        "fixed_point round trip",
        *claim,
        "the states of the inversion; every step may be off by its tolerance of 1e-10",
        error,
        1e-8,
        detail=f"at most {iterations} evaluations a step",
    )
    yield judge("fixed_point convergence", *claim, "steps that did not converge", float(stuck), 0.0)


def _two_numbers() -> Iterator[Check]:
    """Measure 20 steps of each inversion between levels with a known exact flow."""
    clouds, up = two_clouds(), path(CLEAN, NOISY, 20)
    denoise, latent = as_network(clouds, "v"), clouds.exact_flow(_START, up[0], up[-1])
    for name, walk in (
        ("naive", naive.naive(denoise, _START, up)),
        ("fixed_point", fixed_point.fixed_point(denoise, _START, up, 1e-10)),
        ("direct_inversion", direct_inversion.direct_inversion(denoise, _START, up)),
    ):
        found = trajectory(walk)
        back = solvers.last(solvers.solve(found.back(), denoise, found.states[-1], up[::-1]))
        for label, error in (("round trip", rms(back - _START)), ("latent", rms(found.states[-1] - latent))):
            yield Check(
                f"{name}, 20 steps, {label}",
                "round trip: RMS of result - start;  latent accuracy: RMS of inverted noise - true noise",
                "two figures: a small round-trip error does not make the latent accurate",
                "the start" if label == "round trip" else "the exact flow's latent",
                error,
                None,
                "measured",
            )
