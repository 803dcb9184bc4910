"""Measure an edited sound: distances and level for any model, instrument and notes for models of the bandstand.

source, codec       mean absolute difference in dB of its mel from that of the original, and from that of the codec's
                    reconstruction of the original; the mel is the same for all models (`similarity.LOG_MEL`)
truth               the same, from the phrase played on the target instrument
loudness            dB by which it is louder than the original
chroma, melody      similarity to the original (`similarity.chroma_similarity`, `melody_correlation`)
right_instrument    whether an independent judge reads the target instrument
notes               F1 of the transcribed notes against the score, which the edit must keep (`notes`)
clap, lpaps         similarity to the target prompt, and distance from the original, by CLAP (`probes.clap`)
span_kept           whether an edit of a span leaves all samples outside it unchanged
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from regrow.benchmark.editors import Editor, Setting
from regrow.benchmark.notes import kept
from regrow.benchmark.sound.figures import SoundResult
from regrow.benchmark.sound.tasks import SoundTask, Wave, from_model, to_model
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.media.audio import sound
from regrow.media.audio.level import SILENT, power
from regrow.media.audio.mel import to_mel
from regrow.media.audio.similarity import (
    CHROMA,
    LOG_MEL,
    chroma_similarity,
    log_mel_distance,
    melody_correlation,
)
from regrow.models.model import Model
from regrow.models.probes.attributes import AttributeClassifier
from regrow.models.probes.clap import Clap
from regrow.requests.edit import Edit
from regrow.worlds.bandstand.playing import RATE

SPAN = (0.25, 0.75)
"""Begin and end of the span that may change, as shares of a sound's duration."""


@dataclass(frozen=True, eq=False)
class Measure:
    """Measures results of a model.

    Attributes:
        model: the model that made them.
        judge: the classifier that reads instruments; None if the model does not know the bandstand.
        clap: None leaves its two figures out.
        coded: cache of the codec's reconstruction of each task's sound, by the task's seed.
    """

    model: Model
    judge: AttributeClassifier | None = None
    clap: Clap | None = None
    coded: dict[int, Wave] = field(default_factory=dict)

    def through_codec(self, wave: Wave) -> Wave:
        """Return the codec's reconstruction of a wave at `RATE`."""
        frames, levels = to_model(self.model, [wave])
        model = self.model.of_length(frames.shape[-1])
        return from_model(model, model.decode(model.encode(frames)), levels, wave.shape[-1])[0]

    def results(
        self,
        tasks: Sequence[SoundTask],
        waves: Sequence[Wave],
        calls: float = 0.0,
        seconds: float = 0.0,
        spans: Sequence[bool | None] = (),
    ) -> list[SoundResult]:
        """Return the figures of the results, one wave at `RATE` per task."""
        spans = spans or [None] * len(tasks)
        each = zip(tasks, waves, spans, strict=True)
        return [self._result(task, wave, calls, seconds, span) for task, wave, span in each]

    def _result(self, task: SoundTask, wave: Wave, calls: float, seconds: float, span: bool | None) -> SoundResult:
        if task.seed not in self.coded:
            self.coded[task.seed] = self.through_codec(task.before)
        low, low_before = (sound.resample(one, RATE, CHROMA.rate) for one in (wave, task.before))
        instrument = notes = clap = lpaps = None
        if self.judge:
            (read,) = self.judge.read(to_mel(wave[None], LOG_MEL))
            instrument = read["instrument"] == task.target.instrument
            notes = kept(np.ascontiguousarray(wave.numpy()), task.score, task.target.instrument).f1
        if self.clap:
            clap = self.clap.similarity(wave, RATE, task.words[1])
            lpaps = self.clap.distance(wave, task.before, RATE)
        return SoundResult(
            truth=log_mel_distance(wave, task.truth),
            source=log_mel_distance(wave, task.before),
            codec=log_mel_distance(wave, self.coded[task.seed]),
            loudness=10 * math.log10(max(power(wave, RATE), SILENT) / max(power(task.before, RATE), SILENT)),
            chroma=chroma_similarity(low, low_before),
            melody=melody_correlation(low, low_before),
            right_instrument=instrument,
            notes=notes,
            clap=clap,
            lpaps=lpaps,
            span_kept=span,
            evaluations=calls,
            seconds=seconds,
        )


def span_kept(model: Model, editor: Editor, setting: Setting, task: SoundTask) -> bool:
    """Return whether `regrow edit --span` with this method leaves all samples outside the span unchanged."""
    duration = task.before.shape[-1] / RATE
    begin, end = (share * duration for share in SPAN)
    source, target = task.words if model.takes_words else ("", "")
    with TemporaryDirectory(prefix="regrow-span-") as folder:
        path = Path(folder) / "phrase.wav"
        sound.save(path, task.before, RATE)
        request = Edit(
            path, (target,), source, method=editor.method, strength=setting.strength, guidance=setting.guidance,
            seed=task.seed, span=f"{begin:.3f}:{end:.3f}", notes=editor.notes, cache=False,
        )  # fmt: skip
        edited, file = finish(edit(request, model)).items[0], sound.load(path).wave
        first, last = (round(second * RATE) for second in request.spans[0])
    outside = torch.ones(file.shape[-1], dtype=torch.bool)
    outside[first:last] = False
    return torch.equal(edited[:, outside], file[:, outside])
