"""DDPM's noise, found on copies of the sample that are noised independently.

    x_k = alpha_k x0 + sigma_k eps_k     every eps_k drawn on its own
    z_k = (x_k - mean of q(x_k | x_(k+1), x0 of the prediction)) / its standard deviation

Huberman-Spiegelglas et al. 2023, arXiv 2304.06140; official inversion_utils.py. Fed with the z_k, sampling returns to
x0 by construction. They are not standard noise: their variance is above 1 and neighbours are negatively correlated, so
they preserve the sample's layout under another prompt. Here the offset of x_k from the mean is stored instead of z_k,
so that the last step, in which DDPM adds no noise, is exact, too (the official code omits its offset).
"""

from collections.abc import Iterator, Sequence

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.noise import derive_seed, noise
from regrow.core.solvers import extrapolate, posterior_std
from regrow.core.trajectory import Progress, Trajectory


class PosteriorMean:
    """A step to the mean of DDPM's posterior (Ho et al. 2020, arXiv 2006.11239, eq. 7), for any schedule.

    Args:
        multistep: take x0 from the prediction and the one before it, as SDE-DPM-Solver++(2M) does (Lu et al. 2022,
            arXiv 2211.01095); LEDITS++ (Brack et al. 2023, arXiv 2311.16711) inverts with its noise. Remembers a
            prediction, so a fresh step is made for every path.
    """

    def __init__(self, multistep: bool = False) -> None:
        self._multistep = multistep
        self._previous: tuple[Level, Prediction] | None = None

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        prediction = used = denoise(x_t, t)
        if self._multistep:
            x0 = extrapolate(self._previous, prediction, t, s)
            self._previous = (t, prediction)
            if x0 is not None:
                used = Prediction(x0, (x_t - t.alpha * x0) / t.sigma)
        kept = (s.sigma**2 - posterior_std(t, s) ** 2) ** 0.5
        return s.alpha * used.x0 + kept * used.eps, prediction


def edit_friendly(
    denoise: Denoiser, x0: Batch, levels: Sequence[Level], seeds: Sequence[int], multistep: bool = False
) -> Iterator[Progress]:
    """Draw the copies and find what leads from each to the next; walk back with `Trajectory.back(PosteriorMean())`.

    Args:
        denoise: the network.
        x0: clean batch, shape `b *rest`.
        levels: from clean to noisy.
        seeds: one per sample; the noise of a copy depends on the sample's seed and the copy's level alone.
        multistep: of `PosteriorMean`. The path then depends on where it starts, for the first step has no prediction
            before it.
    """
    steps = len(levels) - 1
    states, predictions = [x0], {}
    for index, level in enumerate(levels):
        if index:
            drawn = [derive_seed(seed, "edit_friendly", f"{level.alpha:.12g} {level.sigma:.12g}") for seed in seeds]
            states.append(Prediction(x0, noise(x0.shape[1:], drawn).to(x0)).at(level))
            with torch.no_grad():
                predictions[level] = denoise(states[-1], level)
        if index < steps:
            yield Progress(index, steps, level, states[-1])

    def recall(x_t: Batch, level: Level) -> Prediction:
        return predictions[level]

    step, offsets = PosteriorMean(multistep), []
    for index in range(steps - 1, -1, -1):
        mean, _ = step(recall, states[index + 1], levels[index + 1], levels[index])
        offsets.append(states[index] - mean)
    trajectory = Trajectory(tuple(levels), tuple(states), tuple(offsets[::-1]))
    yield Progress(steps, steps, levels[-1], states[-1], trajectory)


METHOD = Method(
    "edit_friendly",
    source=("Huberman-Spiegelglas et al. 2023, arXiv 2304.06140", "official inversion_utils.py"),
    path="edit_friendly",
    invert=lambda denoise, x0, levels, settings: edit_friendly(denoise, x0, levels, settings.seeds),
    step_back=lambda origin: origin.path.back(PosteriorMean()),
    allows_attention=True,
    seed_in_key=True,
    needs_no_path=True,
    returns_source=True,
)
