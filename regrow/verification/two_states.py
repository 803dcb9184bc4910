"""Check exact inversions: their round trip, the accuracy of their latents, and their stability under other prompts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from regrow.core import solvers
from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods import belm, edict, reversible
from regrow.core.schedules import Flow
from regrow.core.solvers import Step
from regrow.core.trajectory import Progress, Trajectory
from regrow.verification.check import Check, apart, judge, judge_order, rms
from regrow.verification.forward import stable_diffusion, zero_terminal_snr
from regrow.verification.oracles import GaussianMixture, as_network, float64, level_of, path
from regrow.verification.orders import CLEAN, COUNTS, NOISY, trajectory, two_clouds

_START = torch.linspace(-2, 2, 9).double()[:, None]
_GRIDS = {
    "Stable Diffusion": stable_diffusion().grid,
    "zero terminal SNR": zero_terminal_snr().grid,
    "flow": Flow().grid,
}


@dataclass(frozen=True)
class _Method:
    name: str
    invert: Callable[[Denoiser, Tensor, tuple[Level, ...]], Iterator[Progress]]
    back: Callable[[Trajectory], Step]
    order: int
    formula: str
    source: str


METHODS = (
    _Method(
        "edict",
        edict.edict,
        edict.EdictBack,
        1,
        "x' = move(x_t by pred(y_t)), y' = move(y_t by pred(x')), x_s = p x' + (1 - p) y', y_s = p y' + (1 - p) x_s",
        "Wallace et al. 2022, arXiv 2211.12446, with the velocity eps - x0 in place of eps",
    ),
    _Method(
        "belm",
        belm.belm,
        belm.BelmBack,
        2,
        "z_s = r^2 z_u + (1 - r^2) z_t + (1 + r) (tau_s - tau_t) f(z_t),  r = (tau_s - tau_t) / (tau_t - tau_u)",
        "Wang et al. 2024, arXiv 2410.07273, O-BELM, in x / (alpha + 0.2 sigma)",
    ),
    _Method(
        "reversible",
        reversible.reversible,
        reversible.ReversibleBack,
        1,
        "y_s = k y_t + (1 - k) z_t + h f(z_t, t),  z_s = z_t + h f(y_s, s)",
        "McCallum & Foster 2024, arXiv 2410.11648; k of Blasingame & Liu 2025, arXiv 2502.08834",
    ),
)


def two_states() -> Iterator[Check]:
    for method in METHODS:
        yield _round_trip(method)
        yield from _orders(method)
    yield _quadratic()


def _round_trip(method: _Method) -> Check:
    error, denoise = 0.0, as_network(two_clouds(), "v")
    for grid in _GRIDS.values():
        for steps in (5, 20, 50):
            up = grid(steps)[::-1]
            found = trajectory(method.invert(denoise, _START, up))
            back = solvers.solve(method.back(found), denoise, found.states[-1], up[::-1])
            error = max(error, *(apart(state.x, found.at(state.level)) for state in back))
    against = f"the states of the inversion, at every level; 5, 20 and 50 steps, end to end, of {', '.join(_GRIDS)}"
    return judge(f"{method.name} round trip", method.formula, method.source, against, error, 1e-10)


def _orders(method: _Method) -> Iterator[Check]:
    """Check orders on even steps, as the order of a two-step method needs step lengths that change smoothly."""
    clouds, other = two_clouds(), GaussianMixture(float64(-0.6, 1.5)[:, None], float64(0.6, 0.4), float64(0.7, 0.3))
    there, here = as_network(clouds, "v"), as_network(other, "v")
    latent = clouds.exact_flow(_START, level_of(CLEAN), level_of(NOISY))
    wanted = other.exact_flow(latent, level_of(NOISY), level_of(CLEAN))
    latents, edits = [], {}
    for count in COUNTS:
        up = tuple(level_of(CLEAN + (NOISY - CLEAN) * k / count) for k in range(count + 1))
        found = trajectory(method.invert(there, _START, up))
        latents.append(rms(found.states[-1] - latent))
        if count in (COUNTS[0], COUNTS[-1]):
            edited = solvers.last(solvers.solve(method.back(found), here, found.states[-1], up[::-1]))
            edits[count] = rms(edited - wanted)
    name, formula, source = f"{method.name} inversion", method.formula, method.source
    against = "the exact flow's latent"
    yield judge_order(f"{name}, latent", formula, source, against, COUNTS, latents, method.order)
    against = "two exact flows, up under one distribution and down under another; RMS"
    detail = ", ".join(f"{error:.1e} at {count} steps" for count, error in edits.items())
    yield judge(f"{name}, other words", formula, source, against, edits[COUNTS[-1]], 2e-3, detail)


def _quadratic() -> Check:
    """Check the two-step formula on a path that it must follow exactly: z quadratic in tau, with uneven steps."""
    frame, up = belm.BELM, path(CLEAN, NOISY, 12)

    def at(level: Level) -> Batch:
        tau = frame.time(level)
        return frame.scale(level) * (_START + 0.7 * tau - 0.4 * tau**2)

    def denoise(x_t: Batch, level: Level) -> Prediction:
        velocity = torch.full_like(x_t, 0.7 - 0.8 * frame.time(level))
        x0 = x_t / frame.scale(level) - frame.time(level) * velocity
        return Prediction(x0, velocity + frame.c * x0)

    states = tuple(at(level) for level in up)
    back = belm.BelmBack(Trajectory(up, states))
    walk = list(solvers.solve(back, denoise, states[-1], up[::-1]))
    return judge(
        "belm on a quadratic path",
        "a formula with a local error of the third power follows z(tau) = a + b tau + c tau^2 exactly",
        "Wang et al. 2024, arXiv 2410.07273, the proposition on the optimal coefficients",
        "the path itself, at every level, from two exact states; steps of uneven length",
        max(apart(state.x, at(state.level)) for state in walk),
        1e-10,
    )
