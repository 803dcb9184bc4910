"""Where a wish acts: maps whose outline is known, and that what is found depends on nothing but its seed."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by

from regrow.core.denoiser import Prediction
from regrow.core.edit_localization import differences, mean_map, shape_of
from regrow.core.levels import Level

LEVELS = (Level(0.8, 0.6), Level(0.6, 0.8))
X0 = torch.zeros(1, 2, 16, 16)


def bump(*boxes: tuple[int, int, int, int], ground: float = 0.05) -> torch.Tensor:
    maps = torch.full((1, 1, 16, 16), ground)
    for top, bottom, left, right in boxes:
        maps[..., top:bottom, left:right] = 1
    return maps / maps.mean()


def inside(maps: torch.Tensor) -> torch.Tensor:
    return shape_of(maps)[0, 0] > 0


@pytest.mark.parametrize("box", [(4, 10, 5, 12), (0, 16, 0, 9), (6, 9, 6, 9), (1, 15, 1, 15)])
def test_the_outline_of_a_plain_shape(box: tuple[int, int, int, int]) -> None:
    wanted, found = bump(box)[0] > bump(box).min(), inside(bump(box))[None]
    assert (found >= wanted).all()
    assert (found <= (F.max_pool2d(wanted.float(), 3, stride=1, padding=1) > 0)).all(), "a cell around it at most"


def test_islands_go_and_holes_close_but_the_largest_part_stays() -> None:
    maps = bump((3, 12, 3, 12))
    maps[..., 7, 7] = maps.min()
    maps[..., 14, 14] = maps.max()
    found = inside(maps)
    assert found[7, 7]
    assert not found[13:, 13:].any()
    assert inside(bump((7, 9, 7, 9))).any(), "a small wish is no island"


def test_a_wish_that_sees_nothing_else_has_no_shape() -> None:
    assert not inside(torch.zeros(1, 1, 16, 16)).any()


def test_maps_are_those_of_each_wish_and_of_the_seed_alone() -> None:
    where = torch.zeros(2, 1, 16, 16)
    where[0, :, :4], where[1, :, :, 8:] = 1, 1

    def denoise(x_t: torch.Tensor, level: Level) -> Prediction:
        wishes = torch.cat([where, torch.zeros(1, 1, 16, 16)]).repeat_interleave(3, 0)
        return Prediction(x_t * (1 + wishes), x_t)

    runs = [mean_map([d.maps for d in differences(denoise, X0, LEVELS, 2, seed, 3)]) for seed in (1, 1, 2)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert torch.allclose(runs[0].mean((2, 3)), torch.ones(2, 1))
    assert (runs[0][0, 0, 4:] == 0).all()
    assert (runs[0][1, 0, :, :8] == 0).all()
