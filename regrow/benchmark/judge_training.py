"""How the judge learns: from drawn pictures, worn in the ways in which codecs and denoisers wear them."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn

from regrow.benchmark.judge import ATTRIBUTES, SIDE, Judge, JudgeNetwork
from regrow.core.noise import derive_seed
from regrow.core.progress import finish
from regrow.media.files import write_whole
from regrow.media.image.picture import from_uint8, to_uint8
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import FitState, fit
from regrow.training.settings import Fit
from regrow.training.world_data import drawn
from regrow.worlds.storybook.drawing import Scene

TRAINED_FROM, HELD_OUT_FROM = 2_000_000, 9_500_000
"""The first seeds of the scenes. What a model learns from lies below, what it is measured on from 9,000,000 on."""

Pictures = Float[Tensor, "b 3 h w"]
Wear = Callable[[Pictures, np.random.Generator], Pictures]


@dataclass(frozen=True)
class JudgeTraining:
    """What the judge learns from, and how.

    Attributes:
        scenes: drawn for training, seeds 2,000,000 and up.
        held_out: drawn for measuring, seeds 9,500,000 and up.
        steps: of the optimizer.
        batch: pictures a step.
        rate: peak learning rate of kernels (Muon).
        plain_rate: peak learning rate of biases, norms and the output layer (AdamW).
        seed: of weights, samples and wear.
    """

    scenes: int = 16_000
    held_out: int = 2_000
    steps: int = 2_600
    batch: int = 32
    rate: float = 1e-2
    plain_rate: float = 2e-3
    seed: int = 0


def train_judge(
    folder: Path, settings: JudgeTraining = JudgeTraining(), processes: int | None = None
) -> Generator[FitState, None, Judge]:
    """Train a judge; killed at any moment, the same call goes on where it was.

    Writes `folder/judge.safetensors`: weights in half precision, with settings and held-out accuracies.

    Args:
        folder: of the checkpoints and of the result.
        settings: see `JudgeTraining`.
        processes: that draw; all cores when None.

    Returns:
        The judge as the file holds it; `facts["held_out"]` is what `accuracies` gives.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a file could not be written.
    """
    scenes = [Scene.random(TRAINED_FROM + i) for i in range(settings.scenes)]
    pictures, truth = finish(drawn(scenes, SIDE, processes))[0], labels(scenes, ATTRIBUTES)
    network = _fresh(settings.seed)

    def loss_at(module: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(settings.seed, "judge", share.step))
        chosen = random.choice(len(pictures), settings.batch, replace=False)
        x, y = _mirrored(from_uint8(pictures[chosen]), truth[chosen], random)
        own = share.of(settings.batch)
        return attribute_loss(
            module(worn(x, random)[own].contiguous(memory_format=torch.channels_last)), y[own], ATTRIBUTES
        )

    fitting = Fit(
        steps=settings.steps, rate=settings.rate, plain_rate=settings.plain_rate, warm_up=100, flat=0.3, ema=0.99
    )
    yield from fit(network, loss_at, fitting, folder, make_accelerator(), tuple(network.head.parameters()))
    network = network.half().float().eval().requires_grad_(False)  # measured as it is shipped
    held_out = [Scene.random(HELD_OUT_FROM + i) for i in range(settings.held_out)]
    facts: dict[str, Any] = {
        "settings": asdict(settings),
        "attributes": {name: list(values) for name, values in ATTRIBUTES.items()},
        "held_out": accuracies(Judge(network, {}), held_out, finish(drawn(held_out, SIDE, processes))[0]),
    }
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    write_whole(folder / "judge.safetensors", save(tensors, {"judge": json.dumps(facts)}))
    return Judge(network, facts)


def accuracies(judge: Judge, scenes: Sequence[Scene], pictures: np.ndarray) -> dict[str, dict[str, float]]:
    """The share of drawn pictures, uint8 `n h w 3`, that the judge reads rightly: by wear, then by attribute."""
    wears: dict[str, Wear] = {
        "clean": lambda x, random: x,
        "blurred": lambda x, random: _blurred(x, np.full(len(x), 1.0)),
        "half size": lambda x, random: _resized(x, np.full(len(x), x.shape[-1] // 2)),
        "noisy": lambda x, random: x + 0.1 * _normal(x.shape, random),
        "jpeg": lambda x, random: _jpeg(x, np.full(len(x), 30)),
    }
    found: dict[str, dict[str, float]] = {}
    for name, wear in wears.items():
        right = dict.fromkeys(ATTRIBUTES, 0)
        for start in range(0, len(scenes), 100):
            x = wear(from_uint8(pictures[start : start + 100]), np.random.default_rng(start))
            for scene, read in zip(scenes[start : start + 100], judge.read(x), strict=True):
                for attribute in right:
                    right[attribute] += read[attribute] == getattr(scene, attribute)
        found[name] = {attribute: count / len(scenes) for attribute, count in right.items()}
    return found


def worn(x: Pictures, random: np.random.Generator) -> Pictures:
    """Pictures in [-1, 1], a quarter of them as they are and each other one with about half of: bent lines, another
    tint, blur or coarser pixels, noise, JPEG's blocks."""
    spared = random.random(len(x)) < 0.25
    wears: tuple[Wear, ...] = (
        lambda x, random: _bent(x, random.uniform(0, 2.5, len(x)), random),
        _tinted,
        lambda x, random: _blurred(x, random.uniform(0.3, 1.8, len(x))),
        lambda x, random: _resized(x, random.integers(x.shape[-1] * 3 // 8, x.shape[-1], len(x))),
        lambda x, random: (
            x + torch.from_numpy(random.uniform(0, 0.15, (len(x), 1, 1, 1))).float() * _normal(x.shape, random)
        ),
        lambda x, random: _jpeg(x, random.integers(15, 80, len(x))),
    )
    x = x.clone()
    for wear in wears:
        hit = torch.from_numpy(np.flatnonzero((random.random(len(x)) < 0.45) & ~spared))
        if len(hit):
            x[hit] = wear(x[hit], random).clamp(-1, 1)
    return x


def _fresh(seed: int) -> JudgeNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "judge weights"))
        network = JudgeNetwork()
    for parameter in network.parameters():  # what convolutions on a CPU are fastest in
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def labels(items: Sequence[Any], attributes: Mapping[str, tuple[str, ...]]) -> Int[Tensor, "n attributes"]:
    """The number of each attribute's value, for items that have fields of these names."""
    return torch.tensor([[values.index(getattr(item, name)) for name, values in attributes.items()] for item in items])


def attribute_loss(
    logits: Float[Tensor, "b values"], truth: Int[Tensor, "b attributes"], attributes: Mapping[str, tuple[str, ...]]
) -> Float[Tensor, ""]:
    """The attributes' mean cross-entropies, added up."""
    parts = logits.split([len(values) for values in attributes.values()], dim=1)
    losses = [nn.functional.cross_entropy(part, truth[:, i]) for i, part in enumerate(parts)]
    return torch.stack(losses).sum()


def _mirrored(
    x: Pictures, truth: Int[Tensor, "b attributes"], random: np.random.Generator
) -> tuple[Pictures, Int[Tensor, "b attributes"]]:
    """Half of the pictures mirrored, which changes where the animal faces and nothing else that is read."""
    flip, facing = torch.from_numpy(random.random(len(x)) < 0.5), list(ATTRIBUTES).index("facing")
    truth = truth.clone()
    truth[flip, facing] = 1 - truth[flip, facing]
    return torch.where(flip[:, None, None, None], x.flip(-1), x), truth


def _bent(x: Pictures, pixels: np.ndarray, random: np.random.Generator) -> Pictures:
    """Lines that wander by about so many pixels, smoothly: a denoiser gets shapes slightly wrong."""
    height, width = x.shape[-2:]
    coarse = _normal((len(x), 2, 9, 9), random) * torch.from_numpy(pixels).float()[:, None, None, None]
    shift = nn.functional.interpolate(coarse, (height, width), mode="bicubic") * (2 / width)
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    grid = torch.stack([columns, rows], -1) + shift.permute(0, 2, 3, 1)
    return nn.functional.grid_sample(x, grid, padding_mode="reflection", align_corners=True)


def _tinted(x: Pictures, random: np.random.Generator) -> Pictures:
    """Contrast within 15 %, brightness within 0.12 and each channel within 0.06: far less than grey is from black."""
    gain = 1 + random.uniform(-0.15, 0.15, (len(x), 1, 1, 1))
    shift = random.uniform(-0.12, 0.12, (len(x), 1, 1, 1)) + random.uniform(-0.06, 0.06, (len(x), 3, 1, 1))
    return x * torch.from_numpy(gain).float() + torch.from_numpy(shift).float()


def _blurred(x: Pictures, sigmas: np.ndarray) -> Pictures:
    """A Gaussian blur, in pixels, of its own for each picture."""
    offsets = torch.arange(-5, 6)
    weights = torch.exp(-(offsets**2) / (2 * torch.from_numpy(sigmas).float()[:, None] ** 2))
    weights = (weights / weights.sum(1, keepdim=True)).repeat_interleave(3, 0)
    flat = nn.functional.pad(x.flatten(0, 1)[None], (5, 5, 5, 5), mode="replicate")
    down = nn.functional.conv2d(flat, weights[:, None, :, None], groups=len(weights))
    return nn.functional.conv2d(down, weights[:, None, None, :], groups=len(weights)).view(x.shape)


def _resized(x: Pictures, sides: np.ndarray) -> Pictures:
    """Each picture as it comes back from a smaller side."""
    small = [
        nn.functional.interpolate(p[None], int(s), mode="bilinear", antialias=True)
        for p, s in zip(x, sides, strict=True)
    ]
    return torch.cat([nn.functional.interpolate(p, x.shape[-2:], mode="bilinear") for p in small])


def _jpeg(x: Pictures, qualities: np.ndarray) -> Pictures:
    """Each picture as it comes back from a JPEG of that quality."""
    back = []
    for values, quality in zip(to_uint8(x.clamp(-1, 1)), qualities, strict=True):
        buffer = BytesIO()
        Image.fromarray(values).save(buffer, "JPEG", quality=int(quality))
        back.append(np.asarray(Image.open(buffer)))
    return from_uint8(np.stack(back))


def _normal(shape: Sequence[int], random: np.random.Generator) -> Tensor:
    return torch.from_numpy(random.standard_normal(tuple(shape), dtype=np.float32))
