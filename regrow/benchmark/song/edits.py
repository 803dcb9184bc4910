"""Methods that change words of a song, compared with the teacher (Hibari) singing the changed song.

granted     whether the speech recogniser chooses the new word among eight, which include the old one
tune        share of voiced frames within 25 cents of the score's curve
truth       mean absolute log-mel difference in dB from the teacher singing the new words, over the whole song
inside      the same in the frames that may change
outside     share of the samples elsewhere that equal the source's, bit for bit

The teacher's voice also depends a little on neighbouring words, so `truth` is not 0 dB even for a method that keeps the
source's samples outside and is perfect inside. `limits` gives the best possible figures.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from regrow.benchmark.editors import Setting, Task, batched
from regrow.benchmark.song.onsets import log_mel_distance
from regrow.benchmark.song.pitch import pitch_kept
from regrow.benchmark.song.singing import copied, frames_of, sung, wave_of
from regrow.benchmark.song.songs import EditTask, spans_of
from regrow.benchmark.song.words import chosen, excerpt, word_segments
from regrow.core.methods.registry import DEFAULT
from regrow.core.progress import finish
from regrow.editing.edit import edit_latents
from regrow.editing.steps import with_own_method
from regrow.media.audio.crossfade import faded_over
from regrow.media.audio.voice import RATE, Wave
from regrow.models.codecs.voice import FADE
from regrow.models.model import Model
from regrow.requests.edit import Edit


@dataclass(frozen=True)
class SongEditor:
    """A method that changes words of a song.

    Attributes:
        name: in the tables.
        run: returns the wave of a task's target; the last argument is the strength.
        strengths: to choose from; a single one if there is no choice.
    """

    name: str
    run: Callable[[Model, EditTask, float], Wave]
    strengths: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class SongEdit:
    """The figures of an edit; see the head of this file. Pairs are hits and number of tries."""

    granted: tuple[int, int]
    tune: tuple[int, int]
    truth: float
    inside: float
    outside: float

    def to_json(self) -> dict[str, Any]:
        """Return the figures JSON-able."""
        return asdict(self)


def edited(model: Model, task: EditTask, strength: float) -> Wave:
    """Return what `regrow edit --words` makes of a song, without reading and writing files.

    Only the frames that may change are sung again with the new score; samples elsewhere stay, bit for bit.

    Args:
        model: a model that sings scores.
        task: the song and its new words.
        strength: of the edit, in (0, 1].
    """
    latents = frames_of(model, task.before, task.source)
    mask = torch.from_numpy(task.frames).to(latents).expand(1, 1, *latents.shape[2:])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "song"  # cached paths are keyed by the hash of a file
        path.write_bytes(task.before.tobytes())
        request = Edit(
            path, (task.target.text,), task.source.text, strength=strength, guidance=1.0, seed=task.seed,
            prompt_expansion="off", cache=False,
        )  # fmt: skip
        x, _ = finish(edit_latents(with_own_method(request, model)[0], model, latents, mask))
    return kept_outside(wave_of(model, x), task)


def walked_back(model: Model, task: EditTask, strength: float, method: str) -> Wave:
    """Return the edit of the whole song by a method of `regrow edit`, without keeping the samples elsewhere."""
    latents = frames_of(model, task.before, task.source)
    by_method = batched(method, prompt_expansion="off")
    one = Task(latents, [task.source.text], [task.target.text], [task.seed])
    return wave_of(model, model.encode(by_method(model, one, Setting(strength, 1.0))))


def kept_outside(new: Wave, task: EditTask) -> Wave:
    """Return a wave with new samples in the frames that may change, and the source's samples elsewhere.

    At the ends of a span, an equal-power crossfade joins old and new sound, as their phases are unrelated.
    """
    whole = torch.from_numpy(np.array(task.before, np.float32))
    padded = np.pad(new, (0, max(0, len(whole) - len(new))))[: len(whole)].astype(np.float32)
    for span in spans_of(task.frames):
        whole = faded_over(torch.from_numpy(padded), whole, span, round(FADE * RATE))
    return whole.numpy()


def _kept(run: Callable[[Model, EditTask, float], Wave]) -> Callable[[Model, EditTask, float], Wave]:
    return lambda model, task, strength: kept_outside(run(model, task, strength), task)


def _regenerated(model: Model, task: EditTask, _: float) -> Wave:
    return sung(model, task.target, task.seed)


def _by_method(method: str) -> Callable[[Model, EditTask, float], Wave]:
    return lambda model, task, strength: walked_back(model, task, strength, method)


REGENERATED, IMG2IMG, EDIT = "regenerated", "img2img", "edit"
NOISIER, FARTHER = (0.9, 0.8, 0.65, 0.5, 0.35), (1.0, 0.9, 0.75, 0.6)
EDITORS = (
    SongEditor(REGENERATED, _regenerated),
    SongEditor(IMG2IMG, _by_method("img2img"), NOISIER),
    SongEditor("inversion", _by_method(DEFAULT), FARTHER),
    SongEditor("regenerated, rest kept", _kept(_regenerated)),
    SongEditor("img2img, rest kept", _kept(_by_method("img2img")), NOISIER),
    SongEditor(EDIT, edited, FARTHER),
)
"""Methods that are compared, each at the strength that is closest to the truth on tuning songs."""


LIMITS = ("the teacher", "the teacher, through the frames", "the same, rest kept", "the source, unchanged")
"""References for edits: the truth; the truth through the model's frames; the same, but only in the changed frames; and
no edit."""


def limits(task: EditTask) -> dict[str, Wave]:
    """Return the waves of `LIMITS`."""
    copy = copied(task.truth, task.target)
    kept = kept_outside(copy, task)
    return dict(zip(LIMITS, (task.truth, copy, kept, task.before), strict=True))


def result_of(task: EditTask, wave: Wave) -> SongEdit:
    """Compare an edited wave with the truth.

    Raises:
        ImportError: pocketsphinx or swift-f0 is not installed.
    """
    samples = len(task.before)
    wave = np.pad(wave, (0, max(0, samples - len(wave))))[:samples]
    words = word_segments(task.target)
    right = [
        chosen(excerpt(wave, words[i][2]), options) == words[i][0]
        for i, options in zip(task.changed, task.options, strict=True)
    ]
    tune, _ = pitch_kept(wave, task.target)
    outside = np.ones(samples, bool)
    for first, last in spans_of(task.frames):
        outside[first:last] = False
    return SongEdit(
        (sum(right), len(right)),
        (tune.hits, tune.count),
        log_mel_distance(wave, task.truth),
        log_mel_distance(wave, task.truth, task.frames),
        float((wave == task.before)[outside].mean()) if outside.any() else 1.0,
    )
