"""A sheet of spectrograms of songs and edits."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from regrow.benchmark.song.edits import EDIT, EDITORS, IMG2IMG, REGENERATED
from regrow.benchmark.song.singing import copied, sung
from regrow.benchmark.song.songs import FIRST_EDIT_SEED, FIRST_SEED, edit_tasks, held_out_song
from regrow.media.audio.mel import as_picture, to_mel, to_unit
from regrow.media.audio.voice import Wave
from regrow.media.image.sheet import Cell, Row, sheet
from regrow.models.codecs.voice import VoiceFrames
from regrow.models.model import Model
from regrow.requests.bench import BenchSong


def song_sheet(model: Model, request: BenchSong, strengths: Mapping[str, float]) -> Float[Tensor, "3 h w"]:
    """Show the log-mels of the first songs and edits, in [-1, 1], to be saved with `picture.save`.

    Args:
        model: the singing model.
        request: how many to show, and how the model sings.
        strengths: of the editing methods; no edits are shown if it is empty.

    Raises:
        ImportError: the teacher (hibari-tts) is not installed.
    """
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + min(request.shown, request.songs)):
        song = held_out_song(seed)
        waves = {
            f"the teacher: {' '.join(song.score.words)}": song.wave,
            "through the frames": copied(song.wave, song.score),
            model.name: sung(model, song.score, seed, request.steps, request.solver),
        }
        rows.append(Row("", _cells(waves)))
    editors = {editor.name: editor for editor in EDITORS if editor.name in (EDIT, IMG2IMG, REGENERATED)}
    for task in edit_tasks(min(request.shown, request.edits), FIRST_EDIT_SEED) if strengths else ():
        waves = {
            f"source: {' '.join(task.source.words)}": task.before,
            f"truth: {' '.join(task.target.words)}": task.truth,
        }
        for name, editor in editors.items():
            waves[f"{name} {strengths[name]:g}"] = editor.run(model, task, strengths[name])
        rows.append(Row("", _cells(waves)))
    return sheet(rows, cell=400, title=f"{model.name}: log-mels to 12 kHz")


def _cells(waves: Mapping[str, Wave]) -> Sequence[Cell]:
    lens = VoiceFrames().lens
    cells = []
    for name, wave in waves.items():
        mel = to_mel(torch.from_numpy(np.asarray(wave, np.float32))[None, None], lens)
        cells.append(Cell(as_picture(to_unit(mel, lens))[0], [name]))
    return cells
