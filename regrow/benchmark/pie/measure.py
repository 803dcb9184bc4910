"""What PIE-Bench measures of an edit, as its own evaluation does (evaluation/evaluate.py of cure-lab/PnPInversion).

structure             structure distance of the whole picture to the source (`probes.dino`)
psnr, lpips,          of the background: both pictures are black where the mask lets the picture change, and the whole
mse, ssim             picture is counted, the black part too; values from 0 to 1
clip_whole            CLIPScore of the whole picture and the target's words (`probes.clip`)
clip_edited           the same of the picture that is black outside the mask

A style changes the whole picture: where the mask leaves no background, its four figures are left out of the means.
SSIM counts windows wholly inside the picture, as torchmetrics did before 1.4.2; later ones count mirrored ones at the
border, too.
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
    """Of one edit, see above; None where the network that measures it is not here, or where there is no background.

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
    """The networks that measure, and sentences that say why one of them is not here."""

    dino: Dino | None = None
    clip: Clip | None = None
    lpips: Lpips | None = None
    missing: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, str | None]:
        """What each one is called, None where it is not here: figures by others are measured again."""
        each = {"dino": self.dino, "clip": self.clip, "lpips": self.lpips}
        return {name: network.name if network else None for name, network in each.items()}


def open_networks(
    dino: str = "", clip: str = "", device: str | torch.device = "cpu", allow_pickle: bool = False
) -> PieNetworks:
    """Open the networks that are on this machine; nothing is downloaded.

    Args:
        dino: folder or cached id; empty takes the usual one, and does without where it is not here.
        clip: likewise.
        device: where they compute.
        allow_pickle: also read weights that are no safetensors.

    Raises:
        ModelError: one that is named cannot be opened.
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
        source: the picture as it was, in [-1, 1].
        result: what it was edited into.
        mask: true where it should change.
        target: words for what it should become.
        networks: those that are here.

    Raises:
        ValueError: the pictures are not of one size, or a side is under 11 pixels.
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
        # from 0 to 2 with the range of 2 that `ssim` takes: the same as from 0 to 1 with a range of 1
        ssim=ssim(*(picture + 1 for picture in background)) if background else None,
        clip_whole=clip.score(result, target) if clip else None,
        clip_edited=clip.score(edited, target) if clip else None,
    )


def _size(picture: Float[Tensor, "3 h w"]) -> str:
    return f"{picture.shape[-1]} x {picture.shape[-2]}"
