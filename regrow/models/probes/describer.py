"""Describers: small networks that read off a model's latents what a picture shows or a sound is.

A model folder may hold one, `describer.safetensors`, that was trained on the world that the model knows:

    animal, colour, ... = argmax of one softmax an attribute, over features averaged and maximised over the latents
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from regrow.media.files import write_whole
from regrow.models.errors import ModelError
from regrow.models.folder import reason

FILE = "describer.safetensors"


class DescriberNetwork(nn.Module):
    """Latents `b c y x` to the logits of all values of all attributes, one after the other."""

    def __init__(self, channels: int, values: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 96, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(96, 128, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(128, 128, 3, padding=1),
            nn.ReLU(),
        )
        # an animal is seen in a few cells and the weather in all of them
        self.head = nn.Linear(2 * 128, values)

    def forward(self, latents: Float[Tensor, "b c y x"]) -> Float[Tensor, "b values"]:
        features = self.features(latents)
        return self.head(torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1))


@dataclass(frozen=True, eq=False)
class Describer:
    """A trained network and what it reads.

    Attributes:
        network: in eval mode.
        world: whose scenes or phrases it was trained on.
        attributes: names, each with its values in the order of the network's outputs.
        facts: how it was trained, and `held_out`: the share that it reads rightly, by attribute.
    """

    network: DescriberNetwork
    world: str
    attributes: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, Any]

    @torch.no_grad()
    def probabilities(self, latents: Float[Tensor, "b c y x"]) -> list[dict[str, dict[str, float]]]:
        """For each row how likely each value of each attribute is, the likeliest first."""
        parts = self.network(latents).split([len(values) for values in self.attributes.values()], dim=1)
        tables = [part.softmax(1).tolist() for part in parts]
        return [
            {
                name: dict(sorted(zip(values, table[i], strict=True), key=lambda pair: -pair[1]))
                for (name, values), table in zip(self.attributes.items(), tables, strict=True)
            }
            for i in range(len(latents))
        ]


def read_describer(folder: Path, channels: int) -> Describer | None:
    """The describer of the model in a folder; None where it has none.

    Args:
        folder: of the model.
        channels: of its latents.

    Raises:
        ModelError: the file is damaged, or belongs to another model.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["describer"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  # no mapping
        world = facts["world"]
        attributes = {name: tuple(values) for name, values in facts["attributes"].items()}
        network = DescriberNetwork(channels, sum(map(len, attributes.values())))
        network.load_state_dict(tensors)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as problem:
        raise ModelError(f"{path} is no describer of this model ({reason(problem)}): delete it.") from problem
    network.eval().requires_grad_(False)
    return Describer(network, world, attributes, facts)


def write_describer(folder: Path, describer: Describer) -> None:
    """Write a describer into a model's folder, in half precision.

    Raises:
        MediaError: the file could not be written.
    """
    facts = {**describer.facts, "world": describer.world, "attributes": describer.attributes}
    tensors = {name: tensor.half().contiguous() for name, tensor in describer.network.state_dict().items()}
    write_whole(folder / FILE, save(tensors, {"describer": json.dumps(facts)}))
