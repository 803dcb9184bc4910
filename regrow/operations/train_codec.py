"""The codec stage: a picture autoencoder (AutoencoderTiny) trained from nothing on drawn scenes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.media.image import from_uint8
from regrow.operations.fitting import Fit, FitState, fit


@dataclass(frozen=True)
class CodecStage:
    """What the codec learns from, and how.

    Attributes:
        pictures: uint8 `n h w 3`.
        masks: uint8 `n h w`; where they are set, errors weigh three times.
        batch: crops a step.
        crop: side of a crop; the last tenth of the steps sees whole pictures instead, a quarter as many.
        seed: of the crops and of the latent noise.
        latent_noise: standard deviation, so that the decoder forgives what the denoiser will get wrong.
        scale_weight: weight of decoding latents of half the size as pictures of half the size (scale equivariance,
            Skorokhodov et al. 2025, arXiv 2502.14831): it takes the detail that a denoiser cannot learn out of the
            latents.
    """

    pictures: np.ndarray
    masks: np.ndarray
    batch: int = 8
    crop: int = 64
    seed: int = 0
    latent_noise: float = 0.05
    scale_weight: float = 0.25


def train_codec(codec: nn.Module, stage: CodecStage, settings: Fit, folder: Path) -> Iterator[FitState]:
    """Train `codec` (with `encoder` and `decoder` between [-1, 1] pictures and latents) in place.

    The loss is L2 for three quarters of the steps and L1 + 2 x L2 after that (LOG.md: L1 from the start is slower),
    and pulls each latent channel to mean 0 and all channels together to variance 1, which the denoiser assumes.
    Each channel alone is left its own variance: forcing all to 1 blows detail up to the size of the shapes.
    """

    encoder, decoder = codec.get_submodule("encoder"), codec.get_submodule("decoder")

    def loss_at(step: int) -> Tensor:
        part = step / settings.steps
        pictures, weights = _batch(stage, step, whole=part > 0.9)
        latents = encoder(pictures)
        generator = torch.Generator().manual_seed(derive_seed(stage.seed, "latent", step))
        rough = latents + stage.latent_noise * torch.randn(latents.shape, generator=generator)
        loss = _distance(decoder(rough), pictures, weights, late=part > 0.75)
        if stage.scale_weight:
            small = [nn.functional.avg_pool2d(x, 2) for x in (rough, pictures, weights)]
            loss = loss + stage.scale_weight * _distance(decoder(small[0]), small[1], small[2], late=part > 0.75)
        mean, variance = latents.mean(dim=(0, 2, 3)), latents.var(dim=(0, 2, 3)).mean()
        return loss + 2e-2 * (mean.square().mean() + (variance - 1).square())

    return fit(codec, loss_at, settings, folder)


def _distance(x: Tensor, y: Tensor, weights: Tensor, late: bool) -> Tensor:
    error = x - y
    loss = (weights * error.square()).mean() * 2
    return loss + (weights * error.abs()).mean() if late else loss


def _batch(stage: CodecStage, step: int, whole: bool) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b 1 h w"]]:
    random = np.random.default_rng(derive_seed(stage.seed, "crops", step))
    side = stage.pictures.shape[1]
    crop = side if whole else stage.crop
    pictures, masks = [], []
    for _ in range(max(1, stage.batch // 4) if whole else stage.batch):
        i = int(random.integers(len(stage.pictures)))
        top, left = random.integers(0, side - crop + 1, size=2)
        if random.random() < 0.6:  # most crops look at the animal: that is where the detail is
            ys, xs = np.nonzero(stage.masks[i])
            k = int(random.integers(len(ys)))
            top, left = np.clip((ys[k] - crop // 2, xs[k] - crop // 2), 0, side - crop)
        window = np.s_[i, top : top + crop, left : left + crop]
        flip = -1 if random.random() < 0.5 else 1
        pictures.append(stage.pictures[window][:, ::flip])
        masks.append(stage.masks[window][:, ::flip])
    weights = 1 + 2 * (torch.from_numpy(np.stack(masks))[:, None] > 127).float()
    return from_uint8(np.stack(pictures)), weights
