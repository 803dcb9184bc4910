"""Read tunes from MIDI, MusicXML and ABC by music21."""

import re
import sys
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO, StringIO
from math import log10
from typing import Any

from regrow.media.files import UNZIPPING, MediaError
from regrow.messages.message import say
from regrow.prompts.songs.abc_words import with_words_of_abc
from regrow.prompts.songs.melody_line import Event, Part, melody_of, notes_of, sung_part
from regrow.prompts.songs.tune_note import Tune, made_usable
from regrow.prompts.songs.written_music import Written, parts_of_written

DRUMS = 10
"""The MIDI channel of drums, which have no pitches."""
MOST_UNPACKED = 64 * 2**20
"""Most bytes of unpacked MusicXML."""
MOST_MIDI = 400_000
"""Most bytes of MIDI; music21 takes half a minute for them."""
MOST_WRITTEN = 8000
"""Most notes of written music in all parts together; music21 reads about a thousand per second."""
QUIETEST = -12.0
"""Lowest level of a MIDI note, in dB relative to the loudest."""
_LETTERS = re.compile("[A-Ga-gzx]")
"""Notes and rests of ABC; letters of chord names match too."""


def tune_of_file(data: bytes, name: str) -> Tune:
    """Return the tune of the bytes of a MIDI or MusicXML file, compressed or not.

    Args:
        data: the whole file.
        name: of the file, for sentences.

    Raises:
        MediaError: it is damaged, holds no notes, or music21 is not installed.
        ValueError: it has more notes than a song.
    """
    if data[:4] == b"MThd" or data[8:12] == b"RMID":
        if len(data) > MOST_MIDI:
            raise MediaError(say("midi_too_large", name=name, most=MOST_MIDI // 1000))
        return _tune(lambda: _midi(data[data.index(b"MThd") :]), name, "MIDI")
    text = _decoded(_unpacked(data, name) if data[:2] == b"PK" else data)
    if "<!ENTITY" in text:
        raise MediaError(say("musicxml_with_entities", name=name))
    _check_count(text.count("<note"), name)
    return _tune(lambda: parts_of_written(text, "musicxml", name), name, "MusicXML")


def tune_of_abc(text: str, name: str) -> Tune:
    """Return the first tune of a text in ABC, with the words of its `w:` lines.

    Raises:
        MediaError: it cannot be read, holds no notes, or music21 is not installed.
        ValueError: it has more notes than a song.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    start = next((i for i, line in enumerate(lines) if line.startswith("X:")), 0)
    ends = [i for i, line in enumerate(lines) if i > start and line.startswith("X:")]
    first = lines[start : ends[0]] if ends else lines[start:]
    if not any(line.startswith(("L:", "M:")) for line in first):
        first = [first[0], "L:1/8", *first[1:]]  # the standard's default (section 3.1.7), which music21 lacks
    _check_count(sum(len(_LETTERS.findall(line)) for line in first if line[1:2] != ":"), name)
    tune = _tune(lambda: parts_of_written("\n".join(first) + "\n", "abc", name), name, "ABC")
    more = (say("first_tune_taken", count=len(ends) + 1),) if ends else ()
    return with_words_of_abc(replace(tune, remarks=(*more, *tune.remarks)), first)


def _check_count(count: int, name: str) -> None:
    if count > MOST_WRITTEN:
        raise MediaError(say("written_music_too_long", name=name, count=count, most=MOST_WRITTEN))


def _tune(read: Callable[[], Written], name: str, kind: str) -> Tune:
    """Return the tune that music21 reads; any error of music21 becomes a MediaError."""
    if sys.modules.get("music21", True) is None or not find_spec("music21"):
        raise MediaError(say("music21_missing", kind=kind))
    try:
        # music21 reports oddities of a file on stderr, in its own terms
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            parts, tempo, key, remarks = read()
    except MediaError:  # already a sentence for users
        raise
    except Exception as problem:  # music21 raises errors of any type, from IndexError to its own
        raise MediaError(say("tune_file_damaged", name=name, kind=kind)) from problem
    parts = [part for part in parts if part.events]
    if not parts:
        raise MediaError(say("no_pitched_notes", name=name))
    part, chosen = sung_part(parts)
    melody, others = melody_of(part.events)
    notes, lyrics = notes_of(melody)
    if others:
        remarks = [*remarks, say("highest_note_sung")]
    return made_usable(Tune(notes, tempo, lyrics, (*((chosen,) if chosen else ()), *remarks), key), name)


def _midi(data: bytes) -> Written:
    """Return the parts of MIDI, one for each channel of each track, its first tempo, no key, and remarks.

    Programs write the key signature of C major into MIDI files of any key, so it is not read.
    """
    from music21.midi import MetaEvents, MidiFile

    at = 0
    while at + 8 <= len(data):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    if at > len(data):
        raise EOFError(say("midi_chunk_too_long"))
    file = MidiFile()
    file.readstr(data)
    parts: list[Part] = []
    tempi: dict[int, float] = {}
    for track in file.tracks:
        now, title = 0, ""
        playing: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
        events: dict[int, list[Event]] = defaultdict(list)
        message: Any  # the type of its data depends on the type of message
        for message in track.events:
            if message.isDeltaTime():
                now += message.time
                continue
            if message.type == MetaEvents.SET_TEMPO and len(message.data) == 3:
                tempi.setdefault(now, 60e6 / max(1, int.from_bytes(message.data, "big")))
            elif message.type == MetaEvents.SEQUENCE_TRACK_NAME:
                title = message.data.decode("utf-8", "replace").strip("\0 ")[:40]
            key = (message.channel, message.pitch) if message.isNoteOn() or message.isNoteOff() else None
            if key is None or message.channel == DRUMS:
                continue
            beats = now / file.ticksPerQuarterNote
            if message.isNoteOn():
                playing[key].append((beats, message.velocity))
            elif playing[key]:
                start, velocity = playing[key].pop(0)
                if beats > start:
                    events[key[0]].append(Event(start, beats, float(key[1]), float(velocity)))
        for (channel, pitch), begun in playing.items():  # notes that are never released last to the end
            last = now / file.ticksPerQuarterNote
            events[channel] += [Event(start, last, float(pitch), float(v)) for start, v in begun if last > start]
        parts += [Part(title, tuple(found)) for _, found in sorted(events.items())]
    remarks: list[str] = [say("first_tempo_kept")] if len({round(tempo) for tempo in tempi.values()}) > 1 else []
    loudest = max((event.level for part in parts for event in part.events), default=1.0)
    levelled = [Part(part.name, tuple(_levelled(event, loudest) for event in part.events)) for part in parts]
    return levelled, round(tempi[min(tempi)], 2) if tempi else None, "", remarks


def _levelled(event: Event, loudest: float) -> Event:
    """Return an event with its velocity converted to dB: 40 dB per factor of 10 (General MIDI Level 2, 1999)."""
    level = max(QUIETEST, round(40 * log10(max(event.level, 1) / loudest)))
    return Event(event.start, event.end, event.pitch, float(level))


def _unpacked(data: bytes, name: str) -> bytes:
    """Return the XML inside a compressed MusicXML file."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            music = [
                entry
                for entry in archive.infolist()
                if entry.filename.lower().endswith((".xml", ".musicxml")) and not entry.filename.startswith("META-INF")
            ]
            if not music:
                raise MediaError(say("zip_without_musicxml", name=name))
            if music[0].file_size > MOST_UNPACKED:
                raise MediaError(say("zip_unpacks_too_large", name=name, most=MOST_UNPACKED // 2**20))
            return archive.read(music[0])
    except UNZIPPING as problem:
        if isinstance(problem, MediaError):
            raise
        raise MediaError(say("zip_damaged", name=name)) from problem


def _decoded(data: bytes) -> str:
    """Return the decoded text of XML, without its declaration of an encoding."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    declared = re.search(rb"encoding=[\"']([\w.-]{1,30})[\"']", data[:200])
    encoding = "utf-16" if wide else declared[1].decode("ascii") if declared else "utf-8-sig"
    try:
        text = data.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding, "replace")
    except LookupError:
        text = data.decode("utf-8-sig", "replace")
    return re.sub(r"(<\?xml[^>]*?)\s+encoding=[\"'][^\"']*[\"']", r"\1", text, count=1)
