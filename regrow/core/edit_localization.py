"""Find where an edit acts: the difference between the predictions under two prompts for noisy copies of a sample.

DiffEdit (Couairon et al. 2022, arXiv 2210.11427, section 3.2, step 1) takes one level and the mean of absolute
differences over noises. Three things differ here, each of which made masks more accurate (LOG.md): several levels are
used, as shapes are decided at noisier levels than colours; the mean over noises is taken before the absolute value, as
random differences have either sign; and each level is divided by its own mean, so that all levels count alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.core.denoiser import Denoiser, Prediction
from regrow.core.levels import Level
from regrow.core.noise import derive_seed, noise

LOG_SNRS = (-1.0, -1.7, -2.4)
"""Of the levels at which targets and source are compared."""
COPIES = 4
"""Noises per level."""
BLUR, CUT, MOST, ISLAND = 0.5, 0.035, 0.25, 0.02
"""A Gaussian's spread in cells; the height of the cut for a peak of the mean's own height, and its most as a share of
the peak; the share of the map below which a connected part is no part."""

Maps = Float[Tensor, "targets 1 h w"]


@dataclass(frozen=True, eq=False)
class Difference:
    """At a level, the `index`th of `steps`: how far each target's x0 is from the source's, RMS over channels."""

    index: int
    steps: int
    level: Level
    maps: Maps


def differences(
    denoise: Denoiser, x0: Float[Tensor, "1 c h w"], levels: Sequence[Level], targets: int, seed: int, copies: int
) -> Iterator[Difference]:
    """Compare targets with the source at each level, on the same noisy copies.

    Args:
        denoise: for batches of `(targets + 1) * copies`: all copies under the first target, and so on, and under the
            source at last.
        x0: the sample.
        levels: one or more, none of them clean.
        targets: how many.
        seed: of the noise, which is the same at every level.
        copies: noises per level.
    """
    eps = noise(x0.shape[1:], [derive_seed(seed, "difference", i) for i in range(copies)]).to(x0)
    for index, level in enumerate(levels, start=1):
        copy = Prediction(x0.expand_as(eps), eps).at(level)
        with torch.no_grad():
            clean = denoise(copy.repeat(targets + 1, 1, 1, 1), level).x0.unflatten(0, (targets + 1, copies)).mean(1)
        yield Difference(index, len(levels), level, (clean[:-1] - clean[-1:]).square().mean(1, keepdim=True).sqrt())


def mean_map(maps: Sequence[Maps]) -> Maps:
    """Return the mean over levels, each as a share of its own mean; 0 where a target differs at no level."""
    means = [each.mean((2, 3), keepdim=True).clamp_min(torch.finfo(each.dtype).tiny) for each in maps]
    return torch.stack([each / mean for each, mean in zip(maps, means, strict=True)]).mean(0)


def shape_of(maps: Maps) -> Maps:
    """Return the outline of where a target acts: above 0 inside, at most 0 outside.

    The map is smoothed and cut at the height `CUT * peak^2 / mean`, which grows with how far its peak exceeds the mean:
    an edit of a small spot has a peak of many times the mean, and an edit of nearly everything one of twice the mean.
    Small islands are removed and small holes are closed.
    """
    smooth = _blurred(maps, BLUR)
    peak, mean = smooth.amax((2, 3), keepdim=True), smooth.mean((2, 3), keepdim=True)
    tiny = torch.finfo(maps.dtype).tiny
    shape = smooth - torch.minimum(CUT * peak**2 / mean.clamp_min(tiny), MOST * peak).clamp_min(tiny)
    inside = shape > 0
    without_islands = _opened(inside)
    filled = ~_opened(~without_islands)
    return torch.where(filled == inside, shape, torch.where(filled, shape.abs(), -shape.abs()))


def _opened(inside: Bool[Tensor, "targets 1 h w"]) -> Bool[Tensor, "targets 1 h w"]:
    """Without the connected parts that are smaller than `ISLAND` of the map; the largest one always stays."""
    size = inside[0].numel()
    names = torch.arange(1.0, size + 1, device=inside.device).view(inside.shape[1:]) * inside
    while True:  # every part takes the largest of its cells' numbers, one cell further in every round
        spread = F.max_pool2d(names, 3, stride=1, padding=1) * inside
        if torch.equal(spread, names):
            break
        names = spread
    kept = torch.zeros_like(inside)
    for one, part in zip(kept, names, strict=True):
        numbers, counts = part[part > 0].unique(return_counts=True)
        if len(counts):
            one |= torch.isin(part, numbers[(counts >= ISLAND * size) | (counts == counts.max())])
    return kept & inside


def _blurred(maps: Maps, width: float) -> Maps:
    reach = int(3 * width + 0.5)
    window = torch.exp(-((torch.arange(-reach, reach + 1, device=maps.device) / width) ** 2) / 2).to(maps)
    window = window / window.sum()
    padded = F.pad(maps, [reach] * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, window.view(1, 1, -1, 1)), window.view(1, 1, 1, -1))
