"""The sound judge: a small classifier that hears off a bandstand clip what is played.

It learned from played phrases alone (`sound_judge_training.py`), on seeds that no model learns from and none is
measured on, and shares nothing with the models it judges.

    instrument, pattern, ... = argmax of one softmax an attribute, over features averaged and maximised over time

It hears no level: a clip's mel is taken relative to its own loudest cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.benchmark.judge import by_attribute, likeliest, read_weights
from regrow.media.audio.mel import MelSettings
from regrow.worlds.bandstand.wording import ATTRIBUTES

SETTINGS = MelSettings()
"""Of the mels that the judge hears."""
SHORTEST = 128
"""Frames that a clip must have, about 1.5 s."""
RANGE = 70.0
"""dB below the loudest cell of a clip, where hearing ends."""
WEIGHTS = Path(__file__).parent / "sound_judge.safetensors"


class Residual(nn.Module):
    """Two convolutions over time, the first one dilated, around which the input goes, too."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return x + self.second(self.first(self.norm(x).relu()).relu())


class SoundJudgeNetwork(nn.Module):
    """Mels `b 1 128 frames` in dB to the logits of all values of all attributes, one after the other.

    Cells of 2 bands and 8 frames become channels at once: full resolution is what a CPU spends its time on. All
    frequencies become channels after three convolutions, so that a pitch is known by its place; the dilated ones
    after that hear about four seconds, which is what a tempo needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.local = nn.Sequential(
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 48, 3, stride=(2, 1), padding=1),
            nn.GroupNorm(8, 48),
            nn.ReLU(),
            nn.Conv2d(48, 64, 3, stride=(2, 1), padding=1),
            nn.GroupNorm(8, 64),
            nn.ReLU(),
        )
        self.global_ = nn.Sequential(
            nn.Conv1d(64 * SETTINGS.bands // 8, 160, 1),
            *(Residual(160, dilation) for dilation in (1, 3, 9)),
            nn.GroupNorm(8, 160),
            nn.ReLU(),
        )
        self.head = nn.Linear(2 * 160, sum(map(len, ATTRIBUTES.values())))

    def pooled(self, mels: Float[Tensor, "b 1 128 frames"]) -> Float[Tensor, "b 320"]:
        """The features' mean and their maximum over time."""
        relative = (mels - mels.amax((1, 2, 3), keepdim=True)).clamp_min(-RANGE) * (2 / RANGE) + 1
        whole = relative[..., : relative.shape[3] // 8 * 8]
        cells = whole.unflatten(3, (-1, 8)).unflatten(2, (-1, 2))[:, 0].permute(0, 2, 4, 1, 3).flatten(1, 2)
        features = self.global_(self.local(cells).flatten(1, 2))
        return torch.cat([features.mean(2), features.amax(2)], dim=1)

    def forward(self, mels: Float[Tensor, "b 1 128 frames"]) -> Float[Tensor, "b values"]:
        return self.head(self.pooled(mels))


@dataclass(frozen=True, eq=False)
class SoundJudge:
    """A trained network, and how it was trained and how often it is right (`facts`)."""

    network: SoundJudgeNetwork
    facts: Mapping[str, Any]

    @torch.no_grad()
    def features(self, mels: Float[Tensor, "b 1 128 frames"], batch: int = 64) -> Float[Tensor, "b 320"]:
        """What the network makes its choices from.

        Args:
            mels: in dB, as `to_mel` gives them with the default `MelSettings`; of 128 frames or more (it learned
                from 512).
            batch: clips at a time.

        Raises:
            ValueError: not a batch of such mels, or one with values that are not finite.
        """
        if mels.ndim != 4 or mels.shape[1:3] != (1, SETTINGS.bands) or len(mels) == 0 or mels.shape[3] < SHORTEST:
            raise ValueError(
                f"The sound judge hears mels of shape b 1 {SETTINGS.bands} frames, of {SHORTEST} frames or more; got "
                f"{tuple(mels.shape)}."
            )
        if not mels.isfinite().all():
            raise ValueError("The sound judge hears mels in dB; some values are not finite.")
        return torch.cat([self.network.pooled(part.float()) for part in mels.split(batch)])

    def probabilities(self, mels: Float[Tensor, "b 1 128 frames"]) -> dict[str, Float[Tensor, "b values"]]:
        """How likely each value of each attribute is; values in the order of `ATTRIBUTES`, each row sums to 1.

        It is sure of itself on noise, too: these are choices among the values, and "none of them" is no value.
        Arguments and errors as of `features`.
        """
        return by_attribute(self.network.head(self.features(mels)), ATTRIBUTES)

    def read(self, mels: Float[Tensor, "b 1 128 frames"]) -> list[dict[str, str]]:
        """The likeliest value of each attribute, for each clip; arguments and errors as of `features`."""
        return likeliest(self.network.head(self.features(mels)), ATTRIBUTES)


def load_sound_judge(path: Path = WEIGHTS) -> SoundJudge:
    """The sound judge that ships with regrow, or one that `train_sound_judge` wrote.

    Raises:
        MediaError: the file cannot be read, is no judge, or judges a bandstand with other values.
    """
    network = SoundJudgeNetwork()
    return SoundJudge(network, read_weights(path, network, ATTRIBUTES, "runs/train_judge.py bandstand"))
