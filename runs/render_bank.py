"""Render the bank of notes in regrow/worlds/bandstand/bank from the FluidR3 GM soundfont (MIT).

This is only needed to change the bank; playing needs neither fluidsynth nor the soundfont.

    apt-get install fluidsynth fluid-soundfont-gm
    .venv/bin/python runs/render_bank.py

fluidsynth plays every third semitone of each instrument, without reverb and chorus. The notes are mixed to mono, tuned,
levelled, cut to the longest duration of a phrase's notes, and stored as one Ogg Vorbis file per instrument. Prints each
note's correction.
"""

import json
import math
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
COPYRIGHT = Path("/usr/share/doc/fluid-soundfont-gm/copyright")
BANK = Path(__file__).parents[1] / "regrow" / "worlds" / "bandstand" / "bank"
RATE, RENDERED = 22050, 44100
LONGEST = 2.0  # s; two slow beats with their release, played a semitone higher
LEVEL = 10 ** (-20 / 20)  # RMS of the loudest fifth of a second of a pitched note
PAUSE = 1.5  # s between rendered notes, for their releases
SPACE = 1024  # samples of silence between kept notes, so that Vorbis cannot smear one into the next
QUALITY = 0.7  # of Vorbis


@dataclass(frozen=True)
class Source:
    """A preset of the soundfont: its General MIDI program, and the seconds in which its sound ends after a note."""

    program: int
    release: float
    is_kit: bool = False


SOURCES = {
    "piano": Source(0, 0.15),
    "guitar": Source(24, 0.15),
    "electric guitar": Source(30, 0.08),
    "violin": Source(40, 0.1),
    "flute": Source(73, 0.08),
    "clarinet": Source(71, 0.06),
    "trumpet": Source(56, 0.06),
    "saxophone": Source(66, 0.06),
    "organ": Source(19, 0.12),
    "choir": Source(52, 0.15),
    "marimba": Source(12, 0.2),
    "sitar": Source(104, 0.2),
    "drum kit": Source(0, 0.1, is_kit=True),
    "drum machine": Source(25, 0.1, is_kit=True),
}
KEYS = range(48, 91, 3)
HITS = (36, 38, 42, 45, 46, 47, 49, 50)


def midi(source: Source, keys: list[int]) -> bytes:
    """Return a MIDI file that plays the keys one after the other, at 1000 ticks per second."""

    def after(ticks: int) -> bytes:
        groups = [ticks & 127]
        while ticks := ticks >> 7:
            groups.append(ticks & 127 | 128)
        return bytes(reversed(groups))

    channel = 9 if source.is_kit else 0
    hold, pause = round(1000 * (LONGEST + 0.5)), round(1000 * PAUSE)
    events = after(0) + b"\xff\x51\x03" + (1_000_000).to_bytes(3, "big") + after(0)
    events += bytes([0xC0 | channel, source.program])
    for i, key in enumerate(keys):
        events += after(pause if i else 0) + bytes([0x90 | channel, key, 100])
        events += after(hold) + bytes([0x80 | channel, key, 0])
    events += after(pause) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(events)) + events


def rendered(source: Source, keys: list[int]) -> list[np.ndarray]:
    """Return each key as played by fluidsynth, mono at RENDERED: the note and the pause after it."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "notes.mid"), Path(folder, "notes.wav")
        score.write_bytes(midi(source, keys))
        options = ["-ni", "-q", "-R", "0", "-C", "0", "-g", "0.5", "-r", str(RENDERED), "-O", "float", "-T", "wav"]
        subprocess.run(["fluidsynth", *options, "-F", sound, SOUNDFONT, score], check=True, capture_output=True)
        stereo, rate = soundfile.read(sound, dtype="float32")
    assert rate == RENDERED
    step = round(RENDERED * (LONGEST + 0.5 + PAUSE))
    return [stereo[i * step : (i + 1) * step].mean(axis=1) for i in range(len(keys))]


def mistuning(wave: np.ndarray, key: int) -> int:
    """Return by how many cents a note sounds too high: the centre of power around its first six harmonics.

    The centre of power is the mean of the instantaneous frequency, so it also works for vibrato and choirs.
    """
    part = wave[round(0.05 * RENDERED) : round(1.25 * RENDERED)]
    size = 1 << 18
    power = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part)), size)))
    frequencies = np.arange(1, len(power)) * RENDERED / size
    pitch = 440 * 2 ** ((key - 69) / 12)
    centre = 0.0
    for _ in range(3):  # the band follows the centre
        near, total = 0.0, 0.0
        for harmonic in range(1, 7):
            cents = 1200 * np.log2(frequencies / (harmonic * pitch)) - centre
            band = np.where(np.abs(cents) < 70, power[1:], 0.0)
            near, total = near + float((band * cents).sum()), total + float(band.sum())
        centre += near / total
    return round(centre)


def level(wave: np.ndarray, seconds: float) -> np.ndarray:
    """Return the RMS in a sliding window, in steps of 1 ms; each window begins at its step."""
    width = round(seconds * RATE)
    total = np.cumsum(np.r_[0.0, np.square(wave, dtype=np.float64), np.zeros(width)])
    return np.sqrt((total[width:] - total[:-width]).clip(0) / width)[:: RATE // 1000]


def shaped(wave: np.ndarray) -> np.ndarray:
    """Return the note from its attack until it is inaudible, with faded ends that do not click."""
    loud = level(wave, 0.005)
    heard = np.flatnonzero(loud > 0.03 * loud.max())[0] * (RATE // 1000)
    wave = wave[max(0, heard - RATE // 500) :][: round(LONGEST * RATE)].copy()
    audible = np.flatnonzero(level(wave, 0.05) > 1e-3 * loud.max())[-1] * (RATE // 1000)
    wave = wave[: audible + RATE // 20]
    rise, fall = np.linspace(0, 1, RATE // 500), np.linspace(1, 0, RATE // 50)
    wave[: len(rise)] *= rise
    wave[-len(fall) :] *= fall
    return wave


def main() -> None:
    BANK.mkdir(exist_ok=True)
    index = {}
    for name, source in SOURCES.items():
        keys = list(HITS if source.is_kit else KEYS)
        notes = []
        for key, wave in zip(keys, rendered(source, keys), strict=True):
            cents = 0 if source.is_kit else mistuning(wave, key)
            note = shaped(soxr.resample(wave, RENDERED * 2 ** (-cents / 1200), RATE, quality="VHQ"))
            gain = 1.0 if source.is_kit else LEVEL / level(note, 0.2).max()
            print(f"{name} {key}: {-cents:+d} cents, {20 * math.log10(gain):+.1f} dB, {len(note) / RATE:.2f} s")
            notes.append(note * gain)
        if source.is_kit:  # all hits get the same gain, to keep their balance
            loudest = max(level(note, 0.2).max() for note in notes)
            notes = [note * (LEVEL / loudest) for note in notes]
        highest = max(np.abs(note).max() for note in notes)
        assert highest < 1, f"{name} would clip: {highest}"
        starts = np.cumsum([0] + [len(note) + SPACE for note in notes])[:-1]
        whole = np.concatenate([np.r_[note, np.zeros(SPACE)] for note in notes])
        file = f"{name.replace(' ', '-')}.ogg"
        with soundfile.SoundFile(
            BANK / file, "w", RATE, 1, "VORBIS", format="OGG", compression_level=1 - QUALITY
        ) as sound:
            for i in range(0, len(whole), RATE):  # libsndfile's Vorbis writer overflows its stack on long blocks
                sound.write(whole[i : i + RATE])
        places = [[key, int(start), len(note)] for key, start, note in zip(keys, starts, notes, strict=True)]
        index[name] = {"file": file, "release": source.release, "notes": places}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in index.items())
    (BANK / "index.json").write_text(f"{{\n{lines}\n}}\n")
    notice = COPYRIGHT.read_text().split("The Debian packaging")[0].rstrip()
    heading = (
        "The notes in this folder were rendered by runs/render_bank.py from the FluidR3 GM soundfont (Debian package\n"
        "fluid-soundfont-gm). The notice of the soundfont, from that package:\n\n"
    )
    (BANK / "NOTICE").write_text(f"{heading}{notice}\n")
    print(f"{sum(path.stat().st_size for path in BANK.iterdir()) / 1e6:.2f} MB in {BANK}")


if __name__ == "__main__":
    main()
