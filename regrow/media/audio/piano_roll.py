"""Piano rolls: which notes sound when, independent of the instrument, drawn on the bands of a mel.

    v(key, t) = (1 + exp(-(t - onset) / FADES)) / 2     while a note of the key sounds, else 0

A column holds the mean of v over its time, so the mean shows where in a column a note begins, and the jump from 1/2 to
1 shows that it is struck again. A melody as a condition beside the words: Wu et al. 2023, "Music ControlNet" (arXiv
2311.07069, section 3.2), which has one note at a time.

Two pictures are drawn of the notes, of a mel's bands by columns: where their fundamentals lie, and where all their
partials do. Each latent cell gets the part of both that it spans. A network that gets all keys in every cell instead
must first learn where in a mel each key lies.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.media.audio.mel import MelSettings, shares_of
from regrow.messages.message import say

FADES = 0.1
"""Seconds in which an onset fades into a note that is held."""
WITHIN = 0.05
"""Seconds that an onset may be off to be the same, as in the evaluation of transcriptions (MIREX, mir_eval)."""


class Struck(Protocol):
    """A note that begins: when, in seconds, and its MIDI key (60 is middle C)."""

    @property
    def onset(self) -> float: ...
    @property
    def pitch(self) -> int: ...


class Sounding(Struck, Protocol):
    """A note that lasts, in seconds."""

    @property
    def duration(self) -> float: ...


@dataclass(frozen=True)
class PianoRollSettings:
    """The raster of a model's piano rolls.

    Attributes:
        lowest: MIDI key of the first row.
        keys: rows; notes below or above are left out.
        steps: parts of a latent cell's time, each with a column of its own.
        partials: of a note, that are drawn.
    """

    lowest: int = 36
    keys: int = 64
    steps: int = 8
    partials: int = 16

    def __post_init__(self) -> None:
        for name, most in (("lowest", 127), ("keys", 128), ("steps", 64), ("partials", 64)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
                raise ValueError(say("count_out_of_range", name=name, most=most, value=value))

    def channels(self, factor: int) -> int:
        """What a latent cell of so many bands is told: both pictures of them at every step, and that it is told."""
        return 2 * factor * self.steps + 1


STANDARD = PianoRollSettings()
"""Of new models: five octaves from C2, and columns of an eighth of a cell."""


def raster(
    notes: Iterable[Sounding], columns: int, step: float, settings: PianoRollSettings
) -> Float[Tensor, "keys columns"]:
    """Notes as a picture in [0, 1]: a row a key from the lowest up, a column a step of time.

    Args:
        notes: in any order.
        columns: how many.
        step: seconds of a column.
        settings: the rows.
    """
    found = np.zeros((settings.keys, columns), np.float32)
    edges = np.arange(columns + 1) * step
    for note in notes:
        row = note.pitch - settings.lowest
        if not 0 <= row < settings.keys:
            continue
        # the integral of v up to each edge, so that a column's mean is a difference
        sounding = np.clip(edges - note.onset, 0, note.duration)
        integral = (sounding + FADES * -np.expm1(-sounding / FADES)) / 2
        found[row] = np.maximum(found[row], np.diff(integral) / step)
    return torch.from_numpy(found)


def piano_roll(
    notes: Iterable[Sounding], cells: int, factor: int, settings: PianoRollSettings, mel: MelSettings
) -> Float[Tensor, "k rows cells"]:
    """Notes as the input channels of a network beside each latent cell; the last one is 1.

    Args:
        notes: with times from the beginning of the first cell.
        cells: of a latent, along its time.
        factor: bands and frames that a cell spans.
        settings: the raster.
        mel: what the latents are of.
    """
    step = factor * mel.hop / mel.rate / settings.steps
    rolled = raster(notes, cells * settings.steps, step, settings)
    sounding = rolled.any(1).nonzero()[:, 0]
    drawn = torch.zeros(2, mel.bands, cells * settings.steps)
    for key in sounding.tolist():
        for picture, bands in zip(drawn, _drawn(settings, mel)[key], strict=True):
            torch.maximum(picture, bands[:, None] * rolled[key], out=picture)
    parts = drawn.reshape(2, mel.bands // factor, factor, cells, settings.steps).permute(0, 2, 4, 1, 3)
    channels = parts.reshape(-1, mel.bands // factor, cells)
    return torch.cat([channels, torch.ones_like(channels[:1])])


@lru_cache(maxsize=4)
def _drawn(settings: PianoRollSettings, mel: MelSettings) -> Float[Tensor, "keys 2 bands"]:
    """How much of each key's fundamental, and of the partial that lies nearest, falls into each band."""
    fundamental = 440 * 2 ** ((settings.lowest + torch.arange(settings.keys, dtype=torch.float64) - 69) / 12)
    partials = fundamental[:, None] * torch.arange(1, settings.partials + 1)
    shares = shares_of(partials, mel)
    return torch.stack([shares[:, 0], shares.amax(1)], 1)


@dataclass(frozen=True)
class PlayedNote:
    """A note that was found in a sound.

    Attributes:
        onset: seconds from the beginning.
        duration: seconds it sounds.
        pitch: MIDI key.
    """

    onset: float
    duration: float
    pitch: int


def matches(found: Iterable[Struck], score: Iterable[Struck]) -> int:
    """Return the most pairs of a found note and one of the score, of the same key and at most 50 ms apart."""
    times: dict[int, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for side, several in enumerate((found, score)):
        for note in several:
            times[note.pitch][side].append(note.onset)
    count = 0
    for there, wanted in times.values():
        # within a key, taking the earliest pair that fits leaves the most for those after it
        there.sort(reverse=True)
        wanted.sort(reverse=True)
        while there and wanted:
            if abs(there[-1] - wanted[-1]) <= WITHIN + 1e-9:
                there.pop()
                wanted.pop()
                count += 1
            else:
                (there if there[-1] < wanted[-1] else wanted).pop()
    return count
