"""What a denoiser in training is told of the notes in its samples."""

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
    """Contours of the samples of a stage.

    Attributes:
        score: see `Score`.
        cells: of a latent, along its time.
        factor: bands and frames that one spans.
        settings: the raster.
        mel: what the latents are of.
        free: share of the samples that nothing is told about: so that words alone do, too.
    """

    score: Score
    cells: int
    factor: int
    settings: PianoRollSettings
    mel: MelSettings
    free: float = 0.3

    def nothing(self, count: int) -> Float[Tensor, "b k rows cells"]:
        """The contours of samples that nothing is told about."""
        return torch.zeros(count, self.settings.channels(self.factor), self.mel.bands // self.factor, self.cells)

    def of(self, chosen: Sequence[int], seeds: Sequence[int]) -> Float[Tensor, "b k rows cells"]:
        """The contours of samples, or nothing, each by its seed."""
        found = self.nothing(len(chosen))
        for place, (i, seed) in enumerate(zip(chosen, seeds, strict=True)):
            random = np.random.default_rng(seed)
            score = self.score(i)
            if score is not None and random.random() >= self.free:
                found[place] = piano_roll(_misheard(score, random), self.cells, self.factor, self.settings, self.mel)
        return found


def _misheard(score: Sequence[Sounding], random: np.random.Generator) -> list[PlayedNote]:
    heard = []
    for note in score:
        late, longer = random.normal(0, LATE), random.normal(0, LONGER)
        if random.random() >= MISSED:
            duration = note.duration * max(0.3, 1 + longer)
            heard.append(PlayedNote(max(0.0, note.onset + late), duration, note.pitch))
    return heard


def piano_rolls_of(model: Model, score: Score | None) -> PianoRolls | None:
    """Contours for a model's latents; None where it can be told none."""
    if model.piano_roll is None or model.mel is None:
        return None
    cells = model.size[1] // model.factor
    return PianoRolls(score or (lambda i: None), cells, model.factor, model.piano_roll, model.mel)
