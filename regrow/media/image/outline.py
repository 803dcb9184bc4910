"""Refine a rough map of where something is, along the picture's own edges."""

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Bool, Float, Int
from torch import Tensor

REACH, EDGE = 3, 1e-3
"""Pixels of the guided filter's window to each side, in a picture of 256; and the variance that counts as an edge."""
BINS, BESIDE, LEAST, CERTAIN, ROUNDS = 16, 0.3, 1e-5, 3.0, 3
"""Of the colours' histograms: values along each colour; what a colour counts beside the mean of those around it; the
least frequency; the most that a pixel's colour may say; and how often inside and outside are counted anew."""
FAR = 2.0
"""The most that the rough map may say, in its own standard deviations."""


def outlined(heat: Float[Tensor, "1 1 y x"], picture: Float[Tensor, "3 h w"]) -> Float[Tensor, "1 1 h w"]:
    """Return a map of the picture's size that is above 0 inside the outline.

    The rough map is parted in two where that leaves the least variance within both parts (Otsu 1979). Then colours
    decide, as in GrabCut (Rother et al. 2004, section 3): to the map is added how much more often, in the logarithm,
    a pixel's colour is inside than outside; the guided filter makes neighbours of one colour agree; and inside and
    outside are counted again.

    Args:
        heat: high where it is.
        picture: in [-1, 1].
    """
    size = (picture.shape[-2], picture.shape[-1])
    rough = F.interpolate(heat, size=size, mode="bicubic", align_corners=False) - parted(heat)
    rough = (rough / rough.std().clamp_min(torch.finfo(rough.dtype).tiny)).clamp(-FAR, FAR)
    red, green, blue = ((picture + 1) / 2 * (BINS - 1)).round().long().clamp(0, BINS - 1)
    colours, inside = (red * BINS + green) * BINS + blue, rough
    reach = max(round(REACH * min(size) / 256), 1)
    for _ in range(ROUNDS):
        more = _frequency(colours, inside[0, 0] > 0) - _frequency(colours, inside[0, 0] <= 0)
        inside = guided(rough + more[colours].clamp(-CERTAIN, CERTAIN), picture[None], reach, EDGE)
    return inside


def _frequency(colours: Int[Tensor, "h w"], where: Bool[Tensor, "h w"]) -> Float[Tensor, " colours"]:
    """The logarithm of how often each colour is there."""
    counts = torch.bincount(colours[where], minlength=BINS**3).float()
    around = F.avg_pool3d(F.pad(counts.view(1, 1, BINS, BINS, BINS), [1] * 6), 3, stride=1).flatten()
    return ((around + BESIDE * counts) / counts.sum().clamp_min(1) + LEAST).log()


def parted(values: Float[Tensor, "*any"]) -> float:
    """Return the value that parts all others into two with the least variance within each (Otsu 1979)."""
    ordered = values.flatten().double().sort().values
    below = torch.arange(1, len(ordered), device=ordered.device)
    sums, share = ordered.cumsum(0), below / len(ordered)
    apart = sums[:-1] / below - (sums[-1] - sums[:-1]) / (len(ordered) - below)
    at = int((share * (1 - share) * apart**2).argmax())
    return float((ordered[at] + ordered[at + 1]) / 2)


def guided(
    x: Float[Tensor, "1 1 h w"], guide: Float[Tensor, "1 3 h w"], reach: int, edge: float
) -> Float[Tensor, "1 1 h w"]:
    """Return what is, in every window, the linear function of the guide's colours that is nearest to `x`.

    (He et al. 2013, "Guided image filtering", eq. 19 and 20.)
    """
    colours, level = _mean(guide, reach), _mean(x, reach)
    together = _mean(guide * x, reach) - colours * level
    pairs = guide[:, :, None] * guide[:, None]
    spread = _mean(pairs.flatten(1, 2), reach) - (colours[:, :, None] * colours[:, None]).flatten(1, 2)
    matrix = spread[0].unflatten(0, (3, 3)).permute(2, 3, 0, 1) + edge * torch.eye(3, device=x.device)
    slope = torch.linalg.solve(matrix, together[0].permute(1, 2, 0)[..., None])[..., 0].permute(2, 0, 1)[None]
    offset = level - (slope * colours).sum(1, keepdim=True)
    return (_mean(slope, reach) * guide).sum(1, keepdim=True) + _mean(offset, reach)


def _mean(x: Float[Tensor, "1 c h w"], reach: int) -> Float[Tensor, "1 c h w"]:
    """The mean of every window, one direction after the other."""
    side = 2 * reach + 1
    padded = F.pad(x, [reach] * 4, mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
