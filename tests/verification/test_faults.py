"""Faults planted in `regrow.core`, each of which `verify` must find and name.

The name given is that of the first check that fails; the checks before it pass, so it is the fault that it found.
"""

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from regrow.core import denoiser, guidance, schedules, solvers
from regrow.core.denoiser import Prediction, predict, target
from regrow.core.levels import Level
from regrow.core.methods import naive
from regrow.core.schedules import VariancePreserving
from regrow.core.solvers import DPMpp2M, ddim, solve
from regrow.core.trajectory import Progress, Trajectory
from regrow.verification.formulas import verify

pytestmark = pytest.mark.usefixtures("unchecked")
Plant = pytest.MonkeyPatch


def wrong_sign_in_a_conversion(plant: Plant) -> None:
    plant.setattr(denoiser, "solve_x0", lambda x_t, eps, level: (x_t + level.sigma * eps) / (level.alpha or 1))


def wrong_sign_in_a_target(plant: Plant) -> None:
    def faulty(x0, eps, alpha, sigma, kind):
        return x0 - eps if kind == "flow" else target(x0, eps, alpha, sigma, kind)

    plant.setattr(denoiser, "target", faulty)


def wrong_sign_in_the_ddim_step(plant: Plant) -> None:
    def faulty(denoise, x_t, t, s):
        prediction = denoise(x_t, t)
        return s.alpha * prediction.x0 - s.sigma * prediction.eps, prediction

    plant.setattr(solvers, "ddim", faulty)


def level_k_plus_1_handed_over_as_level_k(plant: Plant) -> None:
    """A widely copied notebook: the latents of one level, the sampler started at the next."""
    plant.setattr(solvers, "solve", lambda step, denoise, x, path: solve(step, denoise, x, path[1:]))


def label_one_too_high(plant: Plant) -> None:
    right = VariancePreserving.label
    plant.setattr(VariancePreserving, "label", lambda self, level: min(right(self, level) + 1, self.labels - 1))


def v_converted_with_the_wrong_alpha(plant: Plant) -> None:
    """diffusers' DDIMInverseScheduler: v is asked for at level s and solved for x0 and eps with those of t."""

    def faulty(denoise, x0, path, step=ddim, label="leaves"):
        if label == "leaves":
            yield from right_naive(denoise, x0, path, step)
            return
        states = [x0]
        for t, s in pairwise(path):
            right = denoise(states[-1], s)
            v = s.alpha * right.eps - s.sigma * right.x0
            states.append(predict(v, states[-1], t, "v").at(s))
        yield Progress(len(path) - 1, len(path) - 1, path[-1], states[-1], Trajectory(tuple(path), tuple(states)))

    right_naive = naive.naive
    plant.setattr(naive, "naive", faulty)


def v_converted_with_a_neighbours_alpha(plant: Plant) -> None:
    def faulty(output, x_t, level, kind):
        if kind == "v":
            alpha = min(1.0, level.alpha + 0.001)
            level = Level(alpha, (1 - alpha**2) ** 0.5)
        return predict(output, x_t, level, kind)

    plant.setattr(denoiser, "predict", faulty)


def ratio_upside_down(plant: Plant) -> None:
    def faulty(self, denoise, x_t, t, s):
        prediction = denoise(x_t, t)
        previous, self._previous = self._previous, (t, prediction)
        if previous is None or 0 in (s.sigma, t.sigma, s.alpha, t.alpha, previous[0].alpha, previous[0].sigma):
            return prediction.at(s), prediction
        lean = (t.log_snr - previous[0].log_snr) / (2 * (s.log_snr - t.log_snr))
        x0 = prediction.x0 + lean * (prediction.x0 - previous[1].x0)
        return s.sigma / t.sigma * (x_t - t.alpha * x0) + s.alpha * x0, prediction

    plant.setattr(DPMpp2M, "__call__", faulty)


def heun_that_only_takes_the_new_slope(plant: Plant) -> None:
    def faulty(denoise, x_t, t, s):
        x_s, prediction = ddim(denoise, x_t, t, s)
        if s.sigma == 0 or s.alpha == 0 or t.alpha == 0:
            return x_s, prediction
        eps = denoise(x_s, s).eps
        return Prediction(denoiser.solve_x0(x_t, eps, t), eps).at(s), prediction

    plant.setattr(solvers, "heun", faulty)


def guidance_0_is_off(plant: Plant) -> None:
    def faulty(positive, negative, weight):
        lerp = torch.lerp
        return Prediction(lerp(negative.x0, positive.x0, 1 + weight), lerp(negative.eps, positive.eps, 1 + weight))

    plant.setattr(guidance, "mix", faulty)


def offsets_added_twice(plant: Plant) -> None:
    right = Trajectory.back

    def faulty(self, step=ddim):
        def twice(denoise, x_t, t, s):
            plain, _ = step(denoise, x_t, t, s)
            x_s, prediction = right(self, step)(denoise, x_t, t, s)
            return 2 * x_s - plain, prediction

        return twice if self.offsets else step

    plant.setattr(Trajectory, "back", faulty)


def whole_number_spacing(plant: Plant) -> None:
    """`1000 // steps`, which ends far from noise for most numbers of steps."""

    def faulty(self, steps, spacing="trailing"):
        labels = [self.labels // steps * k for k in range(steps)][::-1]
        return (*(self.level(label) for label in labels), self.clean)

    plant.setattr(schedules.VariancePreserving, "grid", faulty)


def eta_of_the_wrong_level(plant: Plant) -> None:
    """Fresh noise of the level that the step leaves, not of the one it goes to."""
    right = solvers.StochasticDDIM.__call__

    def faulty(self, denoise, x_t, t, s):
        return right(self, denoise, x_t, Level(min(1.0, t.alpha * 1.05), t.sigma), s)

    plant.setattr(solvers.StochasticDDIM, "__call__", faulty)


FAULTS: list[tuple[Callable[[Plant], None], str]] = [
    (wrong_sign_in_a_conversion, "epsilon conversion"),
    (wrong_sign_in_a_target, "flow conversion"),
    (wrong_sign_in_the_ddim_step, "ddim, one step"),
    (level_k_plus_1_handed_over_as_level_k, "ddim on a single point"),
    (label_one_too_high, "labels and levels"),
    (v_converted_with_the_wrong_alpha, "naive inversion, label arrives, one step"),
    (v_converted_with_a_neighbours_alpha, "v conversion"),
    (ratio_upside_down, "dpmpp_2m, one step"),
    (heun_that_only_takes_the_new_slope, "heun, one step"),
    (guidance_0_is_off, "guidance 1 is off"),
    (offsets_added_twice, "direct_inversion round trip"),
    (whole_number_spacing, "grids reach both ends"),
    (eta_of_the_wrong_level, "ddim with eta = 1, mean"),
]


@pytest.mark.parametrize(("plant", "name"), FAULTS, ids=[plant.__name__ for plant, _ in FAULTS])
def test_verify_finds(plant: Callable[[Plant], None], name: str, monkeypatch: Plant) -> None:
    plant(monkeypatch)
    assert next(check.name for check in verify() if check.state == "fail") == name


def test_a_section_that_breaks_off_is_a_failure(monkeypatch: Plant) -> None:
    def broken(*_):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(guidance, "classifier_free", broken)
    found = next(check for check in verify() if check.state == "fail")
    assert (found.name, found.against) == ("conversions broke off", "ZeroDivisionError: of all things")
