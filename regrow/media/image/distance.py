"""How far two pictures are apart: PSNR in decibels and structural similarity, over all of it or a region."""

import math

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from regrow.messages.message import say

RANGE = 2.0
"""Peak to peak, of pictures in [-1, 1]."""

WINDOW, SPREAD, K1, K2 = 11, 1.5, 0.01, 0.03


def psnr(a: Float[Tensor, "c h w"], b: Float[Tensor, "c h w"], mask: Bool[Tensor, "h w"] | None = None) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures.

        PSNR = 10 log10(2^2 / MSE),    MSE = mean over channels and counted pixels of (a - b)^2

    Args:
        a: picture in [-1, 1].
        b: picture in [-1, 1], of the same shape.
        mask: true where a pixel counts; None counts all.

    Raises:
        ValueError: the shapes differ, or the mask counts no pixel.
    """
    _check(a, b, mask)
    squares = (a.double() - b.double()) ** 2
    error = float(_mean(squares, mask))
    return 10 * math.log10(RANGE**2 / error) if error else math.inf


def ssim(a: Float[Tensor, "c h w"], b: Float[Tensor, "c h w"], mask: Bool[Tensor, "h w"] | None = None) -> float:
    """Mean structural similarity, in [-1, 1]; 1 for equal pictures.

        SSIM = (2 mu_a mu_b + C1)(2 s_ab + C2) / ((mu_a^2 + mu_b^2 + C1)(s_a^2 + s_b^2 + C2))
        C1 = (K1 L)^2,  C2 = (K2 L)^2,  K1 = 0.01,  K2 = 0.03,  L = 2

    mu, s^2 and s_ab are means, variances and the covariance under an 11 x 11 Gaussian window of sigma 1.5,
    without bias correction. Only windows wholly inside the picture count. Each channel is compared on its own
    and the mean is taken.

    Args:
        a: picture in [-1, 1], each side at least 11.
        b: picture in [-1, 1], of the same shape.
        mask: true where a window's centre counts; None counts all. A window reaches 5 pixels past its centre.

    Raises:
        ValueError: the shapes differ, a side is under 11, or the mask counts no window.

    References:
        Wang, Bovik, Sheikh and Simoncelli 2004, Image Quality Assessment: From Error Visibility to Structural
        Similarity, IEEE Transactions on Image Processing 13(4), eq. 13 to 16.
    """
    _check(a, b, mask)
    if min(a.shape[-2:]) < WINDOW:
        raise ValueError(say("ssim_sides_too_small", window=WINDOW, height=a.shape[-1], width=a.shape[-2]))
    a, b = a.double(), b.double()
    mean_a, mean_b, square_a, square_b, product = _blurred(torch.cat([a, b, a * a, b * b, a * b])).chunk(5)
    variance_a, variance_b = square_a - mean_a**2, square_b - mean_b**2
    covariance = product - mean_a * mean_b
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    similarity = similarity / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
    reach = WINDOW // 2
    return float(_mean(similarity, None if mask is None else mask[reach:-reach, reach:-reach]))


def _blurred(x: Float64[Tensor, "c h w"]) -> Float64[Tensor, "c y x"]:
    """The Gaussian window's weighted mean, down and then across; sides shrink by 10."""
    weights = [math.exp(-((k - WINDOW // 2) ** 2) / (2 * SPREAD**2)) for k in range(WINDOW)]
    for dim in (1, 2):
        kept, before = x.shape[dim] - WINDOW + 1, x
        x = torch.zeros_like(before.narrow(dim, 0, kept))
        for k, weight in enumerate(weights):  # torch convolves float64 ten times slower than it adds
            x.add_(before.narrow(dim, k, kept), alpha=weight / sum(weights))
    return x


def _mean(values: Float64[Tensor, "c h w"], mask: Bool[Tensor, "h w"] | None) -> Float64[Tensor, ""]:
    if mask is None:
        return values.mean()
    if not mask.any():
        raise ValueError(say("mask_counts_nothing"))
    return values[:, mask.to(values.device)].mean()


def _check(a: Tensor, b: Tensor, mask: Tensor | None) -> None:
    if a.shape != b.shape:
        raise ValueError(say("shapes_differ", first=tuple(a.shape), second=tuple(b.shape)))
    if mask is not None and mask.shape != a.shape[-2:]:
        raise ValueError(say("mask_shape_differs", mask=tuple(mask.shape), pictures=tuple(a.shape[-2:])))
