"""Holding a part of a sample on its path, on distributions whose every prediction is known."""

import math

import pytest
import torch

from regrow.core.levels import Level
from regrow.core.masks import Held, Hold
from regrow.core.methods.direct_inversion import direct_inversion
from regrow.core.methods.edict import EdictBack, edict
from regrow.core.methods.naive import naive
from regrow.core.methods.reversible import ReversibleBack, reversible
from regrow.core.solvers import ddim, solve
from regrow.verification.forward import stable_diffusion
from regrow.verification.oracles import Gaussian, float64
from regrow.verification.orders import trajectory

X0 = torch.linspace(-1, 1, 12).double().reshape(1, 1, 3, 4)
UP = stable_diffusion().grid(10)[::-1]
HERE, THERE = Gaussian(float64(-0.3), float64(0.5)), Gaussian(float64(0.9), float64(0.5))


def test_what_is_held_is_on_the_path_and_what_is_free_goes_its_way() -> None:
    found = trajectory(direct_inversion(HERE, X0, UP))
    mask = torch.zeros(1, 1, 3, 4)
    mask[..., 2:] = 1
    held = Held(found.back(), Hold(mask, UP[::-1]), found.at)
    free = list(solve(found.back(), THERE, found.states[-1], UP[::-1]))
    for state, alone in zip(solve(held, THERE, found.states[-1], UP[::-1]), free, strict=True):
        assert torch.equal(state.x[..., :2], found.at(state.level)[..., :2])
        assert torch.equal(state.x[..., 2:], alone.x[..., 2:])


@pytest.mark.parametrize("steps_back", [1, 4, 10])
def test_a_grey_is_the_share_of_the_last_steps_that_change_it(steps_back: int) -> None:
    """For coordinates that do not see each other, a grey g is a walk of its last g * steps steps."""
    found = trajectory(naive(HERE, X0, UP))
    down = UP[steps_back::-1]
    for free in range(steps_back + 1):
        mask = torch.full((1, 1, 3, 4), free / steps_back)
        held = Held(ddim, Hold(mask, down), found.at)
        *_, whole = solve(held, THERE, found.at(down[0]), down)
        if not free:
            assert torch.equal(whole.x, X0)
            continue
        *_, short = solve(ddim, THERE, found.at(UP[free]), UP[free::-1])
        assert torch.equal(whole.x, short.x)


def test_masks_of_several_wishes_and_one_mask_for_all() -> None:
    found = trajectory(direct_inversion(HERE, X0, UP))
    masks = torch.stack([torch.zeros(1, 3, 4), torch.ones(1, 3, 4)])
    start = found.states[-1].expand(2, -1, -1, -1)
    *_, both = solve(Held(found.back(), Hold(masks, UP[::-1]), found.at), THERE, start, UP[::-1])
    *_, free = solve(found.back(), THERE, found.states[-1], UP[::-1])
    assert torch.equal(both.x[:1], X0)
    assert torch.equal(both.x[1:], free.x)
    *_, none = solve(Held(found.back(), Hold(masks[:1], UP[::-1]), found.at), THERE, start, UP[::-1])
    assert torch.equal(none.x, X0.expand(2, -1, -1, -1))


@pytest.mark.parametrize(("invert", "back"), [(edict, EdictBack), (reversible, ReversibleBack)])
def test_the_second_of_two_coupled_states_is_held_too(invert, back) -> None:
    """Where all is held, the network is asked at the path's own two states alone, whatever its words."""
    found = trajectory(invert(HERE, X0, UP))
    own = {round(float(x.sum()), 9) for x in (*found.states, *found.partners)}
    asked = []

    def watched(x_t, level):
        asked.append(round(float(x_t.sum()), 9))
        return THERE(x_t, level)

    hold = Hold(torch.zeros(1, 1, 3, 4), UP[::-1])
    *_, end = solve(Held(back(found, hold), hold, found.at), watched, found.states[-1], UP[::-1])
    assert torch.equal(end.x, X0)
    starts = [x for x in asked if any(math.isclose(x, y, abs_tol=1e-8) for y in own)]
    assert len(starts) >= len(asked) // 2


def test_a_level_off_the_walk() -> None:
    with pytest.raises(ValueError, match="not in"):
        Hold(torch.ones(1, 1, 3, 4), UP)(X0, X0, Level(0.5, 0.5))
