"""Songs of the songbook as training data: sung once by the teacher, checked, and kept on disk as frames of a voice."""

from collections.abc import Generator
from functools import partial
from importlib.util import find_spec

import numpy as np

from regrow.core.progress import Progress
from regrow.media.audio import voice
from regrow.media.audio.voice_analysis import analyse
from regrow.messages.message import say
from regrow.training.arrays import keep_rows
from regrow.training.training_data import Data
from regrow.worlds.parallel_map import parallel_map
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import Score
from regrow.worlds.songbook.songs import song

CODE = ("alignment.py", "phones.py", "rhymes.txt", "songs.py", "teacher.py", "tunes.py", "words.txt")
"""Files of the songbook that decide how a song sounds."""
CODE_OF_FRAMES = ("pitch.py", "voice.py", "voice_analysis.py")
"""Files of `media.audio` that decide which data of a song is kept, and which songs are discarded."""
TRIES = 30
"""Most songs of one seed to try, until the teacher sings every vowel of one."""


def songbook_data(
    songs: int, held_out: int, frames: int, first_held_out: int, code: str, processes: int | None = None
) -> Generator[Progress, None, Data]:
    """Return songs with their scores as captions.

    Args:
        songs: number of songs to train on.
        held_out: number of further songs, which are never trained on.
        frames: of each song.
        first_held_out: the first seed of held-out songs.
        code: a hash of `CODE` and `CODE_OF_FRAMES`.
        processes: that sing; all cores when None.

    Raises:
        ValueError: the teacher is not installed.
        MediaError: there is no room for them.
    """
    if find_spec("onnx") is None:
        raise ValueError(say("teacher_missing"))
    seeds = [*range(songs), *(first_held_out + i for i in range(held_out))]
    rows, tries = yield from keep_rows(
        "sung",
        f"songbook {songs} {held_out} {frames} {voice.ROWS} {code}",
        {"": ((len(seeds), voice.ROWS, frames, 1), np.float16), "-tries": ((len(seeds),), np.uint8)},
        lambda: parallel_map(partial(sung, frames=frames), seeds, processes),
    )
    failed = int(tries.astype(int).sum())
    return Data(
        rows,
        None,
        lambda i, seed: song(seeds[i], int(tries[i])).text,
        held_out,
        f"songbook {songs} {held_out} {frames} {code}",
        (),
        (),
        (say("songs_sung", count=len(seeds), thrown_away=failed),),
    )


def sung(seed: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a seed's song, float16 `rows frames 1`, and how many songs of the seed failed before it.

    Raises:
        ImportError: the teacher is not installed.
    """
    score, wave, number = first_sung(seed)
    pitch = align(score).pitch
    pitch = np.pad(pitch, (0, frames - len(pitch)), mode="edge")
    return analyse(wave, pitch)[..., None].astype(np.float16), np.array(number, np.uint8)


def first_sung(seed: int) -> tuple[Score, np.ndarray, int]:
    """Return a seed's first song of which the teacher sings every vowel, its wave, and how many failed before it.

    Raises:
        ImportError: the teacher is not installed.
    """
    from regrow.worlds.songbook import teacher

    number, score = 0, song(seed)
    wave = teacher.sing(score)
    while number < TRIES and teacher.unvoiced_vowels(score, wave):
        number, score = number + 1, song(seed, number + 1)
        wave = teacher.sing(score)
    return score, wave, number
