"""Songs on which singing models are measured, and songs to edit. None of their seeds is used in training."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from random import Random

import numpy as np
from jaxtyping import Bool

from regrow.benchmark.song.words import choices, measurable, word_segments
from regrow.media.audio.voice import HOP, Wave
from regrow.models.errors import ModelError
from regrow.training.songs.songbook_data import first_sung
from regrow.worlds.songbook.changes import changed_frames, runs_of
from regrow.worlds.songbook.score import Score
from regrow.worlds.songbook.songs import other_words

FIRST_SEED, FIRST_EDIT_SEED, FIRST_TUNING_SEED = 9_100_000, 9_140_000, 9_170_000
"""First seeds of songs to sing, of songs to edit, and of songs to tune the strength on."""
TRIES = 40
"""Most edits of a song to try, until the teacher sings one and the recogniser knows its words."""
EXTRAS = {"hibari": "hibari-tts", "onnx": "onnx", "pocketsphinx": "pocketsphinx", "swift_f0": "swift-f0"}
"""Modules that the benchmark needs, and the packages that hold them."""


@dataclass(frozen=True, eq=False)
class HeldOutSong:
    """A song, the teacher's wave of it, and how many earlier songs of its seed the teacher failed to sing."""

    seed: int
    score: Score
    wave: Wave
    thrown: int


@dataclass(frozen=True, eq=False)
class EditTask:
    """A song with changed words, and its true sound.

    Attributes:
        seed: of the song.
        source: its score.
        target: the score with new words.
        changed: indices of the changed words.
        before: the teacher singing the source.
        truth: the teacher singing the target.
        options: for each changed word, the eight words that the recogniser chooses from, including the old one.
    """

    seed: int
    source: Score
    target: Score
    changed: tuple[int, ...]
    before: Wave
    truth: Wave
    options: tuple[tuple[str, ...], ...]

    @property
    def frames(self) -> Bool[np.ndarray, " frames"]:
        """Which frames `regrow edit` changes."""
        frames = changed_frames(self.source, self.target)
        assert frames is not None, "other words on a tune are as long as the old ones, and of the same voice"
        return frames


def held_out_song(seed: int) -> HeldOutSong:
    """Return the first song of a seed of which the teacher sings every vowel.

    Raises:
        ImportError: the teacher is not installed.
    """
    return HeldOutSong(seed, *first_sung(seed))


def edit_tasks(count: int, first: int = FIRST_EDIT_SEED) -> Iterator[EditTask]:
    """Yield songs with one changed word, or two for odd seeds; seeds without a possible edit are skipped.

    Raises:
        ImportError: the teacher or the recogniser is not installed.
    """
    seed = first
    while count:
        if task := _task(seed, 1 + seed % 2):
            count -= 1
            yield task
        seed += 1


def _task(seed: int, count: int) -> EditTask | None:
    from regrow.worlds.songbook import teacher

    source, before, _ = first_sung(seed)
    old = word_segments(source)
    for number in range(TRIES):
        target, changed = other_words(source, Random(f"other words {seed} {number}"), count)
        new = word_segments(target)
        known = all(measurable(words[i][0]) for i in changed for words in (old, new))
        if len(changed) < count or not known or any(new[i][1] == old[i][1] for i in changed):
            continue
        truth = teacher.sing(target)
        if not teacher.unvoiced_vowels(target, truth):
            options = tuple(tuple(choices(*new[i][:2], f"{seed} {i}", [old[i][0]])) for i in changed)
            return EditTask(seed, source, target, changed, before, truth, options)
    return None


def spans_of(frames: Bool[np.ndarray, " frames"]) -> tuple[tuple[int, int], ...]:
    """Return the runs of a mask of frames as ranges of samples: first, and one past the last."""
    return tuple((first * HOP, last * HOP) for first, last in runs_of(frames))


def check_extras() -> None:
    """Check that all packages of the benchmark are installed.

    Raises:
        ModelError: one is missing; the sentence says how to install it.
    """
    for module, package in EXTRAS.items():
        try:
            import_module(module)
        except ImportError as problem:
            raise ModelError(f"The song benchmark needs {package}: pip install 'regrow[songs]'.") from problem
