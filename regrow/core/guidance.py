"""Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, eq. 6), in the convention 1 = off.

    guided = negative + guidance * (positive - negative)

Their w is `guidance - 1`. The mix has weights that sum to 1, so mixing (x0, eps) equals mixing the outputs of
any prediction type.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction
from regrow.core.levels import Level

Guidance = float | Float[Tensor, "b *ones"]
"""One for all samples, or one a sample in a shape that broadcasts."""


def mix(positive: Prediction, negative: Prediction, guidance: Guidance) -> Prediction:
    """`negative + guidance * (positive - negative)`, for the clean sample and the noise alike."""
    return Prediction(torch.lerp(negative.x0, positive.x0, guidance), torch.lerp(negative.eps, positive.eps, guidance))


def classifier_free(pair: Denoiser, guidance: Guidance) -> Denoiser:
    """Guide a denoiser that answers for both prompts at once.

    Args:
        pair: a denoiser of batches `2b *rest` whose first half is conditioned on the positive prompts and whose
            second half on the negative ones. One call of a doubled batch is cheaper than two calls.
        guidance: 1 returns the positive prediction itself, larger values exaggerate it.

    Returns:
        A denoiser of batches `b *rest`. It counts as two evaluations a call.
    """

    def guided(x_t: Batch, level: Level) -> Prediction:
        both = pair(torch.cat([x_t, x_t]), level)
        (x0, negative_x0), (eps, negative_eps) = both.x0.chunk(2), both.eps.chunk(2)
        return mix(Prediction(x0, eps), Prediction(negative_x0, negative_eps), guidance)

    return guided


class GuidanceInterval:
    """Guidance while there is much noise, and none after it (Kynkäänniemi et al. 2024, arXiv 2404.07724).

    Where little noise is left, what the words decide is decided; guidance there costs a second evaluation and moves
    what was to be kept.

    Args:
        guided: the denoiser with guidance.
        plain: the same without.
        until: the cleanest level with guidance; None where there is none at all.
    """

    def __init__(self, guided: Counted, plain: Counted, until: Level | None) -> None:
        self._guided, self._plain, self._until = guided, plain, until

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        noisy = self._until is not None and level.log_snr <= self._until.log_snr
        return (self._guided if noisy else self._plain)(x_t, level)

    @property
    def evaluations(self) -> int:
        """Network calls for one sample of the batch so far."""
        return self._guided.evaluations + self._plain.evaluations


def limit_of(levels: Sequence[Level], share: float) -> Level | None:
    """The cleanest level with guidance, where it is on for a share of the steps of a walk, the noisiest.

    Args:
        levels: of the walk, from noisy to clean.
        share: of its steps, 0 to 1, rounded up.
    """
    count = math.ceil(share * (len(levels) - 1) - 1e-9)  # 0.56 of 25 is 14.000000000000002
    return levels[count - 1] if count else None


def region_weighted(pair: Denoiser, guidance: Guidance) -> Denoiser:
    """Guidance that is stronger where the two prompts disagree (Uni-Edit, Jiao et al. 2025, arXiv 2504.13109).

        v = m v_target + (1 - m) v_source + omega (1 + m) (v_target - v_source),    omega = guidance - 1

    m in [0, 1] is the absolute difference of the two velocities `eps - x0`, averaged over channels and stretched over
    each sample (official `edit_uniedit`). So v is guided away from the source by `m + omega (1 + m)`: by
    `guidance - 1` where nothing differs, and by `2 guidance - 1` where most does.

    Args:
        pair: as of `classifier_free`: targets in the first half of the batch `2b c *places`, sources in the second.
        guidance: 1 leaves the fusion of the two velocities alone.

    Returns:
        A denoiser of batches `b c *places`. It counts as two evaluations a call.
    """

    def guided(x_t: Batch, level: Level) -> Prediction:
        both = pair(torch.cat([x_t, x_t]), level)
        (x0, source_x0), (eps, source_eps) = both.x0.chunk(2), both.eps.chunk(2)
        apart = ((eps - x0) - (source_eps - source_x0)).abs().mean(dim=1, keepdim=True)
        places = tuple(range(1, apart.ndim))
        low, high = apart.amin(places, keepdim=True), apart.amax(places, keepdim=True)
        m = (apart - low) / (high - low).clamp_min(torch.finfo(apart.dtype).tiny)  # all 0 where nothing differs
        weight = m + (guidance - 1) * (1 + m)
        return Prediction(source_x0 + weight * (x0 - source_x0), source_eps + weight * (eps - source_eps))

    return guided
