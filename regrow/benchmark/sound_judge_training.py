"""How the sound judge learns: from played phrases, worn in the ways in which codecs, denoisers and phases wear them."""

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor, nn

from regrow.benchmark.judge_training import attribute_loss, labels
from regrow.benchmark.sound_judge import ATTRIBUTES, SETTINGS, SoundJudge, SoundJudgeNetwork
from regrow.core.noise import derive_seed
from regrow.core.progress import finish
from regrow.media.audio.mel import from_unit, to_mel
from regrow.media.audio.mel_inverse import powers
from regrow.media.audio.phase import griffin_lim, wave_of
from regrow.media.files import write_whole
from regrow.training.distributed import Share, make_accelerator
from regrow.training.loop import FitState, fit
from regrow.training.settings import Fit
from regrow.training.world_data import played
from regrow.worlds.bandstand.playing import Phrase

TRAINED_FROM, HELD_OUT_FROM = 2_000_000, 9_200_000
"""The first seeds of the phrases. What a model learns from lies below, what it is measured on from 9,000,000 on."""
FRAMES = 512
"""Of each clip: six seconds."""
SLOW = 300
"""Held-out phrases whose phases are reconstructed, at most."""

Mels = Float[Tensor, "b 1 bands frames"]
Wear = Callable[[Mels, np.random.Generator], Mels]


@dataclass(frozen=True)
class SoundJudgeTraining:
    """What the sound judge learns from, and how.

    Attributes:
        phrases: played for training, seeds 2,000,000 and up.
        held_out: played for measuring, seeds 9,200,000 and up.
        seconds: of training.
        batch: clips a step.
        rate: peak learning rate of kernels (Muon).
        plain_rate: peak learning rate of biases, norms and the output layer (AdamW).
        seed: of weights, samples and wear.
    """

    phrases: int = 8_000
    held_out: int = 1_400
    seconds: float = 1_600
    batch: int = 32
    rate: float = 1e-2
    plain_rate: float = 2e-3
    seed: int = 0


def train_sound_judge(
    folder: Path, settings: SoundJudgeTraining = SoundJudgeTraining(), processes: int | None = None
) -> Generator[FitState, None, SoundJudge]:
    """Train a sound judge; killed at any moment, the same call goes on where it was.

    Writes `folder/sound_judge.safetensors`: weights in half precision, with settings and held-out accuracies.

    Args:
        folder: of the checkpoints and of the result.
        settings: see `SoundJudgeTraining`.
        processes: that play; all cores when None.

    Returns:
        The judge as the file holds it; `facts["held_out"]` is what `accuracies` gives.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a file could not be written.
    """
    phrases = [Phrase.random(TRAINED_FROM + i) for i in range(settings.phrases)]
    mels, truth = finish(played(phrases, SETTINGS, FRAMES, processes)), labels(phrases, ATTRIBUTES)
    network = _fresh(settings.seed)

    def loss_at(module: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(settings.seed, "sound judge", share.step))
        chosen = np.sort(random.choice(len(mels), settings.batch, replace=False))
        own = share.of(settings.batch)
        x = worn(in_decibels(mels[chosen]), random)
        return attribute_loss(module(x[own]), truth[chosen][own], ATTRIBUTES)

    fitting = Fit(
        seconds=settings.seconds, rate=settings.rate, plain_rate=settings.plain_rate, warm_up=100, flat=0.3, ema=0.99
    )
    yield from fit(network, loss_at, fitting, folder, make_accelerator(), tuple(network.head.parameters()))
    network = network.half().float().eval().requires_grad_(False)  # measured as it is shipped
    held_out = [Phrase.random(HELD_OUT_FROM + i) for i in range(settings.held_out)]
    mels = finish(played(held_out, SETTINGS, FRAMES, processes))
    facts: dict[str, Any] = {
        "settings": asdict(settings),
        "attributes": {name: list(values) for name, values in ATTRIBUTES.items()},
        "held_out": accuracies(SoundJudge(network, {}), held_out, mels),
    }
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    write_whole(folder / "sound_judge.safetensors", save(tensors, {"judge": json.dumps(facts)}))
    return SoundJudge(network, facts)


def accuracies(judge: SoundJudge, phrases: Sequence[Phrase], mels: np.ndarray) -> dict[str, dict[str, float]]:
    """The share of played phrases that the judge hears rightly: by wear, then by attribute.

    "rebuilt", which is slow, is measured on the first 300 phrases.

    Args:
        judge: that is measured.
        phrases: the truth.
        mels: of the phrases, as `played` gives them.
    """
    wears: dict[str, Wear] = {
        "clean": lambda x, random: x,
        "blurred": lambda x, random: _blurred(x, np.full(len(x), 1.0)),
        "noisy": lambda x, random: _noisy(x, np.full(len(x), -35.0), random),
        "gaps": _gaps,
        "rebuilt": _rebuilt,
    }
    counted = {"rebuilt": min(SLOW, len(phrases))}
    found: dict[str, dict[str, float]] = {}
    for name, wear in wears.items():
        right, count = dict.fromkeys(ATTRIBUTES, 0), counted.get(name, len(phrases))
        for start in range(0, count, 100):
            part = slice(start, min(start + 100, count))
            x = wear(in_decibels(mels[part]), np.random.default_rng(start))
            for phrase, read in zip(phrases[part], judge.read(x), strict=True):
                for attribute in right:
                    right[attribute] += read[attribute] == getattr(phrase, attribute)
        found[name] = {attribute: hits / count for attribute, hits in right.items()}
    return found


def in_decibels(mels: np.ndarray) -> Mels:
    """What `played` gives, as `to_mel` gives it."""
    return from_unit(torch.from_numpy(np.array(mels)).float().movedim(-1, 1), SETTINGS)


def worn(x: Mels, random: np.random.Generator) -> Mels:
    """Mels in dB, a quarter of them as they are and each other one with about half of: another level and balance of
    the bands, blur, noise beside it and in it, gaps in time and bands."""
    spared = random.random(len(x)) < 0.25
    wears: tuple[Wear, ...] = (
        _tilted,
        lambda x, random: _blurred(x, random.uniform(0.3, 1.6, len(x))),
        lambda x, random: _noisy(x, random.uniform(-70, -30, len(x)), random),
        lambda x, random: x + _column(random.uniform(0, 4, len(x))) * _normal(x.shape, random),
        _gaps,
    )
    x = x.clone()
    for wear in wears:
        hit = torch.from_numpy(np.flatnonzero((random.random(len(x)) < 0.45) & ~spared))
        if len(hit):
            x[hit] = wear(x[hit], random).clamp_min(SETTINGS.floor)
    return x


def _fresh(seed: int) -> SoundJudgeNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "sound judge weights"))
        return SoundJudgeNetwork()


def _tilted(x: Mels, random: np.random.Generator) -> Mels:
    """Level within 15 dB, and a smooth change of the bands of about 4 dB."""
    coarse = 4 * _normal((len(x), 1, 6, 1), random)
    balance = nn.functional.interpolate(coarse, (x.shape[2], 1), mode="bicubic", align_corners=True)
    return x + balance + _column(random.uniform(-15, 15, len(x)))


def _blurred(x: Mels, sigmas: np.ndarray) -> Mels:
    """A Gaussian blur over bands and frames, in cells, of its own for each mel."""
    offsets = torch.arange(-5, 6)
    weights = torch.exp(-(offsets**2) / (2 * torch.from_numpy(sigmas).float()[:, None] ** 2))
    weights = weights / weights.sum(1, keepdim=True)
    flat = nn.functional.pad(x.movedim(0, 1), (5, 5, 5, 5), mode="replicate")
    down = nn.functional.conv2d(flat, weights[:, None, :, None], groups=len(weights))
    return nn.functional.conv2d(down, weights[:, None, None, :], groups=len(weights)).movedim(1, 0)


def _noisy(x: Mels, levels: np.ndarray, random: np.random.Generator) -> Mels:
    """A noise beside it, its mean power in each band so many dB below the loudest cell."""
    power = torch.from_numpy(random.exponential(size=tuple(x.shape)).astype(np.float32))
    noise = power * 10 ** ((x.amax((1, 2, 3), keepdim=True) + _column(levels)) / 10)
    return 10 * (10 ** (x / 10) + noise).log10()


def _gaps(x: Mels, random: np.random.Generator) -> Mels:
    """One to three silent gaps of up to 12 frames (0.14 s), and up to 4 neighbouring bands missing."""
    x = x.clone()
    for mel in x:
        for _ in range(random.integers(1, 4)):
            start = random.integers(x.shape[3] - 12)
            mel[..., start : start + random.integers(1, 13)] = SETTINGS.floor
        start = random.integers(x.shape[2] - 4)
        mel[:, start : start + random.integers(0, 5)] = SETTINGS.floor
    return x


def _rebuilt(x: Mels, random: np.random.Generator) -> Mels:
    """The mel of a wave that a rough reconstruction makes of it: a few updates of the magnitudes, and a few rounds of
    Griffin-Lim from random phases."""
    magnitude = powers(x, SETTINGS, updates=10).sqrt()
    phase = 2 * torch.pi * torch.from_numpy(random.random(tuple(magnitude.shape), dtype=np.float32))
    return to_mel(wave_of(griffin_lim(magnitude, phase, SETTINGS, iterations=8), SETTINGS)[:, None], SETTINGS)


def _column(values: np.ndarray) -> Float[Tensor, "b 1 1 1"]:
    return torch.from_numpy(values).float()[:, None, None, None]


def _normal(shape: Sequence[int], random: np.random.Generator) -> Tensor:
    return torch.from_numpy(random.standard_normal(tuple(shape), dtype=np.float32))
