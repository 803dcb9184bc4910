"""Masks: where a sample may change, and a step that keeps the rest of it on its own path.

A mask is 1 where the sample may change as much as the walk changes it, 0 where it must stay, and a share between of the
walk's last steps. At every level what must stay is put back onto the path that the sample itself has there:

    x_s = where(mask * all steps > steps left after s, x_s, kept at s)

With a mask of 0 and 1 this is DiffEdit's blending (Couairon et al. 2022, arXiv 2210.11427, section 3.2, step 3); with
greys it is Differential Diffusion (Levin & Fried 2023, arXiv 2306.00950, algorithm 1). Mixing x_s by the greys instead
would mix again in every step, so that a half kept next to nothing of the change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.solvers import Step

Mask = Float[Tensor, "m 1 *places"]
Kept = Float[Tensor, "k *rest"]
"""One state for all samples of a batch, or one a sample."""


@dataclass(frozen=True, eq=False)
class Hold:
    """Puts back what must stay, level by level.

    Args:
        mask: in [0, 1]; one for all samples of a batch, or one a sample.
        levels: of the walk, from noisy to clean.
    """

    mask: Mask
    levels: Sequence[Level]

    def __call__(self, changed: Batch, kept: Kept, s: Level) -> Batch:
        """What has arrived at level s, with `kept` wherever the mask does not let go yet.

        Raises:
            ValueError: the walk does not touch this level.
        """
        steps = len(self.levels) - 1
        left = steps - self.levels.index(s)
        # a thousandth of a step, for a grey of 3/10 in float32 is more than 3/10
        return torch.where(self.mask.to(changed) * steps > left + 1e-3, changed, kept)


@dataclass(frozen=True, eq=False)
class Held:
    """A step after which what must stay is put back.

    Args:
        step: the step.
        hold: where.
        kept: the sample's own state at a level, one for all or one a sample.
    """

    step: Step
    hold: Hold
    kept: Callable[[Level], Kept]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        x_s, prediction = self.step(denoise, x_t, t, s)
        return self.hold(x_s, self.kept(s), s), prediction
