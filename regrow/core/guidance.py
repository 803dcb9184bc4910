"""Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, eq. 6), in the convention 1 = off.

    guided = negative + guidance * (positive - negative)

Their w is `guidance - 1`. The mix has weights that sum to 1, so mixing (x0, eps) equals mixing the outputs of
any prediction type.
"""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Counted, Denoiser, Prediction, predict
from regrow.core.levels import Level

Guidance = float | Float[Tensor, "b *ones"]
"""One for all samples, or one a sample in a shape that broadcasts."""


def mix(positive: Prediction, negative: Prediction, guidance: Guidance) -> Prediction:
    """Return `negative + guidance * (positive - negative)`, for the clean sample and the noise alike."""
    return Prediction(torch.lerp(negative.x0, positive.x0, guidance), torch.lerp(negative.eps, positive.eps, guidance))


def classifier_free(pair: Denoiser, guidance: Guidance) -> Denoiser:
    """Apply classifier-free guidance to a denoiser of pairs.

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


def words_and_picture(triple: Denoiser, channels: slice, guidance: Guidance, image_guidance: float) -> Denoiser:
    """Guide a denoiser that has a picture as an input (InstructPix2Pix, arXiv 2211.09800, eq. 3).

        guided = neither + image_guidance * (picture - neither) + guidance * (both - picture)

    A guidance of words of 1 turns both off: the prediction is that under words and picture.

    Args:
        triple: a denoiser of batches `3b c *places`: the first third is under the words, the others are without.
        channels: of the picture, which are zeros in the last third.
        guidance: of the words; 1 = off, of the picture, too.
        image_guidance: of the picture.

    Returns:
        A denoiser of batches `b c *places`. It counts as three evaluations a call.
    """

    of_picture: Guidance = image_guidance
    if isinstance(guidance, Tensor):
        of_picture = torch.where(guidance == 1, 1.0, image_guidance)
    elif guidance == 1:
        of_picture = 1.0

    def guided(x_t: Batch, level: Level) -> Prediction:
        alone = x_t.clone()
        alone[:, channels] = 0
        predicted = triple(torch.cat([x_t, x_t, alone]), level)

        def weighed(part: Tensor) -> Tensor:
            both, picture, neither = part.chunk(3)
            return neither + of_picture * (picture - neither) + guidance * (both - picture)

        return Prediction(weighed(predicted.x0), weighed(predicted.eps))

    return guided


def renormalised(pair: Denoiser, guidance: Guidance, length: Callable[[Tensor], Tensor]) -> Denoiser:
    """Classifier-free guidance of the velocity `v = eps - x0`, made as long again as the positive one's.

        v = v_guided |v_positive| / |v_guided|

    So a large guidance does not saturate. It is that of Qwen-Image (arXiv 2508.02324) and of Lumina 2 (arXiv
    2503.21758), whose pipelines measure lengths in parts that are `length`'s to say.

    Args:
        pair: as for `classifier_free`, of batches `2b c y x`.
        guidance: 1 returns the positive prediction.
        length: from velocities `b c y x` to their lengths, in a shape that broadcasts.
    """

    def guided(x_t: Batch, level: Level) -> Prediction:
        both = pair(torch.cat([x_t, x_t]), level)
        v, negative = (both.eps - both.x0).chunk(2)
        mixed = torch.lerp(negative, v, guidance)
        share = length(v) / length(mixed).clamp_min(torch.finfo(v.dtype).tiny)
        return predict(mixed * share, x_t[:, : v.shape[1]], level, "flow")

    return guided


class AdaptiveProjected:
    """Adaptive projected guidance (Sadat et al. 2024, arXiv 2410.02416), on the velocities `v = eps - x0`.

        d_t = (v_positive - v_negative) + momentum d_(t+1)       momentum below 0 leads away from the last updates
        d'  = d_t min(1, threshold / |d_t|)
        v   = v_positive + (guidance - 1) (d'_orthogonal + eta d'_parallel)

    The parallel part is along v_positive and causes saturation. Norms and projections are taken per channel, over all
    places. The running sum d restarts when a level is noisier than the one before or the batch changes. A second
    evaluation at the same level, as in second-order solvers or coupled states, replaces the last update.

    Args:
        pair: as for `classifier_free`, of batches `2b c *places`.
        guidance: 1 returns the positive prediction itself.
        momentum: share of the sum so far; 0 is none.
        eta: share of the parallel part.
        threshold: the longest update.
    """

    def __init__(
        self, pair: Denoiser, guidance: Guidance, momentum: float = 0.0, eta: float = 0.0, threshold: float = math.inf
    ) -> None:
        self._pair, self._guidance = pair, guidance
        self._momentum, self._eta, self._threshold = momentum, eta, threshold
        self._level: Level | None = None
        self._before, self._sum = torch.zeros(()), torch.zeros(())

    def __call__(self, x_t: Batch, level: Level) -> Prediction:
        both = self._pair(torch.cat([x_t, x_t]), level)
        v, negative = (both.eps - both.x0).chunk(2)
        places = tuple(range(2, v.ndim))
        update = self._summed(v - negative, level)
        norm = torch.linalg.vector_norm(update, dim=places, keepdim=True)
        update = (update * (self._threshold / norm).clamp_max(1)).double()  # inf where nothing differs, so 1
        along = torch.nn.functional.normalize(v.double().flatten(2), dim=2).reshape(v.shape)
        parallel = (update * along).sum(places, keepdim=True) * along
        update = (update - (1 - self._eta) * parallel).to(v)
        return predict(v + (self._guidance - 1) * update, x_t[:, : v.shape[1]], level, "flow")

    def _summed(self, update: Batch, level: Level) -> Batch:
        last, new = self._level, self._sum.shape != update.shape
        if new or last is None or level.log_snr < last.log_snr:
            self._before = torch.zeros_like(update)
        elif level != last:
            self._before = self._sum
        self._level, self._sum = level, update + self._momentum * self._before
        return self._sum


class GuidanceInterval:
    """Guidance at the noisier levels alone (Kynkäänniemi et al. 2024, arXiv 2404.07724).

    At little noise the prompt has already been followed; guidance there costs a second evaluation and changes what
    should stay.

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
    """Return the cleanest level with guidance, where it is on for a share of the steps of a walk, the noisiest.

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
        pair: as for `classifier_free`: targets in the first half of the batch `2b c *places`, sources in the second.
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
