"""Train attribute classifiers on a world's things, which are drawn or played by rule, so their attributes are known."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.media.audio.mel import from_unit
from regrow.models.load_part import channels_last
from regrow.models.model import Model
from regrow.models.probes.attribute_network import MEL, AttributeNetwork, Kind
from regrow.models.probes.attributes import SIDE, AttributeClassifier
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import Fit, FitState, fit
from regrow.training.probes import wear
from regrow.training.training_data import to_batch
from regrow.training.world_data import drawn, played
from regrow.worlds.world import WORLDS, World

FRAMES = 512
"""Frames of each mel that a judge learns from: six seconds."""
SLOW = {"rebuilt": 300}
"""Kinds of wear that are measured only on the first things, because they take long."""

Batch = Float[Tensor, "b c h w"]
Truth = Int[Tensor, "b attributes"]
Examples = Generator[Progress, None, tuple[Any, Truth]]
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class AttributeTraining:
    """The data and settings of a classifier's training.

    Attributes:
        things: number of scenes or phrases to learn from.
        held_out: number of things to measure on.
        steps: of the optimizer; 0 if `seconds` is given.
        seconds: of training; 0 if `steps` is given.
        batch: things per step.
        rate: peak learning rate of kernels (Muon).
        plain_rate: peak learning rate of biases, norms and the output layer (AdamW).
        warm_up: steps over which the rates rise.
        noise: largest deviation of the noise on latents, so that pictures less familiar to the codec can be read too.
        seed: of weights, samples and wear.
    """

    things: int = 8_000
    held_out: int = 1_000
    steps: int = 0
    seconds: float = 0
    batch: int = 32
    rate: float = 1e-2
    plain_rate: float = 2e-3
    warm_up: int = 100
    noise: float = 0.3
    seed: int = 0


DEFAULTS: dict[Kind, AttributeTraining] = {
    "latents": AttributeTraining(steps=2_000, batch=64, rate=5e-3, plain_rate=1e-3, warm_up=50),
    "pictures": AttributeTraining(things=16_000, held_out=2_000, steps=2_600),
    "mels": AttributeTraining(held_out=1_400, seconds=1_600),
}
SEEDS: dict[Kind, tuple[int, int]] = {
    "latents": (3_000_000, 9_700_000),
    "pictures": (2_000_000, 9_500_000),
    "mels": (2_000_000, 9_200_000),
}
"""The first seeds of the things to learn from and to measure on. Models learn from smaller seeds, and the benchmarks
measure on seeds from 9,000,000 on; a describer's seeds are used by no judge and no model."""
_STREAMS: dict[Kind, str] = {"latents": "describer", "pictures": "judge", "mels": "sound judge"}
"""Names of the random numbers of each kind."""


def train_attributes(
    kind: Kind,
    world: str,
    folder: Path,
    settings: AttributeTraining | None = None,
    model: Model | None = None,
    processes: int | None = None,
) -> Generator[Progress | FitState, None, AttributeClassifier]:
    """Train a classifier; if it is killed, the same call continues.

    Args:
        kind: of its input.
        world: of the things that it reads, a key of `WORLDS`.
        folder: of the checkpoints.
        settings: those of `DEFAULTS` when None.
        model: whose latents it reads; only for latents.
        processes: number of processes that draw or play; one per core when None.

    Returns:
        The classifier as it will be stored; `facts["held_out"]` is the result of `accuracies`.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a file could not be written.
    """
    settings, source, stream = settings or DEFAULTS[kind], WORLDS[world], _STREAMS[kind]
    attributes = source.attributes
    render = _renderer(kind, world, model, processes)
    first, first_held_out = SEEDS[kind]
    items, truth = yield from _examples(source, first, settings.things, render)
    channels = {"latents": model.latent_channels if model else 0, "pictures": 3, "mels": 1}[kind]
    network = seeded(
        lambda: AttributeNetwork(kind, channels, sum(map(len, attributes.values()))), settings.seed, f"{stream} weights"
    )
    if kind == "pictures":  # the fastest format for convolutions on a CPU
        channels_last(network)

    def loss_at(module: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(settings.seed, stream, share.step))
        rows = random.choice(len(items), settings.batch, replace=False)
        x, y = _augmented(kind, attributes, as_read(kind, items[rows]), truth[rows], settings.noise, random)
        own = share.of(settings.batch)
        return attribute_loss(module(x[own]), y[own], attributes)

    fitting = Fit(
        steps=settings.steps, seconds=settings.seconds, rate=settings.rate, plain_rate=settings.plain_rate,
        warm_up=settings.warm_up, ema=0.99,
    )  # fmt: skip
    network = yield from trained(network, loss_at, fitting, folder)
    classifier = AttributeClassifier(kind, network, world, attributes, {})
    held_out = yield from _examples(source, first_held_out, settings.held_out, render)
    facts = {"settings": asdict(settings), "held_out": accuracies(classifier, *held_out)}
    return AttributeClassifier(kind, network, world, attributes, facts)


def seeded(make: Callable[[], Network], seed: int, stream: str) -> Network:
    """Make a network whose initial weights depend only on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, stream))
        return make()


def trained(
    network: Any, loss_at: Callable[[nn.Module, Share], Tensor], fitting: Fit, folder: Path
) -> Generator[FitState, None, Any]:
    """Fit a probe whose last layer is `head`, and round it to half precision, in which it is measured and shipped."""
    yield from fit(network, loss_at, fitting, folder, make_accelerator(), tuple(network.head.parameters()))
    return network.half().float().eval().requires_grad_(False)


def accuracies(classifier: AttributeClassifier, items: Any, truth: Truth) -> dict[str, dict[str, float]]:
    """Compute the share of things that a classifier reads correctly: by wear, then by attribute.

    "rebuilt" mels, which take long, are measured on the first 300 things.

    Args:
        classifier: to be measured.
        items: pictures, uint8 `n h w 3`, mels as returned by `played`, or latents.
        truth: the index of each attribute's value.
    """
    tests = {"pictures": wear.PICTURE_TESTS, "mels": wear.MEL_TESTS}.get(classifier.kind, {"clean": lambda x, _: x})
    names = list(classifier.attributes)
    shares: dict[str, dict[str, float]] = {}
    for test, change in tests.items():
        count, right = min(SLOW.get(test, len(items)), len(items)), torch.zeros(len(names), dtype=torch.long)
        for start in range(0, count, 100):
            rows = slice(start, min(start + 100, count))
            x = change(as_read(classifier.kind, items[rows]), np.random.default_rng(start))
            tables = classifier.probabilities(x).values()
            right += (torch.stack([table.argmax(1) for table in tables], 1) == truth[rows]).sum(0)
        shares[test] = {name: hits / count for name, hits in zip(names, right.tolist(), strict=True)}
    return shares


def as_read(kind: Kind, items: Any) -> Batch:
    """Convert stored items to a classifier's input: pictures in [-1, 1], mels in dB, or latents."""
    if kind == "latents":
        return items
    batch = to_batch(np.array(items))
    return from_unit(batch, MEL) if kind == "mels" else batch


def labels(things: Sequence[Any], attributes: Mapping[str, tuple[str, ...]]) -> Truth:
    """Return the index of each attribute's value."""
    return torch.tensor(
        [[values.index(getattr(thing, name)) for name, values in attributes.items()] for thing in things]
    )


def attribute_loss(
    logits: Float[Tensor, "b values"], truth: Truth, attributes: Mapping[str, tuple[str, ...]]
) -> Float[Tensor, ""]:
    """Return the sum of the attributes' mean cross-entropies."""
    parts = logits.split([len(values) for values in attributes.values()], dim=1)
    return torch.stack([nn.functional.cross_entropy(part, truth[:, i]) for i, part in enumerate(parts)]).sum()


def _renderer(
    kind: Kind, world: str, model: Model | None, processes: int | None
) -> Callable[[Sequence[Any]], Generator[Progress, None, Any]]:
    def render(things: Sequence[Any]) -> Generator[Progress, None, Any]:
        if world == "storybook":
            items = (yield from drawn(things, model.size[0] if model else SIDE, processes))[0]
        else:
            mel, frames = (model.mel, model.size[1]) if model else (MEL, FRAMES)
            assert mel, "the bandstand is learned as mels"
            items = yield from played(things, mel, frames, processes)
        if model is None:
            return items
        parts = []
        for i in range(0, len(things), 32):
            parts.append(model.encode(to_batch(np.array(items[i : i + 32]))))
            yield Progress("encode", min(i + 32, len(things)), len(things))
        return torch.cat(parts)

    return render


def _examples(
    world: World, first: int, count: int, render: Callable[[Sequence[Any]], Generator[Progress, None, Any]]
) -> Examples:
    things = [world.random(first + i) for i in range(count)]
    return (yield from render(things)), labels(things, world.attributes)


def _augmented(
    kind: Kind, attributes: Mapping[str, Any], x: Batch, truth: Truth, noise: float, random: np.random.Generator
) -> tuple[Batch, Truth]:
    """Change a batch, so that the classifier can also read the output of a codec or a denoiser."""
    if kind == "latents":
        return x + wear.column(random.uniform(0, noise, len(x))) * wear.normal(x.shape, random), truth
    if kind == "mels":
        return wear.worn(x, wear.MEL_WEARS, MEL.floor, float("inf"), random), truth
    # mirroring a picture changes the direction that the animal faces, and no other attribute
    flip, facing = torch.from_numpy(random.random(len(x)) < 0.5), list(attributes).index("facing")
    truth = truth.clone()
    truth[flip, facing] = 1 - truth[flip, facing]
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    x = wear.worn(x, wear.PICTURE_WEARS, -1, 1, random)
    return x.contiguous(memory_format=torch.channels_last), truth
