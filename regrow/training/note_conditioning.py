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
"""Returns the notes of a sample by its number; None if they are unknown."""

LATE, LONGER, MISSED = 0.008, 0.15, 0.02
"""Errors of a transcriber, which scores in training get too: standard deviation of onsets in seconds, and of durations
as a share; and the share of missed notes."""


@dataclass(frozen=True)
class PianoRolls:
    """Piano rolls of the samples of a stage.

    Attributes:
        score: see `Score`.
        cells: of a latent along time.
        factor: bands, and frames, per cell.
        settings: of the piano roll.
        mel: settings of the mels that are encoded.
        free: fraction of samples trained without note conditioning, so that the model also works from words alone.
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
        """Return the piano rolls of samples; each sample's seed decides on its errors and whether it is zero."""
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
    """Return piano rolls for a model's latents; None if it takes no notes."""
    if model.piano_roll is None:
        return None
    assert model.mel, "notes are played by models of mels only"
    cells = model.size[1] // model.factor
    return PianoRolls(score or (lambda i: None), cells, model.factor, model.piano_roll, model.mel)
