"""Faults planted in masks and shared attention, each of which its part of `verify` must find and name."""

from collections.abc import Callable

import pytest
import torch

from regrow.core import attention, masks
from regrow.verification import masks as section

pytestmark = pytest.mark.usefixtures("unchecked")
Plant = pytest.MonkeyPatch


def greys_let_go_a_step_too_early(plant: Plant) -> None:
    def faulty(self, changed, kept, s):
        steps = len(self.levels) - 1
        left = steps - self.levels.index(s) - 1
        return torch.where(self.mask.to(changed) * steps > left + 1e-3, changed, kept)

    plant.setattr(masks.Hold, "__call__", faulty)


def mixed_by_the_greys(plant: Plant) -> None:
    """A mask that weighs x_s in every step."""

    def faulty(self, changed, kept, s):
        return kept + self.mask.to(changed) * (changed - kept)

    plant.setattr(masks.Hold, "__call__", faulty)


def kept_from_another_level(plant: Plant) -> None:
    right = masks.Held.__call__

    def faulty(self, denoise, x_t, t, s):
        return right(masks.Held(self.step, self.hold, lambda _: self.kept(t)), denoise, x_t, t, s)

    plant.setattr(masks.Held, "__call__", faulty)


def levels_not_brought_to_one_scale(plant: Plant) -> None:
    plant.setattr(section, "mean_map", lambda maps: torch.stack(maps).mean(0))


def each_wish_on_noise_of_its_own(plant: Plant) -> None:
    """The source asked about other copies than the wishes."""
    right = torch.Tensor.repeat
    plant.setattr(
        torch.Tensor, "repeat", lambda x, *n: right(x, *n) + 0.1 * torch.arange(len(right(x, *n)))[:, None, None, None]
    )


def own_and_taken_exchanged(plant: Plant) -> None:
    right = attention.take_over

    def faulty(source, wish, alignment):
        return right(source, wish, attention.Alignment(alignment.taken, 1 - alignment.own, alignment.factors))

    plant.setattr(section, "take_over", faulty)


def words_for_one_each_take_all_of_it(plant: Plant) -> None:
    right = attention.align

    def faulty(*args):
        found = right(*args)
        return attention.Alignment((found.taken > 0).double(), found.own, found.factors)

    plant.setattr(section, "align", faulty)


FAULTS: list[tuple[Callable[[Plant], None], str]] = [
    (kept_from_another_level, "mask, black"),
    (greys_let_go_a_step_too_early, "mask, black"),
    (mixed_by_the_greys, "mask, greys"),
    (levels_not_brought_to_one_scale, "mask, where a target acts"),
    (each_wish_on_noise_of_its_own, "mask, where a target acts"),
    (own_and_taken_exchanged, "p2p, maps of words"),
    (words_for_one_each_take_all_of_it, "p2p, maps of words"),
]


@pytest.mark.parametrize(("plant", "name"), FAULTS, ids=[plant.__name__ for plant, _ in FAULTS])
def test_its_section_finds(plant: Callable[[Plant], None], name: str, monkeypatch: Plant) -> None:
    plant(monkeypatch)
    assert next(check.name for check in section.masks() if check.state == "fail") == name


def test_without_a_fault_all_pass() -> None:
    assert [check.state for check in section.masks()] == ["pass"] * 4
