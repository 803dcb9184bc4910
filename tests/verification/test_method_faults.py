"""Faults planted in the inversion and editing methods, each of which their part of `verify` must find and name."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

from regrow.core.flow_coordinates import FlowCoordinates
from regrow.core.levels import Level
from regrow.core.methods import (
    belm,
    delta_denoising,
    edict,
    edit_friendly,
    inversion_free,
    naive,
    null_text,
    reversible,
)
from regrow.verification import orders as orders_of
from regrow.verification.check import Check
from regrow.verification.editing import editing
from regrow.verification.noise_maps import noise_maps
from regrow.verification.two_states import two_states

pytestmark = pytest.mark.usefixtures("unchecked")
Plant = pytest.MonkeyPatch


def mixed_with_another_weight(plant: Plant) -> None:
    """Another weight on the way back than on the way there, as a fixed one on a part of a path would be."""
    right = edict.EdictBack.__call__

    def faulty(self, denoise, x_t, t, s):
        with pytest.MonkeyPatch.context() as other:
            other.setattr(edict, "MIX", 0.92)
            return right(self, denoise, x_t, t, s)

    plant.setattr(edict.EdictBack, "__call__", faulty)


def partner_forgotten(plant: Plant) -> None:
    """The second state of EDICT taken for a copy of the first."""
    right = edict.EdictBack.__init__

    def faulty(self, trajectory):
        right(self, replace(trajectory, partners=trajectory.states))

    plant.setattr(edict.EdictBack, "__init__", faulty)


def ratio_upside_down(plant: Plant) -> None:

    def faulty(x_u, x_t, prediction, levels):
        u, t, s = levels
        step = belm.BELM.time(s) - belm.BELM.time(t)
        ratio = (belm.BELM.time(t) - belm.BELM.time(u)) / step
        z = x_u / belm.BELM.scale(u) / ratio**2 + (1 - ratio**-2) * x_t / belm.BELM.scale(t)
        return belm.BELM.scale(s) * (z + (1 + ratio) * step * belm.BELM.velocity(prediction))

    plant.setattr(belm, "_two_step", faulty)


def started_again_by_a_plain_step(plant: Plant) -> None:
    """BELM's second state made by a DDIM step instead of taken from the inverted path."""

    def faulty(self, denoise, x_t, t, s):
        index = self._trajectory.interval(t, s)
        before, self._before = self._before, x_t
        prediction = denoise(x_t, t)
        if before is None:
            return prediction.at(s), prediction
        return belm._two_step(before, x_t, prediction, self._trajectory.levels[index : index + 3][::-1]), prediction

    plant.setattr(belm.BelmBack, "__call__", faulty)


def second_state_at_the_wrong_level(plant: Plant) -> None:
    """The second state of the reversible step asked under the level that the step leaves."""

    def faulty(self, denoise, x_t, t, s):
        index = self._trajectory.interval(t, s)
        y_t = self._trajectory.partners[index + 1].expand_as(x_t) if self._y is None else self._y
        prediction = denoise(x_t, t)
        self._y = reversible.FLOW.move(reversible.COUPLING * y_t + (1 - reversible.COUPLING) * x_t, t, s, prediction)
        return reversible.FLOW.move(x_t, t, s, denoise(self._y, t)), prediction

    plant.setattr(reversible.ReversibleBack, "__call__", faulty)


def velocity_of_other_coordinates(plant: Plant) -> None:
    plant.setattr(FlowCoordinates, "velocity", lambda self, prediction: prediction.eps - prediction.x0)


def offsets_of_neighbouring_noise(plant: Plant) -> None:
    """Copies noised with one and the same noise, as DDIM inversion nearly does: a path, not edit-friendly copies."""
    plant.setattr(edit_friendly, "derive_seed", lambda seed, *_: seed)


def mean_without_the_kept_noise(plant: Plant) -> None:
    def faulty(self, denoise, x_t, t, s):
        prediction = denoise(x_t, t)
        return s.alpha * prediction.x0, prediction

    plant.setattr(edit_friendly.PosteriorMean, "__call__", faulty)


def extrapolated_by_a_whole_step(plant: Plant) -> None:
    def faulty(previous, prediction, t, s):
        lean = (s.log_snr - t.log_snr) / (t.log_snr - previous[0].log_snr) if previous else 0
        return prediction.x0 + lean * (prediction.x0 - previous[1].x0) if previous else None

    plant.setattr(edit_friendly, "extrapolate", faulty)


def change_forgotten(plant: Plant) -> None:
    """The target evaluated at the plain noisy copy, without the change found so far."""
    right = inversion_free.InversionFree.__call__
    plant.setattr(
        inversion_free.InversionFree,
        "__call__",
        lambda self, denoise, x_t, t, s: right(self, denoise, self.x0.expand_as(x_t), t, s),
    )


def change_of_the_wrong_level(plant: Plant) -> None:
    right = inversion_free.InversionFree.__call__

    def faulty(self, denoise, x_t, t, s):
        later = Level(min(1.0, s.alpha * 1.1), s.sigma)
        return right(self, denoise, x_t, t, later)

    plant.setattr(inversion_free.InversionFree, "__call__", faulty)


def edit_never_noised_again(plant: Plant) -> None:
    """The target evaluated at the source's noisy copy, so that nothing ever ends the change."""
    right = delta_denoising.DeltaDenoising.__call__

    def faulty(self, denoise, x_t, t, s):
        x_s, prediction = right(self, denoise, self.x0.expand_as(x_t), t, s)
        return x_t + (x_s - self.x0.expand_as(x_t)), prediction

    plant.setattr(delta_denoising.DeltaDenoising, "__call__", faulty)


def shares_of_a_variance_preserving_path(plant: Plant) -> None:
    plant.setattr(delta_denoising, "_share", lambda level: level.sigma)


def weights_of_the_signed_difference(plant: Plant) -> None:
    """UniEdit-Flow's own scheduler for diffusers leaves out the absolute value that its code for FLUX takes."""
    plant.setattr(torch.Tensor, "abs", lambda self: self)


def words_never_tuned(plant: Plant) -> None:
    plant.setattr(null_text, "RATE", 0.0)


def velocity_never_corrected(plant: Plant) -> None:
    """Uni-Inv without its corrector is the naive path."""
    plant.setattr(orders_of, "uni_inv", naive.naive)


FAULTS: list[tuple[Callable[[], Iterator[Check]], Callable[[Plant], None], str]] = [
    (two_states, mixed_with_another_weight, "edict round trip"),
    (two_states, partner_forgotten, "edict round trip"),
    (two_states, started_again_by_a_plain_step, "belm round trip"),
    (two_states, ratio_upside_down, "belm round trip"),
    (two_states, velocity_of_other_coordinates, "belm inversion, latent"),
    (two_states, second_state_at_the_wrong_level, "reversible round trip"),
    (noise_maps, offsets_of_neighbouring_noise, "edit_friendly noise maps"),
    (noise_maps, mean_without_the_kept_noise, "edit_friendly noise maps"),
    (noise_maps, extrapolated_by_a_whole_step, "edit_friendly_2m mean"),
    (editing, weights_of_the_signed_difference, "uni_edit guidance"),
    (editing, words_never_tuned, "null_text way back"),
    (editing, change_of_the_wrong_level, "inversion_free, equal widths, variance-preserving"),
    (editing, change_forgotten, "inversion_free, equal widths, variance-preserving"),
    (editing, edit_never_noised_again, "delta_denoising, equal widths, variance-preserving"),
    (editing, shares_of_a_variance_preserving_path, "delta_denoising, equal widths, flow"),
    (orders_of._inversions, velocity_never_corrected, "uni_inv inversion, round trip"),
]


@pytest.mark.parametrize(("section", "plant", "name"), FAULTS, ids=[plant.__name__ for _, plant, _ in FAULTS])
def test_its_section_finds(
    section: Callable[[], Iterator[Check]], plant: Callable[[Plant], None], name: str, monkeypatch: Plant
) -> None:
    plant(monkeypatch)
    assert next(check.name for check in section() if check.state == "fail") == name
