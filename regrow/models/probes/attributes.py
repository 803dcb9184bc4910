"""Attribute classifiers: small networks that read a world's attributes from a picture, a sound or a latent.

    animal, colour, ... = argmax of one softmax per attribute, on mean- and max-pooled features

There are three kinds, which differ only in their layers and their input:

- latents: the describer that a model folder may hold (`describer.safetensors`), for attributes that a prompt omits;
- pictures and mels: the judges of the benchmarks, which share nothing with the models that they judge.

Not every picture shows its weather: in the living room it is visible only through a window, and a large animal in front
of it can hide the flakes, drops or snow that tell snowy, rainy and cloudy apart. Nearly all errors of the judge on
drawings come from this. The time is always visible, as lamplight also tints the room. The judge of mels ignores the
level: it reads a clip's mel relative to its loudest cell.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regrow.media.files import version_of
from regrow.messages.message import say
from regrow.models.errors import ModelError
from regrow.models.probes.attribute_network import MEL, AttributeNetwork, Kind
from regrow.models.probes.weights import read_probe, write_probe
from regrow.worlds.world import WORLDS

DESCRIBER = "describer.safetensors"
"""The file of a model's own classifier, in its folder."""
SIDE = 128
"""Pixels along each side of the judge's input pictures."""
SHORTEST = 128
"""Fewest frames of a mel, about 1.5 s; the judge was trained on 512."""

Attributes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class AttributeClassifier:
    """A trained attribute classifier.

    Attributes:
        kind: kind of its input.
        network: the network, in eval mode.
        world: name of the world that it was trained on.
        attributes: the values of each attribute, in the order of the network's outputs.
        facts: how it was trained, and `held_out`: its accuracy.
    """

    kind: Kind
    network: AttributeNetwork
    world: str
    attributes: Attributes
    facts: Mapping[str, Any]

    @torch.no_grad()
    def features(self, x: Float[Tensor, "b c h w"], batch: int = 64) -> Float[Tensor, "b features"]:
        """Compute the features that the network classifies.

        Args:
            x: latents; pictures in [-1, 1] of any size, resized to 128 x 128 (antialiased bilinear), stretched if not
                square; or mels in dB, as `to_mel` gives them with the default settings, of 128 frames or more.
            batch: rows at a time.

        Raises:
            ValueError: `x` is not a batch of such inputs, or a value is not finite.
        """
        _check(self.kind, x)
        return torch.cat([self.network.pooled(_fitted(self.kind, part.float())) for part in x.split(batch)])

    def probabilities(self, x: Float[Tensor, "b c h w"]) -> dict[str, Float[Tensor, "b values"]]:
        """Compute how likely each value of each attribute is, in the order of `attributes`; each row sums to 1.

        The classifier is also confident on rough pictures and on noise, as it has no value "none of them". Arguments
        and errors as for `features`.
        """
        return self._tables(self.features(x))

    def ranked(self, x: Float[Tensor, "b c h w"]) -> list[dict[str, dict[str, float]]]:
        """Return for each row the probabilities of each attribute's values, the likeliest first."""
        tables = {name: table.tolist() for name, table in self.probabilities(x).items()}
        return [
            {
                name: dict(sorted(zip(self.attributes[name], table[i], strict=True), key=lambda pair: -pair[1]))
                for name, table in tables.items()
            }
            for i in range(len(x))
        ]

    def read(self, x: Float[Tensor, "b c h w"]) -> list[dict[str, str]]:
        """Return the likeliest value of each attribute, for each row; arguments and errors as for `features`."""
        return self.read_features(self.features(x))

    def read_features(self, features: Float[Tensor, "b features"]) -> list[dict[str, str]]:
        """Return the same as `read`, from precomputed features."""
        rows = {name: table.argmax(1).tolist() for name, table in self._tables(features).items()}
        return [{name: self.attributes[name][row[i]] for name, row in rows.items()} for i in range(len(features))]

    def _tables(self, features: Float[Tensor, "b features"]) -> dict[str, Float[Tensor, "b some"]]:
        parts = self.network.head(features).split([len(values) for values in self.attributes.values()], dim=1)
        return {name: part.softmax(1) for name, part in zip(self.attributes, parts, strict=True)}


def _check(kind: Kind, x: Tensor) -> None:
    if kind == "pictures" and (x.ndim != 4 or x.shape[1] != 3 or 0 in x.shape):
        raise ValueError(say("judge_picture_shape", given=tuple(x.shape)))
    if kind == "mels" and (x.ndim != 4 or x.shape[1:3] != (1, MEL.bands) or len(x) == 0 or x.shape[3] < SHORTEST):
        raise ValueError(say("judge_mel_shape", bands=MEL.bands, shortest=SHORTEST, given=tuple(x.shape)))
    if not x.isfinite().all():
        raise ValueError(say("judge_values_not_finite", kind=kind))


def _fitted(kind: Kind, x: Tensor) -> Tensor:
    if kind != "pictures" or x.shape[-2:] == (SIDE, SIDE):
        return x
    return nn.functional.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)


def copy_describer(source: Path, folder: Path) -> None:
    """Copy a model's classifier of latents, if it has one, into the folder of a model with the same codec."""
    if (source / DESCRIBER).is_file():
        shutil.copy(source / DESCRIBER, folder / DESCRIBER)


def read_describer(folder: Path, channels: int) -> AttributeClassifier | None:
    """Read the latent classifier in a model's folder; None if there is none.

    Args:
        folder: the model's folder.
        channels: channels of its latents.

    Raises:
        ModelError: the file is damaged, or belongs to another model.
    """
    path = folder / DESCRIBER
    return _read_describer(path, channels, version_of(path)) if path.is_file() else None


@lru_cache(8)
def _read_describer(path: Path, channels: int, version: tuple[int, int, int]) -> AttributeClassifier:
    """Read a version of the file."""

    def network_for(facts: dict[str, Any]) -> AttributeNetwork:
        if facts["world"] not in WORLDS:
            raise KeyError(facts["world"])
        return AttributeNetwork("latents", channels, sum(map(len, facts["attributes"].values())))

    network, facts = read_probe(path, "describer", network_for, say("delete_it"))
    attributes = {name: tuple(values) for name, values in facts["attributes"].items()}
    return AttributeClassifier("latents", network, facts["world"], attributes, facts)


def read_judge(path: Path, kind: Kind, world: str, attributes: Attributes) -> AttributeClassifier:
    """Read a judge of pictures or mels.

    Raises:
        MediaError: the file cannot be read.
        ModelError: it is not a judge, or its attributes are not the world's.
    """
    advice = say("train_a_judge", world=world)

    def network_for(facts: dict[str, Any]) -> AttributeNetwork:
        if facts["attributes"] != {name: list(values) for name, values in attributes.items()}:
            raise ModelError(say("judge_of_other_world", path=path, world=world, advice=advice))
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
