"""The editing tasks of all sound models: played phrases, and the same on another instrument."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F  # noqa: N812, the name everybody knows it by
from jaxtyping import Float
from torch import Tensor

from regrow.core.noise import derive_seed
from regrow.media.audio.sound import resample, to_channels, to_mono
from regrow.models.model import Model
from regrow.models.vocabulary import read_words, units
from regrow.worlds.bandstand.playing import DURATION, MELODIC, RATE, Note, Phrase, captions, play
from regrow.worlds.world import WORLDS

FIRST_SEED, FIRST_TUNING_SEED = 9_400_000, 9_450_000
"""First seeds of the phrases to measure, and of those to tune on; training uses seeds far below."""

Wave = Float[Tensor, "1 n"]
Frames = Float[Tensor, "b c *bands frames"]


@dataclass(frozen=True, eq=False)
class SoundTask:
    """A phrase, its counterfactual on another instrument, both as waves at `RATE`, their score, and a seed."""

    phrase: Phrase
    target: Phrase
    before: Wave
    truth: Wave
    score: tuple[Note, ...]
    seed: int

    @property
    def words(self) -> tuple[str, str]:
        """The source and the target prompt: the plainest captions of phrase and counterfactual."""
        return captions(self.phrase)[0], captions(self.target)[0]


def sound_tasks(count: int, first: int, seconds: float) -> list[SoundTask]:
    """Return melodic phrases with seeds from `first` on, each with a target instrument drawn from the others.

    A sound shorter than a second is the beginning of a phrase of one second; its score is that of the whole phrase.
    """
    tasks: list[SoundTask] = []
    seed, samples = first, round(seconds * RATE)
    while len(tasks) < count:
        phrase = Phrase.random(seed)
        if phrase.instrument in MELODIC:
            others = [name for name in MELODIC if name != phrase.instrument]
            target = phrase.replace(instrument=Random(derive_seed("wish", seed)).choice(others))
            before, truth = (play(p, max(1.0, seconds)) for p in (phrase, target))
            first_wave, other_wave = (torch.from_numpy(played.wave)[:, :samples] for played in (before, truth))
            tasks.append(SoundTask(phrase, target, first_wave, other_wave, before.notes, seed))
        seed += 1
    return tasks


def seconds_of(model: Model) -> float:
    """Return the duration of a model's test sounds: whole latents, at most six seconds or what it takes at once."""
    cell = model.multiple * model.sound.samples_per_frame
    most = min(DURATION * model.sound.rate, model.extent[-1] * model.sound.samples_per_frame)
    return max(1, int(most / cell)) * cell / model.sound.rate


def knows_bandstand(model: Model) -> bool:
    """Return whether a model was trained on all words of the bandstand's captions, so that its judge can be used."""
    known = read_words(model.folder)
    wanted = {unit for word in WORLDS["bandstand"].vocabulary for unit in units(word)}
    return known is not None and wanted <= known.words | known.characters


def to_model(model: Model, waves: Sequence[Wave]) -> tuple[Frames, list[float | None]]:
    """Return waves at `RATE` as frames that a model encodes, and the level of each; None if it was not changed."""
    codec, frames, levels = model.sound, [], []
    cell = model.multiple * codec.samples_per_frame
    for wave in waves:
        each = to_channels(resample(wave, RATE, codec.rate), codec.channels)
        each = F.pad(each, (0, -each.shape[-1] % cell))
        level = codec.level_of(each)
        frames.append(codec.to_frames(each[None], level))
        levels.append(None if level == 1 else level)
    return torch.cat(frames), levels


def from_model(model: Model, frames: Frames, levels: Sequence[float | None], samples: int) -> list[Wave]:
    """Return decoded frames of a model as mono waves at `RATE`, each of `samples` samples."""
    codec, size = model.sound, frames.shape[-1] * model.sound.samples_per_frame
    found = []
    for one, level in zip(frames.split(1), levels, strict=True):
        wave = resample(to_mono(codec.to_waves(one, size, level)[0]), codec.rate, RATE)
        found.append(F.pad(wave, (0, max(0, samples - wave.shape[-1])))[:, :samples])
    return found
