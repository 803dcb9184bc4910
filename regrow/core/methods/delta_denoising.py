"""The sample moved by how target and source differ in the noise that they predict, level by level.

At every level t the sample as it was, x0, and as it is by now, x, are noised by the same draw, and x is moved:

    x <- x - r_t (eps_target(alpha_t x + sigma_t eps) - eps_source(alpha_t x0 + sigma_t eps))

Delta denoising score (Hertz et al. 2023, arXiv 2304.07090, eq. 3 and 4; official DDS_zeroshot.ipynb), which SteerMusic
(Niu et al. 2025, arXiv 2504.10826, eq. 5) takes for music. The gradient of its loss is this difference itself, so
nothing is differentiated, and nothing is inverted. The paper draws t anew for each of 200 steps of one length; here t
falls along the levels of an edit, and a step is as long as the share of noise that it passes:

    r_t = RATE (n_t - n_s),    n = sigma / sqrt(alpha^2 + sigma^2)

so that the total change does not depend on the number of steps. inversion_free noises x0 alone and walks the change
from noise to clean with the path's own steps. Here the edited sample itself is noised and no path is followed: x is
clean at every level, and the change found at one level is evaluated again at the next.

What SteerMusic takes from contrastive denoising (Nam et al. 2024, arXiv 2311.18608) to hold on to the source is not
here: a loss on features inside the network, whose gradients a method that sees predictions alone does not have.
"""

import math
from dataclasses import dataclass

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.noise import derive_seed, noise

RATE = 5.0
"""Steps from pure noise to clean move the sample by this many times the mean difference. The paper's 200 steps move it
by 2.44 (SGD at 0.1 on 2,000 times the mean over 4 x 64 x 64 numbers), with guidance 7.5 where an edit here has 4."""


@dataclass(frozen=True, eq=False)
class DeltaDenoising:
    """A step of the edit. What is walked is the sample as edited so far: clean at every level.

    If target and source predict the same, the sample is returned unchanged.

    Args:
        source: the network under the words that describe the sample; the step's own is the one under the target prompt.
        x0: the sample, shape `1 *rest`, or one per target, `b *rest`.
        seeds: one per target; the noise of a step depends on the seed and the step's level alone.
    """

    source: Denoiser
    x0: Batch
    seeds: tuple[int, ...]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        drawn = [derive_seed(seed, "delta_denoising", f"{t.alpha:.12g} {t.sigma:.12g}") for seed in self.seeds]
        x0, eps = self.x0.expand_as(x_t), noise(x_t.shape[1:], drawn).to(x_t)
        here, there = self.source(Prediction(x0, eps).at(t), t), denoise(Prediction(x_t, eps).at(t), t)
        return x_t - RATE * (_share(t) - _share(s)) * (there.eps - here.eps), there


def _share(level: Level) -> float:
    """Return the share of noise at a level, from 0 to 1 on any schedule."""
    return level.sigma / math.hypot(level.alpha, level.sigma)


METHOD = Method(
    "delta_denoising",
    source=("DDS, Hertz et al. 2023, arXiv 2304.07090, eq. 3", "SteerMusic, Niu et al. 2025, arXiv 2504.10826"),
    no_path="starts from the picture itself",
    start=lambda origin, _: origin.x0,
    step_back=lambda origin: DeltaDenoising(origin.source(), origin.x0, tuple(origin.seeds)),
    stochastic=True,
    returns_source=True,
)
