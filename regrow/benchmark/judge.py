"""The judge: a small classifier that reads off a storybook picture what it shows.

It learned from drawn pictures alone (`judge_training.py`), on seeds that no model learns from and none is measured
on, and shares nothing with the models it judges. Its own errors are measured beside theirs (`storybook.py`).

    animal, colour, ... = argmax of one softmax an attribute, over features averaged and maximised over the picture

Not every picture shows its weather: in the living room it is seen through a window, and a large animal in front of it
hides the flakes, the drops or the snow on the ground that tell snowy, rainy and cloudy apart. Nearly all that the judge
misreads of drawings is that. Time is always seen, for lamplight also tints the room.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from regrow.media.files import MediaError, readable, reason
from regrow.worlds.storybook.wording import ATTRIBUTES

SIDE = 128
"""Pixels along each side of what the network sees."""
WEIGHTS = Path(__file__).parent / "judge.safetensors"


class Residual(nn.Module):
    """Two 3 x 3 convolutions around which the input goes, too."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.second(self.first(self.norm(x).relu()).relu())


class JudgeNetwork(nn.Module):
    """Pictures `b 3 128 128` in [-1, 1] to the logits of all values of all attributes, one after the other.

    The picture's 4 x 4 cells become channels at once: full resolution is what a CPU spends its time on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, 48, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(48, 96, 3, stride=2, padding=1),
            Residual(96),
            nn.Conv2d(96, 128, 3, stride=2, padding=1),
            Residual(128),
            nn.GroupNorm(8, 128),
            nn.ReLU(),
        )
        # an animal is seen in a few cells and the weather in all of them
        self.head = nn.Linear(2 * 128, sum(map(len, ATTRIBUTES.values())))

    def pooled(self, pictures: Float[Tensor, "b 3 128 128"]) -> Float[Tensor, "b 256"]:
        """The features' mean and their maximum over the picture."""
        features = self.features(pictures)
        return torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)

    def forward(self, pictures: Float[Tensor, "b 3 128 128"]) -> Float[Tensor, "b values"]:
        return self.head(self.pooled(pictures))


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained network, and how it was trained and how often it is right (`facts`)."""

    network: JudgeNetwork
    facts: Mapping[str, Any]

    @torch.no_grad()
    def features(self, pictures: Float[Tensor, "b 3 h w"], batch: int = 64) -> Float[Tensor, "b 256"]:
        """What the network makes its choices from.

        Args:
            pictures: in [-1, 1], of any size; brought to 128 x 128 (antialiased bilinear), stretched if not square.
            batch: pictures at a time.

        Raises:
            ValueError: not a batch of pictures, or one with values that are not finite.
        """
        if pictures.ndim != 4 or pictures.shape[1] != 3 or 0 in pictures.shape:
            raise ValueError(f"The judge reads pictures of shape b 3 h w; got {tuple(pictures.shape)}.")
        if not pictures.isfinite().all():
            raise ValueError("The judge reads pictures in [-1, 1]; some values are not finite.")
        return torch.cat([self.network.pooled(_at_side(part)) for part in pictures.split(batch)])

    def probabilities(self, pictures: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b values"]]:
        """How likely each value of each attribute is; values in the order of `ATTRIBUTES`, each row sums to 1.

        It is sure of itself on rough pictures, too: these are choices among the values, and "none of them" is no
        value. Arguments and errors as of `features`.
        """
        return by_attribute(self.network.head(self.features(pictures)), ATTRIBUTES)

    def read(self, pictures: Float[Tensor, "b 3 h w"]) -> list[dict[str, str]]:
        """The likeliest value of each attribute, for each picture; arguments and errors as of `features`."""
        return self.read_features(self.features(pictures))

    def read_features(self, features: Float[Tensor, "b 256"]) -> list[dict[str, str]]:
        """As `read`, from features that are at hand already."""
        return likeliest(self.network.head(features), ATTRIBUTES)


def load_judge(path: Path = WEIGHTS) -> Judge:
    """The judge that ships with regrow, or one that `train_judge` wrote.

    Raises:
        MediaError: the file cannot be read, is no judge, or judges a storybook with other values.
    """
    network = JudgeNetwork()
    return Judge(network, read_weights(path, network, ATTRIBUTES, "runs/train_judge.py storybook"))


def read_weights(
    path: Path, network: nn.Module, attributes: Mapping[str, tuple[str, ...]], trainer: str
) -> dict[str, Any]:
    """Load a judge's weights into its network, for inference only.

    Args:
        path: the file of weights and facts.
        network: with as many outputs as `attributes` has values.
        attributes: what the judge must read, and their values.
        trainer: the script that writes such a file, for the errors.

    Returns:
        The facts: how it was trained and how often it is right.

    Raises:
        MediaError: the file cannot be read, is no judge, or judges other attributes.
    """
    try:
        with safe_open(readable(path), "pt") as file:
            facts = json.loads((file.metadata() or {}).get("judge", "{}"))
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
    except (SafetensorError, ValueError) as problem:
        if isinstance(problem, MediaError):
            raise
        raise MediaError(f"{path} is no judge ({reason(problem)}): train one with {trainer}.") from problem
    if facts.get("attributes") != {name: list(values) for name, values in attributes.items()}:
        raise MediaError(f"{path} judges other attributes than this world has: train it with {trainer}.")
    network.load_state_dict(tensors)
    network.eval().requires_grad_(False)
    return facts


def by_attribute(
    logits: Float[Tensor, "b values"], attributes: Mapping[str, tuple[str, ...]]
) -> dict[str, Float[Tensor, "b some"]]:
    """Probabilities by attribute, from the logits of all values of all attributes, one after the other."""
    parts = logits.split([len(values) for values in attributes.values()], dim=1)
    return {name: part.softmax(1) for name, part in zip(attributes, parts, strict=True)}


def likeliest(logits: Float[Tensor, "b values"], attributes: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """The likeliest value of each attribute, for each row of logits."""
    found = {name: table.argmax(1).tolist() for name, table in by_attribute(logits, attributes).items()}
    return [{name: attributes[name][rows[i]] for name, rows in found.items()} for i in range(len(logits))]


def _at_side(pictures: Tensor) -> Tensor:
    pictures = pictures.float()
    if pictures.shape[-2:] == (SIDE, SIDE):
        return pictures
    return nn.functional.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)
