"""Render a score on one instrument, from a small bank of sampled notes.

The bank has every third semitone of each instrument (and each drum of a kit), rendered once from the FluidR3 GM
soundfont by runs/render_bank.py. Other pitches are resampled from the nearest note with a band-limited filter (soxr),
so without aliasing. All bank notes of an instrument are equally loud, so loudness depends only on velocity; soft notes
are a little duller, as on a real instrument.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from regrow.messages.message import say
from regrow.worlds.bandstand.composition import Note
from regrow.worlds.bandstand.phrase import KITS

RATE = 22050
"""Samples per second of all bandstand clips."""
BANK = Path(__file__).parent / "bank"
KNEE, CEILING = 0.8, 0.98
"""Soft limiter: amplitudes up to the knee are unchanged, peaks above it are compressed to stay below the ceiling."""
DULLEST = 0.8
"""Weight of the low-passed note in the mix at velocity 0."""


@dataclass(frozen=True, eq=False)
class Voice:
    """An instrument's notes in the bank.

    Attributes:
        samples: float32 waves by MIDI key, each from its attack until it is inaudible, at RATE.
        release: seconds a note takes to die away after it is let go.
        is_kit: each key is a drum of its own, never played at another pitch.
    """

    samples: dict[int, np.ndarray]
    release: float
    is_kit: bool


@cache
def voice(instrument: str) -> Voice:
    """Return an instrument of the bank, decoded once per process."""
    entry = json.loads((BANK / "index.json").read_text())[instrument]
    whole, _ = soundfile.read(BANK / entry["file"], dtype="float32")
    samples = {key: whole[start : start + length] for key, start, length in entry["notes"]}
    return Voice(samples, entry["release"], instrument in KITS)


def sound(instrument: str, note: Note) -> np.ndarray:
    """Return one note from its onset to the end of its release, float32, at RATE; it ends at 0 without a click.

    A velocity of 127 plays the bank's note unchanged (RMS of the loudest fifth of a second: -20 dB); amplitude is
    proportional to the square of velocity, as in General MIDI (RP-015 recommends 40 log10(velocity / 127) dB).

    Raises:
        ValueError: the instrument is a kit without a drum of that pitch.
    """
    instrument_voice = voice(instrument)
    if instrument_voice.is_kit and note.pitch not in instrument_voice.samples:
        raise ValueError(say("no_such_drum", pitch=note.pitch, instrument=instrument))
    key = min(instrument_voice.samples, key=lambda key: abs(key - note.pitch))
    held, release = round(note.duration * RATE), round(instrument_voice.release * RATE)
    ratio = 2 ** ((note.pitch - key) / 12)
    wave = instrument_voice.samples[key][: int((held + release) * ratio) + 64]  # 64 more: the filter's end is cut off
    if note.pitch != key:
        wave = soxr.resample(wave, RATE * ratio, RATE, quality="HQ")
    wave = wave[: held + release].copy()
    strength = note.velocity / 127
    softness = DULLEST * (1 - strength) / 4
    wave[1:-1] += softness * (wave[:-2] - 2 * wave[1:-1] + wave[2:])
    if len(wave) > held:
        fall = np.linspace(0, np.pi, release, dtype=np.float32)[: len(wave) - held]
        wave[held:] *= 0.5 + 0.5 * np.cos(fall)
    return wave * np.float32(strength**2)


def mixed(instrument: str, score: Iterable[Note], samples: int) -> np.ndarray:
    """Return the sum of the notes, float32, cut to `samples` samples."""
    mix = np.zeros(samples, dtype=np.float32)
    for note in score:
        onset = round(note.onset * RATE)
        wave = sound(instrument, note)[: samples - onset]
        mix[onset : onset + len(wave)] += wave
    return mix


def levelled(mix: np.ndarray, level: float) -> np.ndarray:
    """Return the mix, scaled to an RMS of `level` dB relative to 1, within [-1, 1].

    A few clips (drums, high plucked notes) have attacks that would exceed 1: their peaks are compressed by a tanh, and
    the level is restored.
    """
    target = 10 ** (level / 20)
    wave = mix * np.float32(target / _rms(mix))
    while np.abs(wave).max() > 1:
        beyond = np.abs(wave) - KNEE
        bent = KNEE + (CEILING - KNEE) * np.tanh(beyond / (CEILING - KNEE))
        wave = np.where(beyond > 0, np.sign(wave) * bent, wave)
        wave *= np.float32(target / _rms(wave))
    return wave


def _rms(wave: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
