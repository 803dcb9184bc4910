"""Note conditioning in training: piano rolls of the samples, with a transcriber's errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings
from regrow.media.audio.piano_roll import PianoRollSettings, PlayedNote, Sounding, piano_roll
from regrow.models.model import Model

Score = Callable[[int], Sequence[Sounding] | None]
"""From the number of a sample to its notes; None where they are not known."""

LATE, LONGER, MISSED = 0.008, 0.15, 0.02
"""What a transcriber gets wrong, and a score in training too: onsets, in seconds, and durations, as a share, by these
standard deviations; and the share of the notes that are not there."""


@dataclass(frozen=True)
class PianoRolls:
    """Piano rolls of the samples of a stage.

    Attributes:
        score: see `Score`.
        cells: of a latent, along its time.
        factor: bands and frames that one spans.
        settings: the raster.
        mel: what the latents are of.
        free: fraction of samples trained without note conditioning, so that words alone work, too.
    """

    score: Score
    cells: int
    factor: int
    settings: PianoRollSettings
    mel: MelSettings
    free: float = 0.3

    def nothing(self, count: int) -> Float[Tensor, "b k rows cells"]:
        """Return the piano rolls of `count` samples without note conditioning: zeros."""
        return torch.zeros(count, self.settings.channels(self.factor), self.mel.bands // self.factor, self.cells)

    def of(self, chosen: Sequence[int], seeds: Sequence[int]) -> Float[Tensor, "b k rows cells"]:
        """Return the piano rolls of samples, or zeros, each by its seed."""
        rolls = self.nothing(len(chosen))
        for place, (i, seed) in enumerate(zip(chosen, seeds, strict=True)):
            random = np.random.default_rng(seed)
            score = self.score(i)
            if score is not None and random.random() >= self.free:
                rolls[place] = piano_roll(_with_errors(score, random), self.cells, self.factor, self.settings, self.mel)
        return rolls


def _with_errors(score: Sequence[Sounding], random: np.random.Generator) -> list[PlayedNote]:
    noisy = []
    for note in score:
        late, longer = random.normal(0, LATE), random.normal(0, LONGER)
        if random.random() >= MISSED:
            duration = note.duration * max(0.3, 1 + longer)
            noisy.append(PlayedNote(max(0.0, note.onset + late), duration, note.pitch))
    return noisy


def piano_rolls_of(model: Model, score: Score | None) -> PianoRolls | None:
    """Return piano rolls for a model's latents; None where it takes no notes."""
    if model.piano_roll is None:
        return None
    assert model.mel, "notes are played by models of mels only"
    cells = model.size[1] // model.factor
    return PianoRolls(score or (lambda i: None), cells, model.factor, model.piano_roll, model.mel)
