"""The distances against direct numpy computations and closed forms."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from regrow.media.image.distance import psnr, ssim


def pair(h: int = 24, w: int = 31) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    a = torch.rand(3, h, w, generator=generator) * 2 - 1
    return a, (a + 0.3 * torch.randn(3, h, w, generator=generator)).clamp(-1, 1)


def direct_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Wang et al. 2004, eq. 13, window by window, with the formulas of eq. 14 to 16 and no shortcut."""
    offsets = np.arange(11) - 5
    weights = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    out = np.empty((len(a), a.shape[1] - 10, a.shape[2] - 10))
    for c, y, x in np.ndindex(out.shape):
        p, q = a[c, y : y + 11, x : x + 11], b[c, y : y + 11, x : x + 11]
        mean_p, mean_q = (weights * p).sum(), (weights * q).sum()
        spread_p, spread_q = (weights * (p - mean_p) ** 2).sum(), (weights * (q - mean_q) ** 2).sum()
        together = (weights * (p - mean_p) * (q - mean_q)).sum()
        out[c, y, x] = (2 * mean_p * mean_q + c1) * (2 * together + c2)
        out[c, y, x] /= (mean_p**2 + mean_q**2 + c1) * (spread_p + spread_q + c2)
    return out


def test_ssim_equals_the_definition():
    a, b = pair()
    windows = direct_ssim(a.double().numpy(), b.double().numpy())
    assert ssim(a, b) == pytest.approx(windows.mean(), abs=1e-12)
    mask = torch.zeros(24, 31, dtype=torch.bool)
    mask[3:15, 10:20] = True  # centres from row 5 on have a whole window
    assert ssim(a, b, mask) == pytest.approx(windows[:, :10, 5:15].mean(), abs=1e-12)


def test_psnr_equals_the_definition():
    a, b = pair()
    squares = (a.double() - b.double()).numpy() ** 2
    assert psnr(a, b) == pytest.approx(10 * math.log10(4 / squares.mean()), abs=1e-12)
    mask = torch.zeros(24, 31, dtype=torch.bool)
    mask[:7, 4:] = True
    assert psnr(a, b, mask) == pytest.approx(10 * math.log10(4 / squares[:, :7, 4:].mean()), abs=1e-12)


def test_closed_forms():
    a, b = pair()
    assert psnr(a, a) == math.inf
    assert ssim(a, a) == pytest.approx(1, abs=1e-12)
    assert ssim(a, b) == pytest.approx(ssim(b, a), abs=1e-12)
    black, white = -torch.ones(3, 16, 16), torch.ones(3, 16, 16)
    assert psnr(black, white) == 0
    assert psnr(white, white - 0.2) == pytest.approx(20, abs=1e-4)
    # Flat pictures: only the term of the means is left.
    assert ssim(black, white) == pytest.approx((-2 + 4e-4) / (2 + 4e-4), abs=1e-9)


def test_a_mask_tells_inside_from_outside():
    a, _ = pair()
    b = a.clone()
    b[:, :, :10] = 0
    mask = torch.zeros(24, 31, dtype=torch.bool)
    mask[:, 16:] = True
    assert psnr(a, b, mask) == math.inf
    assert ssim(a, b, mask) == pytest.approx(1, abs=1e-12)
    assert psnr(a, b, ~mask) < 20


@pytest.mark.parametrize("distance", [psnr, ssim])
def test_what_cannot_be_compared(distance):
    a, b = pair()
    with pytest.raises(ValueError, match="one shape"):
        distance(a, b[..., 1:])
    with pytest.raises(ValueError, match="must agree"):
        distance(a, b, torch.ones(3, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="The mask leaves no pixel of the picture to compare"):
        distance(a, b, torch.zeros(24, 31, dtype=torch.bool))
    with pytest.raises(ValueError, match="11 pixels"):
        ssim(a[:, :10], b[:, :10])
