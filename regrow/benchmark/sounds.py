"""Edits of sounds beside the truth: the target is the same phrase on another instrument, whose sound is known.

Of every edit there are

    right instrument   whether an independent judge reads the target's instrument
    notes              F1 of the notes found in it against the score, which the edit must keep (`notes`)
    truth              mean absolute difference in dB of its mel from that of the same phrase played on that instrument
    source             the same from the phrase as it was

all of the wave that a user gets, after codec and phase. The played counterfactual itself, through codec and phase, is
a row of its own, which no edit can be much better than; so is the source, which changes nothing. Every way to edit is
tuned alike: all of its settings on other phrases, and the one with the largest product of the first two is measured.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.cost import counted
from regrow.benchmark.editors import Editor, Setting, Task
from regrow.benchmark.judges import load_judge
from regrow.benchmark.notes import kept
from regrow.benchmark.sounds_figures import SoundFigures, SoundResult
from regrow.benchmark.tuning import tuned
from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.editing.melody import can_listen, condition_on_sound
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.models.codecs.sound_codec import settings_of
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier
from regrow.worlds.bandstand.playing import MELODIC, Note, Phrase, captions, play

FIRST_SEED, FIRST_TUNING_SEED = 9_400_000, 9_450_000
"""Of the phrases that are measured, and of those that settings are chosen on; models learn from seeds far below."""


@dataclass(frozen=True, eq=False)
class SoundTask:
    """A phrase, its counterfactual on another instrument, both as waves, their score, and a seed."""

    phrase: Phrase
    target: Phrase
    before: Float[Tensor, "1 n"]
    truth: Float[Tensor, "1 n"]
    score: tuple[Note, ...]
    seed: int


def sound_tasks(count: int, first: int, samples: int, rate: int) -> list[SoundTask]:
    """Phrases with seeds from `first` on, beats left out, each with an instrument drawn from the eleven others."""
    tasks: list[SoundTask] = []
    seed = first
    while len(tasks) < count:
        phrase = Phrase.random(seed)
        if phrase.instrument in MELODIC:
            others = [name for name in MELODIC if name != phrase.instrument]
            target = phrase.replace(instrument=Random(derive_seed("wish", seed)).choice(others))
            before, truth = (play(p, samples / rate) for p in (phrase, target))
            first_wave, other_wave = torch.from_numpy(before.wave), torch.from_numpy(truth.wave)
            tasks.append(SoundTask(phrase, target, first_wave, other_wave, before.notes, seed))
        seed += 1
    return tasks


def bench_sounds(
    model: Model,
    editors: Sequence[Editor],
    phrases: int = 200,
    tuning: int = 40,
    settings: int = 9,
    batch: int = 4,
    judge: AttributeClassifier | None = None,
) -> Generator[Progress, None, SoundFigures]:
    """Tune and measure ways to edit on the same phrases, one after the other.

    Args:
        model: of sounds, which knows the bandstand.
        editors: see `editors.own_editors` and `baselines.baselines`.
        phrases: to measure.
        tuning: others, to choose settings on.
        settings: how many of each editor's are tried.
        batch: clips at a time.
        judge: the shipped one when None.

    Raises:
        ValueError: the model makes no sounds, or a number does not fit.
    """
    started, judge = time.monotonic(), judge or load_judge("bandstand")
    if phrases < 1 or tuning < 1 or settings < 1:
        raise ValueError(f"phrases, tuning and settings must be 1 or more; got {phrases}, {tuning} and {settings}.")
    mel = settings_of(model)
    samples = model.size[1] * mel.hop
    trial, real = (
        sound_tasks(count, first, samples, mel.rate)
        for count, first in ((tuning, FIRST_TUNING_SEED), (phrases, FIRST_SEED))
    )
    limits = {}
    for name in ("truth", "source"):
        waves = [task.truth if name == "truth" else task.before for task in real]
        coded = [model.decode(model.encode(to_unit(to_mel(wave[None], mel), mel))) for wave in waves]
        again = torch.cat([model.sound.to_waves(unit, samples) for unit in coded])
        limits[name] = tuple(_results(judge, real, again, mel))
        yield Progress(f"limit: {name}", len(real), len(real))
    measured = yield from tuned(
        editors,
        settings,
        tuning,
        lambda editor, setting: _edited(model, judge, editor, setting, trial, batch),
        lambda editor, setting: _edited(model, judge, editor, setting, real, batch),
        lambda results: sum(result.right_instrument * result.notes for result in results),
    )
    return SoundFigures(model.name, phrases, FIRST_SEED, tuning, limits, measured, round(time.monotonic() - started, 1))


def _edited(
    model: Model, judge: AttributeClassifier, editor: Editor, setting: Setting, tasks: Sequence[SoundTask], batch: int
) -> Generator[Progress, None, tuple[SoundResult, ...]]:
    mel = settings_of(model)
    results: list[SoundResult] = []
    batch = min(batch, editor.batch)
    for i in range(0, len(tasks), batch):
        part = tasks[i : i + batch]
        units = to_unit(to_mel(torch.stack([task.before for task in part]), mel), mel)
        sources, targets = (
            [captions(p)[0] for p in row] for row in zip(*((task.phrase, task.target) for task in part), strict=True)
        )
        begun = time.monotonic()
        conditioned = _conditioned(model, units) if editor.notes == "keep" and not editor.baseline else model
        with counted(model) as evaluations:
            made = editor.run(conditioned, Task(units, sources, targets, [task.seed for task in part]), setting)
            calls = evaluations() / len(part)
        waves = model.sound.to_waves(made, units.shape[-1] * mel.hop)
        seconds = (time.monotonic() - begun) / len(part)
        results += _results(judge, part, waves, mel, calls, seconds)
        yield Progress(f"{editor.name} {setting.strength:g} {setting.guidance:g}", len(results), len(tasks))
    return tuple(results)


def _conditioned(model: Model, units: Float[Tensor, "b 1 bands frames"]) -> Model:
    """The model, conditioned on the notes that it reads off each of the sounds, where it can be."""
    if not can_listen(model):
        return model
    each = [condition_on_sound(model, unit)[0].note_conditioning for unit in units]
    return model.condition_on_notes(torch.cat([one for one in each if one is not None]))


def _results(
    judge: AttributeClassifier,
    tasks: Sequence[SoundTask],
    waves: Float[Tensor, "b 1 n"],
    mel: MelSettings,
    calls: float = 0.0,
    seconds: float = 0.0,
) -> list[SoundResult]:
    mels = to_mel(waves, mel)
    results = []
    for task, wave, result, read in zip(tasks, waves, mels, judge.read(mels), strict=True):
        truth, before = (to_mel(true[None], mel)[0] for true in (task.truth, task.before))
        notes = kept(np.ascontiguousarray(wave.numpy()), task.score, task.target.instrument).f1
        results.append(
            SoundResult(
                read["instrument"] == task.target.instrument,
                notes,
                float((result - truth).abs().mean()),
                float((result - before).abs().mean()),
                calls,
                seconds,
            )
        )
    return results
