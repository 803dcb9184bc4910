"""The difference of what source and target predict on noisy copies, followed from noise to clean.

At every level the sample gets fresh noise, and the change so far is added to the copy:

    copy = alpha_t x0 + sigma_t eps
    change_s = alpha_s dx0 + sigma_s deps,    (dx0, deps) = target's prediction at copy + change_t - source's at copy

FlowEdit (Kulikov et al. 2024, arXiv 2412.08629; official FlowEdit_utils.py) for flow matching, where this is its Euler
step `change + (tau_s - tau_t)(v_target - v_source)`. Written by the predictions the same line holds on every schedule:
(x0, eps) of the two always differ by what makes up the change, so the step is DDIM's of the difference.
"""

from dataclasses import dataclass

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.methods.method import Method
from regrow.core.noise import derive_seed, noise


@dataclass(frozen=True, eq=False)
class InversionFree:
    """A step of the edit. What is walked is the sample with the change found so far: clean at every level.

    If target and source predict the same, the change stays 0 and the sample is returned unchanged.

    Args:
        source: the network under the words that describe the sample; the step's own is the one under the target prompt.
        x0: the sample, shape `1 *rest`, or one per target, `b *rest`.
        seeds: one per target; the noise of a step depends on the seed and the step's level alone.
    """

    source: Denoiser
    x0: Batch
    seeds: tuple[int, ...]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction]:
        drawn = [derive_seed(seed, "inversion_free", f"{t.alpha:.12g} {t.sigma:.12g}") for seed in self.seeds]
        x0 = self.x0.expand_as(x_t)
        copy = Prediction(x0, noise(x_t.shape[1:], drawn).to(x_t)).at(t)
        here, there = self.source(copy, t), denoise(copy + (x_t - x0), t)
        change = Prediction(there.x0 - here.x0, there.eps - here.eps).at(s)
        return x0 + change, there


METHOD = Method(
    "inversion_free",
    source=("FlowEdit, Kulikov et al. 2024, arXiv 2412.08629", "official FlowEdit_utils.py"),
    no_path="starts from the picture itself",
    start=lambda origin, _: origin.x0,
    step_back=lambda origin: InversionFree(origin.source(), origin.x0, tuple(origin.seeds)),
    stochastic=True,
    returns_source=True,
)
