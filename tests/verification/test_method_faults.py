"""Faults planted in the inversion and editing methods, each of which their part of `verify` must find and name."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from regrow.core import exact
from regrow.core.straight import Straight
from regrow.verification.check import Check
from regrow.verification.two_states import two_states

pytestmark = pytest.mark.usefixtures("unchecked")
Plant = pytest.MonkeyPatch


def mixed_with_another_weight(plant: Plant) -> None:
    """Another weight on the way back than on the way there, as a fixed one on a part of a path would be."""
    right = exact.EdictBack.__call__

    def faulty(self, denoise, x_t, t, s):
        with pytest.MonkeyPatch.context() as other:
            other.setattr(exact, "MIX", 0.92)
            return right(self, denoise, x_t, t, s)

    plant.setattr(exact.EdictBack, "__call__", faulty)


def partner_forgotten(plant: Plant) -> None:
    """The second state of EDICT taken for a copy of the first."""
    right = exact.EdictBack.__init__

    def faulty(self, trajectory):
        right(self, replace(trajectory, partners=trajectory.states))

    plant.setattr(exact.EdictBack, "__init__", faulty)


def ratio_upside_down(plant: Plant) -> None:

    def faulty(x_u, x_t, prediction, levels):
        u, t, s = levels
        step = exact.BELM.time(s) - exact.BELM.time(t)
        ratio = (exact.BELM.time(t) - exact.BELM.time(u)) / step
        z = x_u / exact.BELM.scale(u) / ratio**2 + (1 - ratio**-2) * x_t / exact.BELM.scale(t)
        return exact.BELM.scale(s) * (z + (1 + ratio) * step * exact.BELM.velocity(prediction))

    plant.setattr(exact, "_two_step", faulty)


def started_again_by_a_plain_step(plant: Plant) -> None:
    """BELM's second state made by a DDIM step instead of taken from the inverted path."""

    def faulty(self, denoise, x_t, t, s):
        index = self._trajectory.interval(t, s)
        before, self._before = self._before, x_t
        prediction = denoise(x_t, t)
        if before is None:
            return prediction.at(s), prediction
        return exact._two_step(before, x_t, prediction, self._trajectory.levels[index : index + 3][::-1]), prediction

    plant.setattr(exact.BelmBack, "__call__", faulty)


def second_state_at_the_wrong_level(plant: Plant) -> None:
    """The second state of the reversible step asked under the level that the step leaves."""

    def faulty(self, denoise, x_t, t, s):
        index = self._trajectory.interval(t, s)
        y_t = self._trajectory.partners[index + 1].expand_as(x_t) if self._y is None else self._y
        prediction = denoise(x_t, t)
        self._y = exact.FLOW.move(exact.COUPLING * y_t + (1 - exact.COUPLING) * x_t, t, s, prediction)
        return exact.FLOW.move(x_t, t, s, denoise(self._y, t)), prediction

    plant.setattr(exact.ReversibleBack, "__call__", faulty)


def velocity_of_other_coordinates(plant: Plant) -> None:
    plant.setattr(Straight, "velocity", lambda self, prediction: prediction.eps - prediction.x0)


FAULTS: list[tuple[Callable[[], Iterator[Check]], Callable[[Plant], None], str]] = [
    (two_states, mixed_with_another_weight, "edict round trip"),
    (two_states, partner_forgotten, "edict round trip"),
    (two_states, started_again_by_a_plain_step, "belm round trip"),
    (two_states, ratio_upside_down, "belm round trip"),
    (two_states, velocity_of_other_coordinates, "belm inversion, latent"),
    (two_states, second_state_at_the_wrong_level, "reversible round trip"),
]


@pytest.mark.parametrize(("section", "plant", "name"), FAULTS, ids=[plant.__name__ for _, plant, _ in FAULTS])
def test_its_section_finds(
    section: Callable[[], Iterator[Check]], plant: Callable[[Plant], None], name: str, monkeypatch: Plant
) -> None:
    plant(monkeypatch)
    assert next(check.name for check in section() if check.state == "fail") == name
