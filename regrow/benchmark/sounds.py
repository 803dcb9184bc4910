"""Edits of sounds beside the truth: a phrase on one instrument is asked for on another, and what that is, is known.

Of every edit there are

    heard      whether an independent judge hears the instrument that was asked for
    notes      F1 of the notes found in it against the score, which the edit must keep (`notes`)
    truth      mean absolute difference in dB of its mel from that of the same phrase played on that instrument
    source     the same from the phrase as it was

all of the wave that a user gets, after codec and phase. The played counterfactual itself, through codec and phase, is
a row of its own, which no edit can be much better than; so is the source, which changes nothing. Every way to edit is
tuned alike: all of its settings on other phrases, and the one with the largest product of heard and notes is measured.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.bandstand_figures import Mels
from regrow.benchmark.editors import Editor, Setting, Task, counted
from regrow.benchmark.notes import kept
from regrow.benchmark.sound_judge import SoundJudge, load_sound_judge
from regrow.benchmark.sounds_figures import Measured, Outcome, SoundFigures
from regrow.core.noise import derive_seed
from regrow.core.progress import Progress
from regrow.editing.melody import can_listen, condition_on_sound
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.models.codecs.sound_codec import settings_of
from regrow.models.model import Model
from regrow.worlds.bandstand.playing import MELODIC, Note, Phrase, captions, play

FIRST_SEED, FIRST_TUNING_SEED = 9_400_000, 9_450_000
"""Of the phrases that are measured, and of those that settings are chosen on; models learn from seeds far below."""


@dataclass(frozen=True, eq=False)
class EditTask:
    """A phrase, its counterfactual on another instrument, both as waves, their score, and a seed."""

    phrase: Phrase
    target: Phrase
    before: Float[Tensor, "1 n"]
    truth: Float[Tensor, "1 n"]
    score: tuple[Note, ...]
    seed: int


def wishes(count: int, first: int, samples: int, rate: int) -> list[EditTask]:
    """Phrases with seeds from `first` on, beats left out, each with an instrument drawn from the eleven others."""
    found: list[EditTask] = []
    seed = first
    while len(found) < count:
        phrase = Phrase.random(seed)
        if phrase.instrument in MELODIC:
            others = [name for name in MELODIC if name != phrase.instrument]
            target = phrase.replace(instrument=Random(derive_seed("wish", seed)).choice(others))
            before, truth = (play(p, samples / rate) for p in (phrase, target))
            first_wave, other_wave = torch.from_numpy(before.wave), torch.from_numpy(truth.wave)
            found.append(EditTask(phrase, target, first_wave, other_wave, before.notes, seed))
        seed += 1
    return found


def bench_sounds(
    model: Model,
    editors: Sequence[Editor],
    phrases: int = 200,
    tuning: int = 40,
    settings: int = 9,
    batch: int = 4,
    judge: SoundJudge | None = None,
) -> Generator[Progress, None, SoundFigures]:
    """Tune and measure ways to edit on the same phrases, one after the other.

    Args:
        model: of sounds, which knows the bandstand.
        editors: see `editors.own_editors` and `baselines.rivals`.
        phrases: to measure.
        tuning: others, to choose settings on.
        settings: how many of each editor's are tried.
        batch: clips at a time.
        judge: the shipped one when None.

    Raises:
        ValueError: the model makes no sounds, or a number does not fit.
    """
    started, judge = time.monotonic(), judge or load_sound_judge()
    if phrases < 1 or tuning < 1 or settings < 1:
        raise ValueError(f"phrases, tuning and settings must be 1 or more; got {phrases}, {tuning} and {settings}.")
    mel = settings_of(model)
    samples = model.size[1] * mel.hop
    trial, real = (
        wishes(count, first, samples, mel.rate) for count, first in ((tuning, FIRST_TUNING_SEED), (phrases, FIRST_SEED))
    )
    limits = {}
    for name in ("truth", "source"):
        waves = [wish.truth if name == "truth" else wish.before for wish in real]
        coded = [model.decode(model.encode(to_unit(to_mel(wave[None], mel), mel))) for wave in waves]
        heard = torch.cat([model.sound.to_waves(unit, samples) for unit in coded])
        limits[name] = tuple(_outcomes(judge, real, heard, mel))
        yield Progress(f"limit: {name}", len(real), len(real))
    measured = []
    for editor in editors:
        try:
            tried = []
            for setting in editor.settings[:settings]:
                tried.append((setting, (yield from _edited(model, judge, editor, setting, trial, batch))))
            chosen = max(tried, key=lambda one: sum(outcome.heard * outcome.notes for outcome in one[1]))[0]
            outcomes = yield from _edited(model, judge, editor, chosen, real, batch)
            measured.append(Measured(editor.name, editor.rival, chosen, tuple(tried), outcomes))
        except (ValueError, RuntimeError, TypeError, AttributeError) as problem:  # of somebody else's pipeline
            measured.append(Measured(editor.name, editor.rival, failure=" ".join(str(problem).split())[:200]))
    return SoundFigures(
        model.name, phrases, FIRST_SEED, tuning, limits, tuple(measured), round(time.monotonic() - started, 1)
    )


def _edited(
    model: Model, judge: SoundJudge, editor: Editor, setting: Setting, several: Sequence[EditTask], batch: int
) -> Generator[Progress, None, tuple[Outcome, ...]]:
    mel = settings_of(model)
    found: list[Outcome] = []
    batch = min(batch, editor.batch)
    for i in range(0, len(several), batch):
        part = several[i : i + batch]
        units = to_unit(to_mel(torch.stack([wish.before for wish in part]), mel), mel)
        sources, targets = (
            [captions(p)[0] for p in row] for row in zip(*((w.phrase, w.target) for w in part), strict=True)
        )
        begun = time.monotonic()
        asked = _told(model, units) if editor.notes == "keep" and not editor.rival else model
        with counted(model) as evaluations:
            made = editor.run(asked, Task(units, sources, targets, [wish.seed for wish in part]), setting)
            calls = evaluations() / len(part)
        waves = model.sound.to_waves(made, units.shape[-1] * mel.hop)
        seconds = (time.monotonic() - begun) / len(part)
        found += _outcomes(judge, part, waves, mel, calls, seconds)
        yield Progress(f"{editor.name} {setting.strength:g} {setting.guidance:g}", len(found), len(several))
    return tuple(found)


def _told(model: Model, units: Float[Tensor, "b 1 bands frames"]) -> Model:
    """The model, told the notes that it reads off each of the sounds, where it can be."""
    if not can_listen(model):
        return model
    each = [condition_on_sound(model, unit)[0].note_conditioning for unit in units]
    return model.condition_on_notes(torch.cat([one for one in each if one is not None]))


def _outcomes(
    judge: SoundJudge,
    several: Sequence[EditTask],
    waves: Float[Tensor, "b 1 n"],
    mel: MelSettings,
    calls: float = 0.0,
    seconds: float = 0.0,
) -> list[Outcome]:
    mels: Mels = to_mel(waves, mel)
    read = judge.read(mels)
    found = []
    for wish, wave, here, heard in zip(several, waves, mels, read, strict=True):
        truth, before = (to_mel(true[None], mel)[0] for true in (wish.truth, wish.before))
        notes = kept(np.ascontiguousarray(wave.numpy()), wish.score, wish.target.instrument).f1
        found.append(
            Outcome(
                heard["instrument"] == wish.target.instrument,
                notes,
                float((here - truth).abs().mean()),
                float((here - before).abs().mean()),
                calls,
                seconds,
            )
        )
    return found
