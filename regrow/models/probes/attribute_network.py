"""Networks that classify attributes of latents, pictures or mels."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.media.audio.mel import MelSettings

MEL = MelSettings()
"""Settings of the mels that the classifiers read."""
RANGE = 70.0
"""Range in dB below a mel's loudest cell; softer cells are clamped to it."""

Kind = Literal["latents", "pictures", "mels"]


class Residual(nn.Module):
    """Two convolutions with a skip connection."""

    def __init__(self, convolution: type[nn.Conv1d] | type[nn.Conv2d], channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = convolution(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = convolution(channels, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c *places"]) -> Float[Tensor, "b c *places"]:
        return x + self.second(self.first(self.norm(x).relu()).relu())


class MelCells(nn.Module):
    """Mels in dB, with cells of 2 bands and 8 frames as channels, as full resolution is too slow on a CPU."""

    def forward(self, mels: Float[Tensor, "b 1 bands frames"]) -> Float[Tensor, "b 16 y x"]:
        relative = (mels - mels.amax((1, 2, 3), keepdim=True)).clamp_min(-RANGE) * (2 / RANGE) + 1
        whole = relative[..., : relative.shape[3] // 8 * 8]
        return whole.unflatten(3, (-1, 8)).unflatten(2, (-1, 2))[:, 0].permute(0, 2, 4, 1, 3).flatten(1, 2)


def _layers_for_latents(channels: int) -> dict[str, nn.Module]:
    features = nn.Sequential(
        nn.Conv2d(channels, 64, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(64, 96, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(96, 128, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.ReLU(),
    )
    return {"features": features}


def _layers_for_pictures(channels: int) -> dict[str, nn.Module]:
    """Return layers that first turn cells of 4 x 4 pixels into channels, as full resolution is too slow on a CPU."""
    features = nn.Sequential(
        nn.PixelUnshuffle(4),
        nn.Conv2d(16 * channels, 48, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(48, 96, 3, stride=2, padding=1),
        Residual(nn.Conv2d, 96),
        nn.Conv2d(96, 128, 3, stride=2, padding=1),
        Residual(nn.Conv2d, 128),
        nn.GroupNorm(8, 128),
        nn.ReLU(),
    )
    return {"features": features}


def _layers_for_mels(channels: int) -> dict[str, nn.Module]:
    """Return layers for mels.

    After three convolutions all frequencies become channels, so that the position of a pitch is known. The
    dilated ones after that span about four seconds, which a tempo needs.
    """
    local = nn.Sequential(
        nn.Conv2d(16 * channels, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 48, 3, stride=(2, 1), padding=1),
        nn.GroupNorm(8, 48),
        nn.ReLU(),
        nn.Conv2d(48, 64, 3, stride=(2, 1), padding=1),
        nn.GroupNorm(8, 64),
        nn.ReLU(),
    )
    along_time = nn.Sequential(
        nn.Conv1d(64 * MEL.bands // 8, 160, 1),
        *(Residual(nn.Conv1d, 160, dilation) for dilation in (1, 3, 9)),
        nn.GroupNorm(8, 160),
        nn.ReLU(),
    )
    return {"cells": MelCells(), "local": local, "bands": nn.Flatten(1, 2), "global_": along_time}


LAYERS: dict[Kind, tuple[Callable[[int], dict[str, nn.Module]], int]] = {
    "latents": (_layers_for_latents, 128),
    "pictures": (_layers_for_pictures, 128),
    "mels": (_layers_for_mels, 160),
}
"""The layers of each kind, by the names of their weights in files, and the number of output features."""


class AttributeNetwork(nn.Module):
    """A network from latents, pictures or mels to the logits of all attributes' values, concatenated."""

    def __init__(self, kind: Kind, channels: int, values: int) -> None:
        super().__init__()
        make, width = LAYERS[kind]
        layers = make(channels)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._order = tuple(layers)
        # mean and maximum: the weather fills the picture, an animal only a few cells
        self.head = nn.Linear(2 * width, values)

    def pooled(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b features"]:
        """Return the features' mean and their maximum over all places."""
        for name in self._order:
            x = self.get_submodule(name)(x)
        places = tuple(range(2, x.ndim))
        return torch.cat([x.mean(places), x.amax(places)], dim=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b values"]:
        return self.head(self.pooled(x))
