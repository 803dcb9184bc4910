"""The codec stage of a training run: an autoencoder of pictures or mels, and its loss."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.models.load_part import channels_last
from regrow.models.model import Model
from regrow.requests.train import Train
from regrow.training.distributed import Share
from regrow.training.settings import Staged, settings_of
from regrow.training.training_data import Data, to_batch

if TYPE_CHECKING:
    from accelerate import Accelerator


CROPS = {"picture": (64, 64), "sound": (128, 64)}
"""Height and width of the crops that a codec learns from, by medium; for mels all bands, as these differ."""


@dataclass(frozen=True)
class CodecOf:
    """The codec; when continuing a model, only its decoder, so that the latents still fit the denoiser."""

    share: float
    name: str = "codec"

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]:
        """Return the stage; nothing has to be encoded before."""
        yield from ()
        codec: nn.Module = model.codec_network
        codec.requires_grad_(True)
        if request.start:
            for name, parameter in codec.named_parameters():
                parameter.requires_grad_(not name.startswith(("encoder.", "quant_conv.")))
        channels_last(codec)
        crop = CROPS[model.medium.name]
        stage = CodecStage(
            data.items[: data.trained_on],
            data.masks,
            batch=max(8, request.batch // 4),
            crop=(min(crop[0], data.extent[0]), min(crop[1], data.extent[1])),
            seed=derive_seed(request.seed, "codec"),
            channels=model.latent_channels,
            factor=model.factor,
            device=accelerator.device,
        )

        def examine(module: nn.Module) -> float:
            """Return the mean squared error of held-out items, in [-1, 1]."""
            x = to_batch(np.array(data.items[data.trained_on :])).to(accelerator.device)
            noise = torch.zeros((len(x), *model.latent_shape(*x.shape[-2:])), device=x.device)
            parts = [
                module(x[i : i + 8], noise[i : i + 8])[1].clamp(-1, 1).sub(x[i : i + 8]).square().mean(dim=(1, 2, 3))
                for i in range(0, len(x), 8)
            ]
            return float(torch.cat(parts).mean())

        return Staged(
            Coding(codec),
            lambda network, share: codec_loss(stage, network, share),
            settings_of(request, self.share, ema=0.995),
            (),
            examine if data.held_out else None,
            stage.batch,
        )


def scale_latents(model: Model, data: Data) -> None:
    """Set a new codec's scaling factor so that latents have standard deviation 1, which the denoiser assumes."""
    sample = to_batch(np.array(data.items[: min(256, data.trained_on)])).to(model.device)
    model.codec_network.register_to_config(scaling_factor=1.0)
    parts = [model.encode(sample[i : i + 32]) for i in range(0, len(sample), 32)]
    model.codec_network.register_to_config(scaling_factor=round(1 / float(torch.cat(parts).std()), 5))


@dataclass(frozen=True)
class CodecStage:
    """The data of the codec's training, and how it is used.

    Attributes:
        items: pictures, uint8 `n h w 3`, or mels, float16 `n bands frames 1`.
        masks: uint8 `n h w`; errors inside weigh three times. If None, errors weigh the same everywhere in pictures,
            and three times in the audible cells of mels (`audible`).
        batch: crops per step.
        crop: height and width of a crop; the last tenth of the steps uses whole items instead, a quarter as many.
        seed: of the crops and of the latent noise.
        latent_noise: standard deviation of noise on latents, so that the decoder tolerates errors of the denoiser.
        channels: of a latent.
        factor: pixels per latent cell along each side.
        device: of the batches.
    """

    items: np.ndarray
    masks: np.ndarray | None
    batch: int = 8
    crop: tuple[int, int] = (64, 64)
    seed: int = 0
    latent_noise: float = 0.05
    channels: int = 16
    factor: int = 8
    device: torch.device = torch.device("cpu")  # noqa: RUF009  # immutable


class Coding(nn.Module):
    """The trained module: `(pictures, noise of the latents) -> latents, pictures`."""

    def __init__(self, codec: Any) -> None:
        super().__init__()
        self.codec = codec

    def forward(self, pictures: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        encoded = self.codec.encode(pictures)  # AutoencoderKL: the posterior's mean; its variance is not learned here
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
        return latents, self.codec.decode(latents + noise).sample


def codec_loss(stage: CodecStage, network: nn.Module, share: Share) -> Float[Tensor, ""]:
    """Return 2 x L2, and L1 + 2 x L2 in the last 36 % of the decline (LOG.md: L1 from the start is slower).

    It also pulls each latent channel to mean 0 and standard deviation 1, which the denoiser assumes.
    """
    pictures, weights, noise = crops(stage, share)
    latents, again = network(pictures, stage.latent_noise * noise)
    error = again - pictures
    loss = (weights * error.square()).mean() * 2
    if share.late > 0.64:
        loss = loss + (weights * error.abs()).mean()
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return loss + 2e-2 * (mean.square() + (std - 1).square()).mean()


def crops(
    stage: CodecStage, share: Share
) -> tuple[Float[Tensor, "b channels h w"], Float[Tensor, "b 1 #h #w"], Float[Tensor, "b c y x"]]:
    """Return crops (whole items at the very end), their weights, and noise of deviation 1 for the latents."""
    random = np.random.default_rng(derive_seed(stage.seed, "crops", share.step))
    extent = stage.items.shape[1], stage.items.shape[2]
    whole = share.late > 0.86
    height, width = extent if whole else stage.crop
    mirrored = stage.items.dtype == np.uint8  # sounds cannot be reversed
    items, masks = [], []
    count = stage.batch // 4 if whole else stage.batch
    count = -(-max(1, count) // share.count) * share.count  # so that all parts have equally many
    for _ in range(count):
        i = int(random.integers(len(stage.items)))
        top, left = int(random.integers(0, extent[0] - height + 1)), int(random.integers(0, extent[1] - width + 1))
        if random.random() < 0.6 and stage.masks is not None:  # most crops show the animal, which has the details
            ys, xs = np.nonzero(stage.masks[i])
            k = int(random.integers(len(ys)))
            top = int(np.clip(ys[k] - height // 2, 0, extent[0] - height))
            left = int(np.clip(xs[k] - width // 2, 0, extent[1] - width))
        window = np.s_[i, top : top + height, left : left + width]
        flip = -1 if random.random() < 0.5 and mirrored else 1
        items.append(stage.items[window][:, ::flip])
        masks.append(np.zeros((1, 1), np.uint8) if stage.masks is None else stage.masks[window][:, ::flip])
    own = share.of(count)
    generator = torch.Generator().manual_seed(derive_seed(stage.seed, "latent", share.step))
    noise = torch.randn((count, stage.channels, height // stage.factor, width // stage.factor), generator=generator)
    x = to_batch(np.stack(items))
    important = torch.from_numpy(np.stack(masks))[:, None] > 127 if mirrored else audible(x)
    weights = 1 + 2 * important.float()
    return x[own].to(stage.device), weights[own].to(stage.device), noise[own].to(stage.device)


def audible(mels: Float[Tensor, "b 1 bands frames"]) -> Bool[Tensor, "b 1 bands frames"]:
    """Return the cells that are within 30 % of the dB range of their frame's loudest cell: the partials of its notes.

    Softer cells are mostly noise, whose logarithm no codec can predict; with equal weight they would take most of the
    codec's capacity. Silence is not audible.
    """
    return (mels > mels.amax(2, keepdim=True) - 0.6) & (mels > -0.8)
