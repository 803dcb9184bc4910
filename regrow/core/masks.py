"""Masks: where a sample may change, and a step that keeps the rest of it on its own path.

A mask is 1 where the sample may change in every step and 0 where it must stay; a value between them is the fraction of
the last steps in which it may change. At every level, what must stay is reset to the sample's own path:

    x_s = where(mask * all steps > steps left after s, x_s, kept at s)

With a mask of 0 and 1 this is DiffEdit's blending (Couairon et al. 2022, arXiv 2210.11427, section 3.2, step 3); with
greys it is Differential Diffusion (Levin & Fried 2023, arXiv 2306.00950, algorithm 1). Blending x_s by the grey values
instead would blend again in every step, and a value of a half would lose almost all of the change.
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
"""One state for all samples of a batch, or one per sample."""


@dataclass(frozen=True, eq=False)
class Hold:
    """Resets what must stay, at every level.

    Args:
        mask: in [0, 1]; one for all samples of a batch, or one per sample.
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
    """A solver's step, after which what must stay is reset.

    Args:
        step: the step.
        hold: where.
        kept: the sample's own state at a level, one for all or one per sample.
    """

    step: Step
    hold: Hold
    kept: Callable[[Level], Kept]

    def __call__(self, denoise: Denoiser, x_t: Batch, t: Level, s: Level) -> tuple[Batch, Prediction | None]:
        x_s, prediction = self.step(denoise, x_t, t, s)
        return self.hold(x_s, self.kept(s), s), prediction
