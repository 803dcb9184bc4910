"""The codec as a stage of a training run."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.models.load_part import channels_last
from regrow.models.model import Model
from regrow.requests.train import Train
from regrow.training.staged import Staged, settings_of
from regrow.training.train_codec import CodecStage, Coding, codec_loss
from regrow.training.training_data import Data, to_batch

if TYPE_CHECKING:
    from accelerate import Accelerator


CROP, MEL_CROP = (64, 64), (128, 64)
"""Height and width of what a codec learns from: of mels all bands, which are not alike."""


@dataclass(frozen=True)
class CodecOf:
    """The codec, or only its decoder when going on from a model: then the denoiser still fits its latents."""

    share: float
    name: str = "codec"

    def prepare(
        self, request: Train, model: Model, data: Data, accelerator: "Accelerator"
    ) -> Generator[Progress, None, Staged]:
        """Ready at once."""
        yield from ()
        codec: nn.Module = model.codec_network
        codec.requires_grad_(True)
        if request.start:
            for name, parameter in codec.named_parameters():
                parameter.requires_grad_(not name.startswith(("encoder.", "quant_conv.")))
        channels_last(codec)
        crop = CROP if model.mel is None else MEL_CROP
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
            """Mean squared error of what lies in [-1, 1]."""
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
    """Make latents of a new codec have standard deviation 1, which the denoiser assumes."""
    sample = to_batch(np.array(data.items[: min(256, data.trained_on)])).to(model.device)
    model.codec_network.register_to_config(scaling_factor=1.0)
    parts = [model.encode(sample[i : i + 32]) for i in range(0, len(sample), 32)]
    model.codec_network.register_to_config(scaling_factor=round(1 / float(torch.cat(parts).std()), 5))
