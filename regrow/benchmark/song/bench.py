"""Measure singing models on held-out songs, and on edits of the lyrics, whose true sound is known."""

import time
from collections.abc import Generator
from typing import Any

import torch

from regrow.benchmark.results_store import ResultLines
from regrow.benchmark.song.edits import EDITORS, LIMITS, SongEditor, limits, result_of
from regrow.benchmark.song.figures import SongFigures
from regrow.benchmark.song.measure import onset_check, song_row
from regrow.benchmark.song.singing import megabytes, sung, timed
from regrow.benchmark.song.songs import (
    FIRST_EDIT_SEED,
    FIRST_SEED,
    FIRST_TUNING_SEED,
    EditTask,
    check_extras,
    edit_tasks,
    held_out_song,
)
from regrow.core.progress import Progress
from regrow.models.codecs.voice import VoiceFrames
from regrow.models.model import Model
from regrow.requests.bench import BenchSong

CHECKED = 40
"""Songs on which the measurement of onsets is validated."""


def bench_songs(model: Model, request: BenchSong) -> Generator[Progress, None, SongFigures]:
    """Measure a singing model.

    The result of every song and edit is written to `request.out` at once, so that the same command resumes a killed
    run. Each editing method uses the strength that comes closest to the truth on separate tuning songs.

    Args:
        model: a model that sings scores.
        request: what to measure.

    Raises:
        ModelError: a package is missing.
        ValueError: the model does not sing scores, or the file holds results of another model.
    """
    started = time.monotonic()
    if not isinstance(model.waves, VoiceFrames):
        raise ValueError(f"{model.name} sings no scores; the song benchmark needs a model of the family singer.")
    check_extras()
    rows = _Rows(model, request)
    if any(f"song {seed}" not in rows.values for seed in _seeds(request)):
        sung(model, held_out_song(FIRST_SEED).score, 0, request.steps, request.solver)  # not timed: fills caches
    for i, seed in enumerate(_seeds(request)):
        if f"song {seed}" not in rows.values:
            song = held_out_song(seed)
            wave, seconds = timed(model, song.score, seed, request.steps, request.solver)
            row = song_row(song, wave, seconds, torch.get_num_threads())
            rows.add(f"song {seed}", row | ({"check": onset_check(song)} if i < CHECKED else {}))
        yield Progress("songs", i + 1, request.songs)
    strengths = {}
    if request.edits:
        strengths = yield from _strengths(model, request, rows)
        yield from _edits(model, request, rows, strengths)
    songs = [rows.values[f"song {seed}"] for seed in _seeds(request)]
    edits = {
        name: [rows.values[_key(name, strength, seed)] for seed in rows.values[f"tasks {FIRST_EDIT_SEED}"]]
        for name, strength in strengths.items()
    }
    own = (request.steps or model.own.steps, request.solver or model.own.solver)
    return SongFigures(
        model.name,
        *own,
        megabytes(model),
        songs,
        edits,
        strengths,
        request.tuning,
        round(time.monotonic() - started, 1),
    )


class _Rows:
    """Results by key; also in a file if one is named."""

    def __init__(self, model: Model, request: BenchSong) -> None:
        heading = {"song bench": 1, "model": model.content_hash, "steps": request.steps, "solver": request.solver}
        otherwise = "another model, or of other steps or another solver of it; name another file"
        self._lines = ResultLines(request.out, heading, otherwise) if request.out else None
        self.values: dict[str, Any] = self._lines.values if self._lines else {}

    def add(self, key: str, value: Any) -> None:
        """Store a JSON-able value."""
        if self._lines:
            self._lines.add(key, value)
        else:
            self.values[key] = value


def _seeds(request: BenchSong) -> range:
    return range(FIRST_SEED, FIRST_SEED + request.songs)


def _key(name: str, strength: float, seed: int) -> str:
    return f"edit {name} {strength:g} {seed}"


def _strengths(model: Model, request: BenchSong, rows: _Rows) -> Generator[Progress, None, dict[str, float]]:
    """Return the strength of each method that is closest to the truth on tuning songs; its first if there are none."""
    tasks = _tasks(request.tuning, FIRST_TUNING_SEED, rows)
    strengths = {}
    for editor in EDITORS:
        strengths[editor.name] = editor.strengths[0]
        if not tasks or len(editor.strengths) == 1:
            continue
        away = {}
        for strength in editor.strengths:
            results = [_result(model, editor, strength, task, rows) for task in tasks]
            away[strength] = sum(result["truth"] for result in results)
            yield Progress(f"tuning: {editor.name} {strength:g}", len(tasks), len(tasks))
        strengths[editor.name] = min(away, key=lambda strength: away[strength])
    return strengths


def _edits(
    model: Model, request: BenchSong, rows: _Rows, strengths: dict[str, float]
) -> Generator[Progress, None, None]:
    for i, task in enumerate(_tasks(request.edits, FIRST_EDIT_SEED, rows)):
        if not all(_key(name, 0, task.seed) in rows.values for name in LIMITS):
            for name, wave in limits(task).items():
                rows.add(_key(name, 0, task.seed), result_of(task, wave).to_json())
        for editor in EDITORS:
            _result(model, editor, strengths[editor.name], task, rows)
        yield Progress("edits", i + 1, request.edits)
    strengths.update(dict.fromkeys(LIMITS, 0.0))


def _tasks(count: int, first: int, rows: _Rows) -> list[EditTask]:
    tasks = list(edit_tasks(count, first))
    seeds = [task.seed for task in tasks]
    if rows.values.get(f"tasks {first}") != seeds:
        rows.add(f"tasks {first}", seeds)
    return tasks


def _result(model: Model, editor: SongEditor, strength: float, task: EditTask, rows: _Rows) -> dict[str, Any]:
    key = _key(editor.name, strength, task.seed)
    if key not in rows.values:
        rows.add(key, result_of(task, editor.run(model, task, strength)).to_json())
    return rows.values[key]
