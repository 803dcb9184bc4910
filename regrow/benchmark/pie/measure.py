"""Measure an edit of PIE-Bench as its own evaluation does (evaluation/evaluate.py of cure-lab/PnPInversion).

structure             structure distance of the whole picture to the source (`probes.dino`)
psnr, lpips,          of the background: both pictures are set to black inside the mask, and all pixels are counted,
mse, ssim             the black ones too; values from 0 to 1
clip_whole            CLIPScore of the whole picture and the target prompt (`probes.clip`)
clip_edited           the same, with the picture set to black outside the mask

A change of style has a mask of the whole picture: without a background, its four figures are left out of the means.
SSIM uses only windows that lie inside the picture, as torchmetrics did before 1.4.2; later versions also use mirrored
windows at the border.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.benchmark.results_store import finite
from regrow.media.image.distance import psnr, ssim
from regrow.models.errors import ModelError
from regrow.models.probes.clip import USUAL as USUAL_CLIP
from regrow.models.probes.clip import Clip, open_clip
from regrow.models.probes.dino import USUAL as USUAL_DINO
from regrow.models.probes.dino import Dino, open_dino
from regrow.models.probes.lpips import Lpips, open_lpips

Network = TypeVar("Network")


@dataclass(frozen=True)
class PieResult:
    """The figures of one edit, see above; a figure is None without its network or without a background.

    PSNR of equal backgrounds is 90 dB.
    """

    structure: float | None
    psnr: float | None
    lpips: float | None
    mse: float | None
    ssim: float | None
    clip_whole: float | None
    clip_edited: float | None


@dataclass(frozen=True, eq=False)
class PieNetworks:
    """The networks that measure, and a sentence for each that is not on this machine."""

    dino: Dino | None = None
    clip: Clip | None = None
    lpips: Lpips | None = None
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str | None]:
        """The name of each network, None if it is missing; results measured by other networks are measured again."""
        each = {"dino": self.dino, "clip": self.clip, "lpips": self.lpips}
        return {name: network.name if network else None for name, network in each.items()}


def open_networks(
    dino: str = "", clip: str = "", device: str | torch.device = "cpu", allow_pickle: bool = False
) -> PieNetworks:
    """Open the networks that are on this machine; nothing is downloaded.

    Args:
        dino: folder or cached id; empty takes the usual one if it is on this machine.
        clip: likewise.
        device: where they compute.
        allow_pickle: also read pickled weights.

    Raises:
        ModelError: a network given by name cannot be opened.
    """
    missing = []

    def there(what: str, named: bool, make: Callable[[], Network]) -> Network | None:
        try:
            return make()
        except ModelError as problem:
            if named:
                raise
            missing.append(f"{what}: not measured. {problem}")
            return None

    return PieNetworks(
        there("Structure distance", bool(dino), lambda: open_dino(dino or USUAL_DINO, device, allow_pickle)),
        there("CLIP", bool(clip), lambda: open_clip(clip or USUAL_CLIP, device, allow_pickle)),
        there("LPIPS", False, lambda: open_lpips(device)),
        tuple(missing),
    )


def measure(
    source: Float[Tensor, "3 h w"],
    result: Float[Tensor, "3 h w"],
    mask: Bool[Tensor, "h w"],
    target: str,
    networks: PieNetworks,
) -> PieResult:
    """Measure an edited picture.

    Args:
        source: the original picture, in [-1, 1].
        result: the edited picture, in [-1, 1].
        mask: true where it should change.
        target: the target prompt.
        networks: see `open_networks`.

    Raises:
        ValueError: the pictures differ in size, or a side is shorter than 11 pixels.
    """
    if source.shape != result.shape:
        raise ValueError(f"the result is of {_size(result)} pixels, and its source of {_size(source)}")
    background = None if mask.all() else tuple(torch.where(mask, -1.0, picture) for picture in (source, result))
    edited = torch.where(mask, result, -1.0)
    dino, clip, lpips = networks.dino, networks.clip, networks.lpips
    return PieResult(
        structure=dino.distance(source, result) if dino else None,
        psnr=finite(psnr(*background)) if background else None,
        lpips=lpips.distance(*background) if lpips and background else None,
        mse=float((background[0].double() - background[1].double()).square().mean() / 4) if background else None,
        # `ssim` assumes a range of 2: values in [0, 2] give the same SSIM as values in [0, 1] with a range of 1
        ssim=ssim(*(picture + 1 for picture in background)) if background else None,
        clip_whole=clip.score(result, target) if clip else None,
        clip_edited=clip.score(edited, target) if clip else None,
    )


def _size(picture: Float[Tensor, "3 h w"]) -> str:
    return f"{picture.shape[-1]} x {picture.shape[-2]}"
