"""LPIPS, the perceptual distance of two pictures, through torchmetrics (an optional dependency)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.folder import reason

WEIGHTS = "squeezenet1_1-b8a52dc0.pth"
"""The file of torchvision's SqueezeNet 1.1; the weights that LPIPS adds to it come with torchmetrics."""
URL = f"https://download.pytorch.org/models/{WEIGHTS}"


@dataclass(frozen=True, eq=False)
class Lpips:
    """LPIPS on SqueezeNet (Zhang et al. 2018, arXiv 1801.03924), as in `torchmetrics`.

    Attributes:
        metric: `LearnedPerceptualImagePatchSimilarity(net_type="squeeze")`.
    """

    metric: Any
    name: str = "squeeze"

    @torch.no_grad()
    def distance(self, first: Float[Tensor, "3 h w"], second: Float[Tensor, "3 h w"]) -> float:
        """Return the distance of two pictures in [-1, 1]: 0 for equal ones."""
        found = float(self.metric(*(picture[None].float().to(self.metric.device) for picture in (first, second))))
        self.metric.reset()
        return found


def open_lpips(device: str | torch.device = "cpu") -> Lpips:
    """Open LPIPS where torchmetrics and torchvision are installed and the weights are on this machine.

    Raises:
        ModelError: a package or the weights are missing; nothing is downloaded.
    """
    try:
        import torchvision  # noqa: F401  # pyright: ignore[reportMissingImports]
        from torchmetrics.image.lpip import (  # pyright: ignore[reportMissingImports]
            LearnedPerceptualImagePatchSimilarity,
        )
    except (ImportError, RuntimeError) as problem:  # torchvision of another torch raises RuntimeError
        raise ModelError(say("lpips_packages_missing", reason=reason(problem))) from problem
    path = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    if not path.is_file():
        raise ModelError(say("lpips_weights_missing", path=path, url=URL))
    return Lpips(LearnedPerceptualImagePatchSimilarity(net_type="squeeze").to(device))
