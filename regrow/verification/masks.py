"""Masks and shared attention: what is held, where a wish acts, and what a wish takes over."""

from collections.abc import Iterator

import torch

from regrow.core import solvers
from regrow.core.inversion import anchored, naive
from regrow.core.levels import Flow
from regrow.core.masks import Held, Hold
from regrow.verification.check import Check, apart, judge
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, float64
from regrow.verification.orders import trajectory

_START = torch.linspace(-2, 2, 12).double().reshape(1, 1, 3, 4)
_HERE, _THERE = Gaussian(float64(-0.4), float64(0.6)), Gaussian(float64(0.7), float64(0.6))


def masks() -> Iterator[Check]:
    yield from _held()


def _held() -> Iterator[Check]:
    formula = "x_s = where(mask * all steps > steps left after s, x_s, kept at s)"
    outside = greys = 0.0
    for schedule in (stable_diffusion(), Flow()):
        up = schedule.grid(12)[::-1]
        mask = torch.tensor([0.0, 0.25, 0.5, 1.0]).expand(1, 1, 3, 4)
        for walk in (anchored, naive):
            found = trajectory(walk(_HERE, _START, up))
            step = Held(found.back(), Hold(mask, up[::-1]), found.at)
            states = list(solvers.solve(step, _THERE, found.states[-1], up[::-1]))
            outside = max(outside, *(apart(s.x[..., 0], found.at(s.level)[..., 0]) for s in states))
            for column, steps in ((1, 3), (2, 6), (3, 12)):
                down = up[steps::-1]
                alone = solvers.last(solvers.solve(found.back(), _THERE, found.at(down[0]), down))
                greys = max(greys, apart(states[-1].x[..., column], alone[..., column]))
    paper = "Couairon et al. 2022, arXiv 2210.11427, section 3.2"
    yield judge("mask, black", formula, paper, "the sample's own path, at every level, two schedules", outside, 0.0)
    yield judge(
        "mask, greys",
        formula,
        "Levin & Fried 2023, arXiv 2306.00950, algorithm 1",
        "a walk of the last 1/4, 1/2 and all of the steps alone, for coordinates that do not see each other",
        greys,
        0.0,
    )
