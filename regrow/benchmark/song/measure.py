"""Measure one song as sung by the teacher (Hibari), copied through the model's frames, and sung by the model.

pitch       share of frames inside notes, with a confident pitch by swift-f0, within 25 cents of the score's curve
notes       share of those frames in vowels, from 60 ms after a note's onset, within 25 cents of the plain note
onsets      share of vowels that are sung and begin within 50 ms of the teacher's
on_time     share of vowels that begin within 50 ms, whatever is sung
words       share of words that pocketsphinx recognises among eight
mel         mean absolute log-mel difference from the teacher, dB

Each share is a pair: hits and number of tries.
"""

from random import Random
from typing import Any

from regrow.benchmark.song.onsets import log_mel_distance, moved, vowel_onsets
from regrow.benchmark.song.pitch import limit_of_notes, pitch_kept
from regrow.benchmark.song.singing import copied
from regrow.benchmark.song.songs import HeldOutSong
from regrow.benchmark.song.words import words_right
from regrow.media.audio.voice import RATE, Wave
from regrow.worlds.songbook.alignment import FRAME

MOVED = (2, 6)
"""Frames by which a vowel of the teacher is moved: 25 ms, which counts as on time, and 75 ms, which does not."""


def measured(song: HeldOutSong, wave: Wave) -> dict[str, Any]:
    """Return the figures of a voice that sings a song, JSON-able.

    Args:
        song: the song that it should sing.
        wave: the voice, at 24 kHz.

    Raises:
        ImportError: swift-f0 or pocketsphinx is not installed.
    """
    pitch, notes = pitch_kept(wave, song.score)
    onsets = vowel_onsets(wave, song.wave, song.score)
    words = words_right(wave, song.score, str(song.seed))
    return {
        "pitch": [pitch.hits, pitch.count],
        "notes": [notes.hits, notes.count],
        "onsets": [sum(onset.right for onset in onsets), len(onsets)],
        "on_time": [sum(onset.on_time for onset in onsets), len(onsets)],
        "words": [sum(words), len(words)],
        "mel": log_mel_distance(wave, song.wave),
    }


def song_row(song: HeldOutSong, wave: Wave, seconds: float, threads: int) -> dict[str, Any]:
    """Return the row of a song: its facts, and the figures of all three voices.

    Args:
        song: the song that was sung.
        wave: the model's voice, at 24 kHz.
        seconds: that the model took.
        threads: number of threads that it used.
    """
    limit = limit_of_notes(song.score)
    return {
        "singer": song.score.singer,
        "thrown": song.thrown,
        "limit": [limit.hits, limit.count],
        "length": len(song.wave) / RATE,
        "seconds": round(seconds, 4),
        "threads": threads,
        "teacher": measured(song, song.wave),
        "frames": measured(song, copied(song.wave, song.score)),
        "model": measured(song, wave),
    }


def onset_check(song: HeldOutSong) -> dict[str, list[int]]:
    """Validate the measurement of onsets; return, by shift in ms, the counts of correct verdicts and of tries.

    One vowel of the teacher is moved, by 25 ms, which must count as right, and by 75 ms, which must count as wrong.
    There is no try if the vowel has no room to move.
    """
    vowels = len(vowel_onsets(song.wave, song.wave, song.score))
    vowel = Random(f"onset {song.seed}").randrange(vowels)
    rows: dict[str, list[int]] = {}
    for frames in MOVED:
        wave = moved(song.wave, song.score, vowel, frames)
        right = wave is not None and vowel_onsets(wave, song.wave, song.score)[vowel].right
        expected = frames * FRAME <= 0.05
        rows[f"{1000 * frames * FRAME:g}"] = [int(wave is not None and right is expected), int(wave is not None)]
    return rows
