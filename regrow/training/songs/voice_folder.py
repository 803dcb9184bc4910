"""A folder of recordings of one voice, with their words, as training data of a model that sings scores."""

import hashlib
from collections.abc import Generator
from pathlib import Path

import numpy as np

from regrow.core.progress import Progress
from regrow.media.audio import sound, voice
from regrow.media.audio.pitch import pitch_of
from regrow.media.audio.voice_analysis import analyse
from regrow.media.captions.captioned import Item, read_captioned
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.prompts.songs.lyrics import sung_words
from regrow.training.songs.voice_alignment import score_of_recording
from regrow.training.training_data import Data
from regrow.worlds.songbook.alignment import FRAME, align
from regrow.worlds.songbook.score import Note, Score

RMS = 10 ** (-28 / 20)
"""RMS of the songs that singing models are trained on."""
CONSENT = say("voice_needs_consent")


def voice_folder_data(folder: Path, held_out: int, model: Model) -> Generator[Progress, None, Data]:
    """Return the recordings of a folder with scores, cut between words into pieces that fit the model.

    Args:
        folder: recordings, with the sung or spoken words as captions.
        held_out: number of pieces that are never trained on; at most a tenth of all.
        model: the model to continue, which also aligns the words.

    Raises:
        MediaError: there is no recording whose words can be aligned.
    """
    listed = read_captioned(folder, kind=SOUNDS)
    items = sorted(listed.items, key=lambda item: hashlib.blake2b(item.content.encode()).digest())
    pieces: list[tuple[np.ndarray, Score]] = []
    notes: list[str] = [CONSENT]
    for number, item in enumerate(items):
        try:
            pieces += _pieces(item, model)
        except ValueError as problem:  # includes MediaError
            notes.append(say("recording_left_out", name=item.name, problem=problem))
        yield Progress("align", number + 1, len(items))
    if not pieces:
        raise MediaError(say("no_words_in_recordings", folder=folder, notes=" ".join(notes[1:4])))
    held_out = min(held_out, len(pieces) // 10)
    seconds = sum(align(score).frames for _, score in pieces) * FRAME
    notes.append(say("recordings_counted", count=len(items), seconds=seconds, pieces=len(pieces), held_out=held_out))
    rows = np.stack([rows for rows, _ in pieces])
    texts = [score.text for _, score in pieces]
    return Data(
        rows, None, lambda i, seed: texts[i], held_out, hashlib.blake2b(rows.tobytes(), digest_size=12).hexdigest(),
        (), (), (*notes, *listed.notes),
    )  # fmt: skip


def _pieces(item: Item, model: Model) -> list[tuple[np.ndarray, Score]]:
    if not item.caption:
        raise ValueError(say("recording_without_words"))
    loaded = sound.load(item.name, item.read(), sound.MOST_TRAINED)
    wave = sound.resample(sound.to_mono(loaded.wave), loaded.rate, voice.RATE)[0].double().numpy()
    wave *= RMS / max(1e-9, float(np.sqrt(np.square(wave).mean())))
    score, begin = score_of_recording(wave, sung_words(item.caption), model)
    pieces = []
    for part, start in _cut(score, model.size[-1]):
        aligned = align(part)
        frames = aligned.frames
        first = begin + round(start * voice.RATE)
        clip = _between(wave, first, first + frames * voice.HOP)
        rows = analyse(clip, pitch_of(clip))
        rows[-1] = (aligned.pitch - voice.CENTRE) / voice.REACH  # the pitch, which the network does not predict
        rows = np.pad(rows, ((0, 0), (0, model.size[-1] - frames)), mode="edge")
        rows[:-1, frames:] = -1
        pieces.append((rows[..., None].astype(np.float16), part))
    return pieces


def _cut(score: Score, frames: int) -> list[tuple[Score, float]]:
    """Return parts of a score, cut before words, of at most `frames` frames, and the second at which each begins."""
    parts: list[tuple[Score, float]] = []
    notes: list[Note] = []
    at = start = 0.0
    words: list[list[Note]] = []
    for note in score.notes:
        if note.word != "-" or not words:
            words.append([])
        words[-1].append(note)
    for word in words:
        if notes and align(score.with_notes([*notes, *word])).frames > frames:
            parts.append((score.with_notes(notes), start))
            notes, start = [], at
        notes += word
        at += sum(note.beats for note in word)
    return [
        (part, second) for part, second in (*parts, (score.with_notes(notes), start)) if align(part).frames <= frames
    ]


def _between(wave: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the samples of a wave between two indices, with silence beyond its ends."""
    inside = wave[max(0, first) : max(0, last)]
    return np.pad(inside, (max(0, -first), max(0, last - first - len(inside) - max(0, -first))))
