"""Train a transcriber on played phrases, whose notes are known."""

from collections import defaultdict
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor, nn

from regrow.core.noise import derive_seed
from regrow.core.progress import finish
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import STANDARD, PianoRollSettings, Sounding, matches
from regrow.models.probes.transcriber import STRIDE, Transcriber, TranscriberNetwork
from regrow.training.distributed import Share
from regrow.training.loop import FitState
from regrow.training.probes.train_attributes import SEEDS, seeded, trained
from regrow.training.settings import Fit
from regrow.training.training_data import to_batch
from regrow.training.world_data import played
from regrow.worlds.bandstand.playing import Phrase, notes


@dataclass(frozen=True)
class TranscriberTraining:
    """The data and settings of a transcriber's training.

    Attributes:
        phrases: number to learn from, with seeds from 3,000,000 on.
        held_out: number to measure on, with seeds from 9,700,000 on.
        steps: of the optimizer.
        batch: phrases per step.
        rate: peak learning rate of kernels (Muon).
        plain_rate: peak learning rate of biases and the output layer (AdamW).
        louder: largest change of the level, as a share of the mel's range; the notes do not depend on the level.
        noise: largest deviation of the noise on a mel.
        seed: of weights, samples and noise.
    """

    phrases: int = 6_000
    held_out: int = 500
    steps: int = 1_200
    batch: int = 16
    rate: float = 5e-3
    plain_rate: float = 1e-3
    louder: float = 0.3
    noise: float = 0.05
    seed: int = 0


def train_transcriber(
    mel: MelSettings,
    frames: int,
    folder: Path,
    settings: TranscriberTraining = TranscriberTraining(),
    piano_roll: PianoRollSettings = STANDARD,
) -> Generator[FitState, None, Transcriber]:
    """Train a transcriber; if it is killed, the same call continues.

    Args:
        mel: settings of the mels that it reads.
        frames: of a phrase's mel.
        folder: of the checkpoints.
        settings: see `TranscriberTraining`.
        piano_roll: settings with the keys that it learns.

    Returns:
        The transcriber; `facts["held_out"]` is the F1 of its notes (50 ms) on held-out phrases, by pattern.

    Raises:
        ValueError: the folder holds a run with other settings.
        MediaError: a file could not be written.
    """
    phrases = [Phrase.random(SEEDS["latents"][0] + i) for i in range(settings.phrases)]
    mels = finish(played(phrases, mel, frames))
    seconds = frames * mel.hop / mel.rate
    network = seeded(lambda: TranscriberNetwork(mel.bands, piano_roll.keys), settings.seed, "transcriber weights")

    def loss_at(module: nn.Module, share: Share) -> Tensor:
        random = np.random.default_rng(derive_seed(settings.seed, "transcriber", share.step))
        chosen = random.choice(len(phrases), settings.batch, replace=False)[share.of(settings.batch)]
        x = to_batch(mels[chosen])
        shift = random.uniform(-settings.louder, settings.louder, (len(x), 1, 1, 1)).astype(np.float32)
        spread = random.uniform(0, settings.noise, (len(x), 1, 1, 1)).astype(np.float32)
        generator = torch.Generator().manual_seed(derive_seed(settings.seed, "mel noise", share.step))
        noise = torch.from_numpy(spread) * torch.randn(x.shape, generator=generator)
        x = x + torch.from_numpy(shift) * (x > -1) + noise
        column = STRIDE * mel.hop / mel.rate
        truth = torch.stack([_truth(notes(phrases[i], seconds), frames // STRIDE, column, piano_roll) for i in chosen])
        logits = module(x.clamp(-1, 1))
        # onsets are rare: about 20 in 64 keys x 256 columns
        onsets = F.binary_cross_entropy_with_logits(logits[:, 0], truth[:, 0], pos_weight=torch.tensor(3.0))
        return 20 * onsets + 5 * F.binary_cross_entropy_with_logits(logits[:, 1], truth[:, 1])

    fitting = Fit(steps=settings.steps, rate=settings.rate, plain_rate=settings.plain_rate, warm_up=50, ema=0.995)
    network = yield from trained(network, loss_at, fitting, folder)
    transcriber = Transcriber(network, mel, piano_roll, {})
    held = _f1(transcriber, [Phrase.random(SEEDS["latents"][1] + i) for i in range(settings.held_out)], frames, seconds)
    return Transcriber(network, mel, piano_roll, {"settings": asdict(settings), "held_out": held})


def _truth(
    score: tuple[Sounding, ...], columns: int, column: float, piano_roll: PianoRollSettings
) -> Float[Tensor, "2 keys columns"]:
    """Return onsets, each divided between the two columns around it, and the sounding keys."""
    truth = torch.zeros(2, piano_roll.keys, columns)
    for note in score:
        row, place = note.pitch - piano_roll.lowest, note.onset / column
        first, last = int(place), int((note.onset + note.duration) / column)
        if not 0 <= row < piano_roll.keys or first >= columns:
            continue
        truth[0, row, first] = max(float(truth[0, row, first]), 1 - (place - first))
        if first + 1 < columns:
            truth[0, row, first + 1] = max(float(truth[0, row, first + 1]), place - first)
        truth[1, row, first : max(first + 1, last)] = 1
    return truth


def _f1(transcriber: Transcriber, phrases: list[Phrase], frames: int, seconds: float) -> dict[str, float]:
    counts = defaultdict(lambda: [0, 0])
    for phrase, item in zip(phrases, finish(played(phrases, transcriber.mel, frames)), strict=True):
        score = notes(phrase, seconds)
        transcribed = transcriber.notes(to_batch(item[None])[0])
        counts[phrase.pattern][0] += 2 * matches(transcribed, score)
        counts[phrase.pattern][1] += len(transcribed) + len(score)
    return {pattern: round(both / total, 4) for pattern, (both, total) in sorted(counts.items())}
