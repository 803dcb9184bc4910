"""Read parts of written music by music21, in a separate process that is ended if it takes too long."""

import json
import re
import subprocess
import sys
import warnings
from dataclasses import asdict
from io import StringIO
from math import isfinite
from typing import Any

from regrow.media.files import MediaError
from regrow.messages.message import as_json, from_json, say
from regrow.prompts.songs.melody_line import Event, Part
from regrow.requests.song_options import KEY

MOST_REPEATS = 60
"""Most repeat marks that are played; music21's time grows with the cube of their number: 17 s for 240."""
MOST_SECONDS = 8
"""Limit of CPU seconds; a thousand notes take one second, or more in overfull bars."""
PATIENCE = 120
"""Limit of wall-clock seconds, for a busy computer."""
Written = tuple[list[Part], float | None, str, list[str]]
"""Parts, tempo in beats per minute, key such as "F# minor" or "", and remarks."""
PROGRAM = "from regrow.prompts.songs.written_music import main; main()"


def parts_of_written(text: str, kind: str, name: str) -> Written:
    """Return the parts of written music, with repeats expanded and ties joined, its first tempo, its key, and remarks.

    Args:
        text: of the file.
        kind: "abc" or "musicxml".
        name: of the file, for sentences.

    Raises:
        MediaError: it takes too long.
        ValueError: music21 cannot read it.
    """
    command = [sys.executable, "-c", PROGRAM, kind]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode < 0:  # ended by a signal, for its time or memory
        raise MediaError(say("written_music_too_slow", name=name, seconds=MOST_SECONDS))
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace"))
    found = json.loads(done.stdout)
    parts = [Part(part["name"], tuple(Event(**event) for event in part["events"])) for part in found["parts"]]
    return parts, found["tempo"], found["key"], [from_json(remark) for remark in found["remarks"]]


def main() -> None:
    """Read music from standard input, and print its parts, tempo, key and remarks as JSON."""
    _limit()
    printed, sys.stdout = sys.stdout, StringIO()  # music21 prints its own remarks
    warnings.simplefilter("ignore")
    parts, tempo, key, remarks = _read(sys.stdin.buffer.read().decode(), sys.argv[1])
    found = {"parts": [asdict(part) for part in parts], "tempo": tempo, "key": key}
    found["remarks"] = [as_json(one) for one in remarks]
    json.dump(found, printed)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows, where only the wall-clock limit applies
        return
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(text: str, kind: str) -> Written:
    from music21 import converter, stream

    score: Any = converter.parseData(text, format=kind)
    if isinstance(score, stream.Opus):
        score = score.scores[0]
    remarks = []
    if kind == "musicxml":
        score = score.toSoundingPitch()
    parts = []
    for part in score.parts or [score]:
        played, marks = part, len(part.recurse().getElementsByClass("RepeatMark"))
        try:
            if 0 < marks <= MOST_REPEATS:
                played = part.expandRepeats()
            elif marks:
                remarks.append(say("repeats_too_many", most=MOST_REPEATS))
        except Exception:  # inconsistent repeat brackets
            remarks.append(say("repeats_left_out"))
        joined = played.stripTies()
        voices = [joined]
        if joined.hasVoices() or any(bar.hasVoices() for bar in joined.getElementsByClass("Measure")):
            every = joined.voicesToParts().parts
            apart = [voice for voice in every if any(note.lyrics for note in voice.recurse().notes)]
            voices = apart or voices
        parts += [Part((part.partName or "")[:40], tuple(_events(voice))) for voice in voices]
    tempi = [mark.getQuarterBPM() for mark in score.flatten().getElementsByClass("MetronomeMark")]
    tempi = [float(tempo) for tempo in tempi if tempo]
    if len({round(tempo) for tempo in tempi}) > 1:
        remarks.append(say("first_tempo_kept"))
    return parts, tempi[0] if tempi else None, _key(score), list(dict.fromkeys(remarks))


def _key(score: Any) -> str:
    """Return the key at the beginning of a score; "" if it has none, or one that is neither major nor minor."""
    keys = score.flatten().getElementsByClass("KeySignature")
    if not keys or getattr(keys[0], "mode", None) not in ("major", "minor"):
        return ""
    key = f"{keys[0].tonic.name.replace('-', 'b')} {keys[0].mode}"
    return key if KEY.fullmatch(key) else ""


def _events(part: Any) -> list[Event]:
    """Return the notes of a part, without grace notes and chord names, which have no length."""
    events, broken = [], False
    for note in part.flatten().notes:
        length = float(note.quarterLength)
        pitches = [pitch.ps for pitch in getattr(note, "pitches", ()) if isfinite(pitch.ps)]
        if length <= 0 or not pitches or "ChordSymbol" in note.classes:
            continue
        verses = sorted(note.lyrics, key=lambda lyric: lyric.number)
        text = re.sub(r"\s+", " ", (verses[0].text or "").strip()) if verses else ""
        begins = not broken and (not verses or verses[0].syllabic not in ("middle", "end"))
        broken = verses[0].syllabic in ("begin", "middle") if text else broken
        start = float(note.offset)
        events += [Event(start, start + length, pitch, 0.0, text, begins) for pitch in pitches]
    return events
