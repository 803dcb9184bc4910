"""Check masks and shared attention."""

from collections.abc import Iterator

import torch

from regrow.core import solvers
from regrow.core.attention import align, take_over
from regrow.core.denoiser import Batch, Prediction
from regrow.core.edit_localization import differences, mean_map
from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.methods.naive import naive
from regrow.core.noise import noise
from regrow.core.schedules import Flow
from regrow.verification.check import Check, apart, judge
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, float64, level_of
from regrow.verification.orders import trajectory

_START = torch.linspace(-2, 2, 12).double().reshape(1, 1, 3, 4)
_HERE, _THERE = Gaussian(float64(-0.4), float64(0.6)), Gaussian(float64(0.7), float64(0.6))


def masks() -> Iterator[Check]:
    yield from _held()
    yield _difference()
    yield _taken_over()


def _held() -> Iterator[Check]:
    formula = "x_s = where(mask * all steps > steps left after s, x_s, kept at s)"
    outside = greys = 0.0
    for schedule in (stable_diffusion(), Flow()):
        up = schedule.grid(12)[::-1]
        mask = torch.tensor([0.0, 0.25, 0.5, 1.0]).expand(1, 1, 3, 4)
        for walk in (direct_inversion, naive):
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
        "sampling only the last 1/4, 1/2 and all of the steps, for independent coordinates",
        greys,
        0.0,
    )


def _difference() -> Check:
    """Check the mask for Gaussian data whose two means differ in each cell, whatever the noise.

    E[x0 | x_t] of the two differs by `(mean_target - mean_source) sigma^2 / (alpha^2 std^2 + sigma^2)`: the same
    fraction of the means' distance in every cell, so a level's map is that distance divided by its average.
    """
    std, apart_by = float64(0.6), torch.linspace(0.1, 2, 12).double().reshape(1, 1, 3, 4)
    far, near = Gaussian(-0.4 + apart_by, std), Gaussian(float64(-0.4), std)

    def both(x_t: Batch, level: Level) -> Prediction:
        (a, b), (c, d) = ((p.x0, p.eps) for p in (far(x_t[:3], level), near(x_t[3:], level)))
        return Prediction(torch.cat([a, c]), torch.cat([b, d]))

    levels = [level_of(log_snr, flow) for log_snr in (0.5, -2.0) for flow in (False, True)]
    found = mean_map([each.maps for each in differences(both, _START, levels, 1, 5, 3)])
    return judge(
        "mask, where a target acts",
        "map = mean over levels of |E x0(target) - E x0(source)| / its own mean, over the same noises",
        "Couairon et al. 2022, arXiv 2210.11427, section 3.2, step 1, with several levels",
        "the distance of the means over its average, for normal source and target; four levels of two schedules",
        apart(found, apart_by / apart_by.mean()),
        1e-12,
    )


def _taken_over() -> Check:
    """Check the attention maps of "a cat on a beach" -> "a very large dog on a beach" token by token."""
    source, target = (
        [start, *words, *[9] * (9 - len(words))] for start, words in ((8, (1, 2, 3)), (8, (1, 6, 7, 5, 3)))
    )
    maps = noise((2, 4, 10), [1, 2], torch.float64).softmax(-1)
    alignment = align(source, [target], 9, [{4: 2.5}])
    found = take_over(maps[:1], maps[1:], alignment)[0]
    here, own = maps
    # 1 -> 1; 2 -> 6, 7, 5, a third each; 3 -> 3; end tokens in order
    of = {0: here[..., 0], 1: here[..., 1], **dict.fromkeys((2, 3, 4), here[..., 2] / 3), 5: here[..., 3]}
    of |= {j: here[..., j - 2] for j in (6, 7, 8, 9)}
    whole = sum(of.values())
    of[4] = 2.5 * of[4]
    error = max(apart(found[..., j], wanted / whole) for j, wanted in of.items())
    added = align(source, [[8, 1, 2, 7, 3, *[9] * 5]], 9)
    kept = take_over(maps[:1], maps[1:], added)[0]
    # token 7 keeps its own map; the source's last padding token has no counterpart in the target
    whole = 1 - here[..., 9] + own[..., 3]
    error = max(error, apart(kept[..., 3], own[..., 3] / whole), apart(kept[..., 4], here[..., 3] / whole))
    return judge(
        "p2p, maps of words",
        "replace: M*_j = M_i shared out; refine: M*_j = M_A(j), or its own where only the target has j; rows to a sum "
        "of 1; reweight: c M*_j",
        "Hertz et al. 2022, arXiv 2208.01626, section 3.2",
        "all three computed token by token: one word replaced by three, one added, one reweighted by 2.5",
        error,
        1e-14,
    )
