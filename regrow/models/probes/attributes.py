"""Attribute classifiers: small networks that read off what a picture, a sound or a latent shows of a world.

    animal, colour, ... = argmax of one softmax an attribute, over features averaged and maximised over the places

There are three kinds. They share everything but the layers and the form of what they read:

- latents: the describer that a model folder may hold (`describer.safetensors`), for prompts that leave something out;
- pictures and mels: the judges of the benchmarks, which share nothing with the models that they judge.

Not every picture shows its weather: in the living room it is seen through a window, and a large animal in front of it
hides the flakes, the drops or the snow on the ground that tell snowy, rainy and cloudy apart. Nearly all that the judge
misreads of drawings is that. Time is always seen, for lamplight also tints the room. The judge of mels ignores the
level: a clip's mel is taken relative to its own loudest cell.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.models.errors import ModelError
from regrow.models.probes.attribute_network import MEL, AttributeNetwork, Kind
from regrow.models.probes.weights import read_probe, write_probe

DESCRIBER = "describer.safetensors"
"""The file of a model's own classifier, in its folder."""
SIDE = 128
"""Pixels along each side of the pictures that the judge's network takes."""
SHORTEST = 128
"""Frames that a mel must have, about 1.5 s; the judge learned from 512."""

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class AttributeClassifier:
    """A trained network and what it reads.

    Attributes:
        kind: of what it reads.
        network: in eval mode.
        world: whose things it was trained on.
        attributes: names, each with its values in the order of the network's outputs.
        facts: how it was trained, and `held_out`: how often it is right.
    """

    kind: Kind
    network: AttributeNetwork
    world: str
    attributes: Attributes
    facts: Mapping[str, Any]

    @torch.no_grad()
    def features(self, x: Float[Tensor, "b c h w"], batch: int = 64) -> Float[Tensor, "b features"]:
        """Compute what the network makes its choices from.

        Args:
            x: latents; pictures in [-1, 1] of any size, brought to 128 x 128 (antialiased bilinear), stretched if not
                square; or mels in dB, as `to_mel` gives them with the default settings, of 128 frames or more.
            batch: rows at a time.

        Raises:
            ValueError: not a batch of what it reads, or one with values that are not finite.
        """
        _check(self.kind, x)
        return torch.cat([self.network.pooled(_fitted(self.kind, part.float())) for part in x.split(batch)])

    def probabilities(self, x: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b values"]]:
        """Compute how likely each value of each attribute is, in the order of `attributes`; each row sums to 1.

        It is sure of itself on rough pictures and on noise, too: these are choices among the values, and "none of them"
        is no value. Arguments and errors as of `features`.
        """
        return self._tables(self.features(x))

    def ranked(self, x: Float[Tensor, "b c h w"]) -> list[dict[str, dict[str, float]]]:
        """Compute for each row the probabilities of each attribute's values, the likeliest first."""
        tables = {name: table.tolist() for name, table in self.probabilities(x).items()}
        return [
            {
                name: dict(sorted(zip(self.attributes[name], table[i], strict=True), key=lambda pair: -pair[1]))
                for name, table in tables.items()
            }
            for i in range(len(x))
        ]

    def read(self, x: Float[Tensor, "b c h w"]) -> list[dict[str, str]]:
        """Read the likeliest value of each attribute, for each row; arguments and errors as of `features`."""
        return self.read_features(self.features(x))

    def read_features(self, features: Float[Tensor, "b features"]) -> list[dict[str, str]]:
        """As `read`, from features that were computed before."""
        rows = {name: table.argmax(1).tolist() for name, table in self._tables(features).items()}
        return [{name: self.attributes[name][row[i]] for name, row in rows.items()} for i in range(len(features))]

    def _tables(self, features: Float[Tensor, "b features"]) -> dict[str, Float[Tensor, "b some"]]:
        parts = self.network.head(features).split([len(values) for values in self.attributes.values()], dim=1)
        return {name: part.softmax(1) for name, part in zip(self.attributes, parts, strict=True)}


def _check(kind: Kind, x: Tensor) -> None:
    if kind == "pictures" and (x.ndim != 4 or x.shape[1] != 3 or 0 in x.shape):
        raise ValueError(f"The judge reads pictures of shape b 3 h w; got {tuple(x.shape)}.")
    if kind == "mels" and (x.ndim != 4 or x.shape[1:3] != (1, MEL.bands) or len(x) == 0 or x.shape[3] < SHORTEST):
        raise ValueError(
            f"The judge reads mels of shape b 1 {MEL.bands} frames, of {SHORTEST} frames or more; got {tuple(x.shape)}."
        )
    if not x.isfinite().all():
        raise ValueError(f"A classifier reads {kind} whose values are all finite; some are not finite.")


def _fitted(kind: Kind, x: Tensor) -> Tensor:
    if kind != "pictures" or x.shape[-2:] == (SIDE, SIDE):
        return x
    return nn.functional.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)


def copy_describer(source: Path, folder: Path) -> None:
    """Copy a model's classifier of latents, if it has one, into the folder of a model with the same codec."""
    if (source / DESCRIBER).is_file():
        shutil.copy(source / DESCRIBER, folder / DESCRIBER)


def read_describer(folder: Path, channels: int) -> AttributeClassifier | None:
    """Read the classifier of the latents of the model in a folder; None where it has none.

    Args:
        folder: of the model.
        channels: of its latents.

    Raises:
        ModelError: the file is damaged, or belongs to another model.
    """
    path = folder / DESCRIBER
    if not path.is_file():
        return None

    def network_for(facts: dict[str, Any]) -> AttributeNetwork:
        str(facts["world"])
        return AttributeNetwork("latents", channels, sum(map(len, facts["attributes"].values())))

    network, facts = read_probe(path, "describer", network_for, "delete it")
    attributes = {name: tuple(values) for name, values in facts["attributes"].items()}
    return AttributeClassifier("latents", network, facts["world"], attributes, facts)


def read_judge(path: Path, kind: Kind, world: str, attributes: Attributes) -> AttributeClassifier:
    """Read a judge of pictures or mels.

    Raises:
        MediaError: the file cannot be read.
        ModelError: it is no judge, or judges other attributes than the world has.
    """
    advice = f"train one with runs/train_probes.py judge {world}"

    def network_for(facts: dict[str, Any]) -> AttributeNetwork:
        if facts["attributes"] != {name: list(values) for name, values in attributes.items()}:
            raise ModelError(f"{path} judges other attributes than the {world} has: {advice}.")
        return AttributeNetwork(kind, 3 if kind == "pictures" else 1, sum(map(len, attributes.values())))

    network, facts = read_probe(path, "judge", network_for, advice)
    return AttributeClassifier(kind, network, world, attributes, facts)


def write_classifier(path: Path, classifier: AttributeClassifier) -> None:
    """Write a classifier: a describer of latents, or a judge.

    Raises:
        MediaError: the file could not be written.
    """
    facts = {**classifier.facts, "world": classifier.world, "attributes": classifier.attributes}
    write_probe(path, "describer" if classifier.kind == "latents" else "judge", classifier.network, facts)
