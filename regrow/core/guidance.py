"""Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, eq. 6), in the convention 1 = off.

    guided = negative + guidance * (positive - negative)

Their w is `guidance - 1`. The mix has weights that sum to 1, so mixing (x0, eps) equals mixing the outputs of
any prediction type.
"""

import torch

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level


def mix(positive: Prediction, negative: Prediction, guidance: float) -> Prediction:
    """`negative + guidance * (positive - negative)`, for the clean sample and the noise alike."""
    return Prediction(torch.lerp(negative.x0, positive.x0, guidance), torch.lerp(negative.eps, positive.eps, guidance))


def classifier_free(pair: Denoiser, guidance: float) -> Denoiser:
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
