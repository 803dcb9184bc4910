"""How a describer learns: from a world's things as the model's codec sees them."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.models.model import Model
from regrow.models.probes.describer import Describer, DescriberNetwork
from regrow.prompts.describe import WORLDS
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import FitState, fit
from regrow.training.settings import Fit
from regrow.training.training_data import to_batch
from regrow.training.world_data import drawn, played
from regrow.worlds.bandstand.playing import Phrase
from regrow.worlds.storybook.drawing import Scene

TRAINED_FROM, HELD_OUT_FROM = 3_000_000, 9_700_000
"""The first seeds. No model or judge learns from them, and no figure is measured on them but the describer's own."""


@dataclass(frozen=True)
class DescriberTraining:
    """What a describer learns from, and how.

    Attributes:
        things: scenes or phrases to learn from, seeds 3,000,000 and up.
        held_out: to measure on, seeds 9,700,000 and up.
        steps: of the optimizer.
        batch: latents a step.
        rate: peak learning rate of kernels (Muon).
        plain_rate: peak learning rate of biases and the output layer (AdamW).
        noise: largest deviation of the noise on the latents, so that pictures a codec knows less well are read, too.
        seed: of weights, samples and noise.
    """

    things: int = 8_000
    held_out: int = 1_000
    steps: int = 2_000
    batch: int = 64
    rate: float = 5e-3
    plain_rate: float = 1e-3
    noise: float = 0.3
    seed: int = 0


def train_describer(
    model: Model, world: str, folder: Path, settings: DescriberTraining = DescriberTraining()
) -> Generator[Progress | FitState, None, Describer]:
    """Train a describer of a model's latents; killed at any moment, the same call goes on where it was.

    Args:
        model: whose latents it reads.
        world: that the model knows, of `WORLDS`.
        folder: of the checkpoints.
        settings: see `DescriberTraining`.

    Returns:
        The describer; `facts["held_out"]` is the share of held-out things that it reads rightly, by attribute.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a file could not be written.
    """
    attributes = WORLDS[world].attributes
    latents, truth = yield from _seen(model, world, TRAINED_FROM, settings.things)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(settings.seed, "describer weights"))
        network = DescriberNetwork(model.latent_channels, sum(map(len, attributes.values())))
    sizes = [len(values) for values in attributes.values()]

    def loss_at(module: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(settings.seed, "describer", share.step))
        chosen = torch.from_numpy(random.choice(len(latents), settings.batch, replace=False))[share.of(settings.batch)]
        x = latents[chosen]
        spread = torch.from_numpy(random.uniform(0, settings.noise, (len(x), 1, 1, 1))).float()
        x = x + spread * torch.from_numpy(random.standard_normal(tuple(x.shape), dtype=np.float32))
        parts = module(x).split(sizes, dim=1)
        return torch.stack([nn.functional.cross_entropy(part, truth[chosen, i]) for i, part in enumerate(parts)]).sum()

    fitting = Fit(steps=settings.steps, rate=settings.rate, plain_rate=settings.plain_rate, warm_up=50, ema=0.99)
    yield from fit(network, loss_at, fitting, folder, make_accelerator(), tuple(network.head.parameters()))
    network = network.half().float().eval().requires_grad_(False)  # measured as it is shipped
    describer = Describer(network, world, attributes, {})
    latents, truth = yield from _seen(model, world, HELD_OUT_FROM, settings.held_out)
    right = dict.fromkeys(attributes, 0.0)
    for row, known in zip(describer.probabilities(latents), truth.tolist(), strict=True):
        for name, index in zip(attributes, known, strict=True):
            right[name] += (next(iter(row[name])) == attributes[name][index]) / len(latents)
    held_out = {name: round(share, 4) for name, share in right.items()}
    return Describer(network, world, attributes, {"settings": asdict(settings), "held_out": held_out})


def _seen(
    model: Model, world: str, first: int, count: int
) -> Generator[Progress, None, tuple[Float[Tensor, "n c y x"], Int[Tensor, "n attributes"]]]:
    """Things of a world as the model's codec sees them, and the numbers of their attributes' values."""
    things: Sequence[Any]
    if world == "storybook":
        things = [Scene.random(first + i) for i in range(count)]
        items = (yield from drawn(things, model.size[0]))[0]
    else:
        things = [Phrase.random(first + i) for i in range(count)]
        assert model.mel is not None
        items = yield from played(things, model.mel, model.size[1])
    parts = []
    for i in range(0, count, 32):
        parts.append(model.encode(to_batch(np.array(items[i : i + 32]))))
        yield Progress("encode", min(i + 32, count), count)
    attributes = WORLDS[world].attributes
    truth = [[values.index(getattr(thing, name)) for name, values in attributes.items()] for thing in things]
    return torch.cat(parts), torch.tensor(truth)
