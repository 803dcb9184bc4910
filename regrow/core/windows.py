"""Latents larger than a network was made for, denoised in overlapping windows.

    x0(x_t)[i] = sum_k w_k[i] x0_k(x_t[window k])[i] / sum_k w_k[i]          and eps likewise

Every window is denoised by itself, and where windows overlap their predictions are averaged with weights that fall
towards each window's ends (MultiDiffusion: Bar-Tal et al. 2023, arXiv 2302.08113, eq. 5). Both predictions are
averaged with the same weights, so x_t = alpha x0 + sigma eps still holds, and every solver and inversion works
unchanged. Windows along two axes are windows of windows: w_k is then the product of a weight along each.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.core.denoiser import Batch, Denoiser, Prediction
from regrow.core.levels import Level
from regrow.messages.message import say


def windowed(denoise: Denoiser, width: int, overlap: int, closed: bool = False, axis: int = -1) -> Denoiser:
    """Return a denoiser of latents that are any w cells wide along an axis, from one of a width it was made for.

    Args:
        denoise: takes latents `b *rest`, `width` cells wide along the axis.
        width: cells of a window.
        overlap: cells that neighbouring windows share, at least; they share more where w asks for it.
        closed: whether the last cell is followed by the first, so that the result can be played in a loop.
        axis: of the latents, counted from the last, which is -1.

    Raises:
        ValueError: the overlap is not from 0 to below the width.
    """
    if not 0 <= overlap < width:
        raise ValueError(say("overlap_out_of_range", width=width, overlap=overlap))

    def whole(x_t: Batch, level: Level) -> Prediction:
        wide = x_t.shape[axis]
        if wide <= width and not closed:
            return denoise(x_t, level)
        weight = _fading(width, overlap).to(x_t).reshape(-1, *[1] * (-1 - axis))
        windows = [
            (start + torch.arange(width, device=x_t.device)) % wide for start in starts(wide, width, overlap, closed)
        ]
        after = [slice(None)] * (-1 - axis)
        found = [denoise(x_t[(..., cells, *after)], level) for cells in windows]
        # what is beside the sample in x_t, such as a contour, is cut into the same windows and not predicted
        shape = list(found[0].x0.shape)
        shape[axis] = wide
        x0, eps = (x_t.new_zeros(shape) for _ in range(2))
        total = x_t.new_zeros(wide, *[1] * (-1 - axis))
        for cells, prediction in zip(windows, found, strict=True):
            x0.index_add_(axis, cells, prediction.x0 * weight)
            eps.index_add_(axis, cells, prediction.eps * weight)
            total.index_add_(0, cells, weight)
        return Prediction(x0 / total, eps / total)

    return whole


def starts(wide: int, width: int, overlap: int, closed: bool) -> list[int]:
    """Return where the windows begin: as few as overlap enough, evenly spread."""
    step = max(1, width - overlap)
    if closed:
        count = -(-wide // step)
        return [i * wide // count for i in range(count)]
    count = 1 + -(-(wide - width) // step)
    return [round(i * (wide - width) / (count - 1)) for i in range(count)]


def _fading(width: int, overlap: int) -> Float[Tensor, " width"]:
    """1 in the middle, falling in a straight line over the overlap at both ends, and never 0."""
    place = torch.arange(width) + 0.5
    return (torch.minimum(place, width - place) / max(overlap, 0.5)).clamp_max(1)
