"""Compare edits of sounds with the truth: the target is the same phrase on another instrument, whose sound is known.

Every sound model edits the same phrases, at its own rate and number of channels. Figures are those of `measure`, of the
wave that a user gets, after codec and phase reconstruction. Two rows give limits, both through the codec: the played
counterfactual, which no edit can beat by much, and the source, which changes nothing.

For models that know the bandstand, all methods are tuned in the same way: every setting is tried on separate phrases,
and the one with the largest product of correct instrument and notes is measured. The judge cannot read the edits of
other models, so these use each method's first setting.
"""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.cost import counted
from regrow.benchmark.editors import Editor, Setting, Task, why_not
from regrow.benchmark.judges import load_judge
from regrow.benchmark.sound.figures import SoundFigures, SoundResult
from regrow.benchmark.sound.measure import Measure, span_kept
from regrow.benchmark.sound.tasks import (
    FIRST_SEED,
    FIRST_TUNING_SEED,
    SoundTask,
    from_model,
    knows_bandstand,
    seconds_of,
    sound_tasks,
    to_model,
)
from regrow.benchmark.tuning import tuned
from regrow.core.progress import Progress
from regrow.editing.melody import can_listen, condition_on_sound
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier
from regrow.models.probes.clap import Clap


def bench_sounds(
    model: Model,
    editors: Sequence[Editor],
    phrases: int = 200,
    tuning: int = 40,
    settings: int = 9,
    batch: int = 4,
    judge: AttributeClassifier | None = None,
    clap: Clap | None = None,
    spans: int = 2,
) -> Generator[Progress, None, SoundFigures]:
    """Tune and measure editors on the same phrases, one after the other.

    Args:
        model: a sound model.
        editors: see `editors.sound_editors` and `baselines.baselines`.
        phrases: number of phrases to measure.
        tuning: number of phrases to choose settings on. The first setting is taken if it is 0, or if the model does
            not know the bandstand.
        settings: number of settings tried for each editor.
        batch: clips at a time.
        judge: the shipped one when None; used only if the model knows the bandstand.
        clap: measures with CLAP too, if given.
        spans: number of phrases, from the first on, in which regrow's own methods also edit only a span.

    Raises:
        ValueError: the model is not a sound model, or a number is out of range.
    """
    started = time.monotonic()
    if phrases < 1 or tuning < 0 or settings < 1 or spans < 0:
        raise ValueError(
            "phrases and settings must be 1 or more, tuning and spans 0 or more; "
            f"got {phrases}, {settings}, {tuning} and {spans}."
        )
    known = knows_bandstand(model)
    measure = Measure(model, (judge or load_judge("bandstand")) if known else None, clap)
    tuning, seconds = tuning if known else 0, seconds_of(model)
    trial, real = sound_tasks(tuning, FIRST_TUNING_SEED, seconds), sound_tasks(phrases, FIRST_SEED, seconds)
    limits = {}
    for name in ("truth", "source"):
        waves = [measure.through_codec(task.truth if name == "truth" else task.before) for task in real]
        limits[name] = tuple(measure.results(real, waves))
        yield Progress(f"limit: {name}", len(real), len(real))
    measured = yield from tuned(
        [_as_it_can(model, editor) for editor in editors],
        settings if tuning else 1,
        tuning,
        lambda editor, setting: _edited(measure, editor, setting, trial, batch, 0),
        lambda editor, setting: _edited(measure, editor, setting, real, batch, spans),
        lambda results: sum(result.right_instrument * result.notes for result in results),
        why_not=partial(why_not, model),
    )
    return SoundFigures(
        model.name, phrases, FIRST_SEED, tuning, limits, measured,
        round(time.monotonic() - started, 1), seconds, clap.name if clap else "",
    )  # fmt: skip


def _as_it_can(model: Model, editor: Editor) -> Editor:
    """Return the editor, without guidance if the model takes no prompts or is guidance-distilled."""
    if model.takes_words and model.own.is_guided:
        return editor
    strengths = dict.fromkeys(setting.strength for setting in editor.settings)
    return replace(editor, settings=tuple(Setting(strength, 1) for strength in strengths))


def _edited(
    measure: Measure, editor: Editor, setting: Setting, tasks: Sequence[SoundTask], batch: int, spans: int
) -> Generator[Progress, None, tuple[SoundResult, ...]]:
    model, results = measure.model, list[SoundResult]()
    batch = min(batch, editor.batch)
    for i in range(0, len(tasks), batch):
        part = tasks[i : i + batch]
        frames, levels = to_model(model, [task.before for task in part])
        source, target = zip(*(task.words if model.takes_words else ("", "") for task in part), strict=True)
        begun = time.monotonic()
        conditioned = model.of_length(frames.shape[-1])
        if editor.notes == "keep" and not editor.baseline:
            conditioned = _with_notes(conditioned, frames)
        with counted(model) as evaluations:
            made = editor.run(conditioned, Task(frames, source, target, [task.seed for task in part]), setting)
            calls = evaluations() / len(part)
        waves = from_model(model, made, levels, part[0].before.shape[-1])
        seconds = (time.monotonic() - begun) / len(part)
        measured = editor.method and not editor.baseline
        kept = [
            span_kept(model, editor, setting, task) if measured and i + k < spans else None
            for k, task in enumerate(part)
        ]
        results += measure.results(part, waves, calls, seconds, kept)
        yield Progress(f"{editor.name} {setting.strength:g} {setting.guidance:g}", len(results), len(tasks))
    return tuple(results)


def _with_notes(model: Model, frames: Float[Tensor, "b 1 bands frames"]) -> Model:
    """Return the model conditioned on the notes that it transcribes from each sound, if it supports this."""
    if not can_listen(model):
        return model
    each = [condition_on_sound(model, one)[0].note_conditioning for one in frames]
    return model.condition_on_notes(torch.cat([one for one in each if one is not None]))
