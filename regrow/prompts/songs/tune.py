"""Read tunes as users give them: names of notes, ABC, or a file of notes or of sound."""

import os
import re
from pathlib import Path

from regrow.media.files import MediaError, readable, reason
from regrow.messages.message import say
from regrow.prompts.songs.tune_note import LONGEST, SHORTEST, Tune, TuneNote, made_usable
from regrow.worlds.songbook.score import MOST_NOTES

MOST_BYTES = 4 * 2**20
"""Largest size of a file of notes."""
_SUFFIXES = (".mid", ".midi", ".kar", ".abc", ".musicxml", ".mxl", ".xml", ".txt")
_SOUNDS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64", ".m4a")
_NOTE = re.compile(r"(?:([A-Ga-g])([#b♯♭]{0,2})(-?\d{1,2})?|([Rr]|-))(?::(\d{1,4}(?:\.\d{0,6})?|\d{1,4}/\d{1,4}))?")
_BARS = re.compile(r"\|+|\|:|:\||\|\]")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_HOW = say("how_notes_are_written")


def read_tune(text_or_path: str) -> Tune:
    """Read a tune: names of notes, a text in ABC, or a file.

    Names of notes look like "C4 C4 G4 G4 A4 A4 G4:2": a note and, after a colon, its beats, 1 by default. The default
    octave is that of the note before, at first 4. R or - is a rest; bar lines are ignored.

    Args:
        text_or_path: the tune itself, or the name of a file of MIDI, MusicXML, ABC or names of notes, or of a sound
            whose melody is transcribed. The content of the file determines its format.

    Returns:
        Its notes between C3 and C6, with sentences on what was chosen or moved.

    Raises:
        ValueError: there is no tune, it is too long, or the file cannot be read.
    """
    text = text_or_path.strip()
    if _is_file_name(text):
        return _file(Path(os.path.expanduser(text)))
    return written_tune(text)


def _is_file_name(text: str) -> bool:
    """Return whether a text names a file: it has such a suffix, or is a path and not names of notes."""
    if not text or len(text) > 1000 or "\n" in text or "\x00" in text:
        return False
    if Path(text).suffix.lower() in (*_SUFFIXES, *_SOUNDS):
        return True
    if all(_NOTE.fullmatch(name) for name in text.split()):
        return False
    return _exists(text) or (os.sep in text and not re.search(r"\s", text))


def _exists(text: str) -> bool:
    try:
        return os.path.exists(os.path.expanduser(text))
    except OSError:  # a name that is too long
        return False


def _file(path: Path) -> Tune:
    path = readable(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise MediaError(say("tune_file_unreadable", path=path, reason=reason(problem))) from problem
    if _is_sound(data) or (path.suffix.lower() in _SOUNDS and not _is_music(data)):
        from regrow.prompts.songs.humming import hummed_file

        return hummed_file(path)
    if len(data) > MOST_BYTES:
        raise MediaError(say("tune_file_too_large", path=path, most=MOST_BYTES // 2**20))
    if _is_music(data):
        from regrow.prompts.songs.tune_files import tune_of_file

        return tune_of_file(data, path.name)
    if b"\0" in data:
        raise MediaError(say("no_tune_in_file", path=path))
    return written_tune(data.decode("utf-8-sig", "replace"), path.name)


def _is_sound(data: bytes) -> bool:
    """Return whether bytes begin like a sound file."""
    form = (data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE") or (data[:4] == b"FORM" and data[8:11] == b"AIF")
    return form or data[:4] in (b"fLaC", b"OggS", b".snd", b"caff") or data[:3] == b"ID3" or data[:2] == b"\xff\xfb"


def _is_music(data: bytes) -> bool:
    """Return whether bytes begin like MIDI or MusicXML."""
    head = data[:4096].replace(b"\0", b"").lower()
    return data[:4] in (b"MThd", b"PK\3\4") or data[8:12] == b"RMID" or b"<score-" in head or b"<!doctype score" in head


def written_tune(text: str, source: str = "") -> Tune:
    """Return the tune of a text in ABC or of names of notes, which is never taken for the name of a file.

    Args:
        text: the tune itself.
        source: name of its origin, for sentences.

    Raises:
        ValueError: there is no tune, or it is too long.
    """
    source = source or say("the_tune")
    if len(text) > MOST_BYTES:
        raise ValueError(say("tune_text_too_long", count=len(text), most=MOST_BYTES))
    if re.search(r"^\s*X:", text, re.MULTILINE) or re.search(r"^K:", text, re.MULTILINE):
        from regrow.prompts.songs.tune_files import tune_of_abc

        return tune_of_abc(text, source)
    names = text.replace(",", " ").replace("|", " | ").replace(": |", " |").replace("| :", "| ").split()
    names = [name for name in names if not _BARS.fullmatch(name)]
    if len(names) > MOST_NOTES:
        raise ValueError(say("tune_too_many_notes", what=source, count=len(names), most_notes=MOST_NOTES))
    notes: list[TuneNote] = []
    octave = 4
    for number, name in enumerate(names, 1):
        match = _NOTE.fullmatch(name)
        if match is None:
            raise ValueError(say("no_note", name=name[:20], number=number, inside=_inside(source), how=_HOW))
        beats = _beats(match[5] or "1")
        if not SHORTEST <= beats <= LONGEST:
            raise ValueError(
                say(
                    "note_beats_out_of_range",
                    name=name[:20],
                    number=number,
                    inside=_inside(source),
                    shortest=SHORTEST,
                    longest=LONGEST,
                )
            )
        if match[4]:
            notes.append(TuneNote(None, beats))
            continue
        octave = int(match[3]) if match[3] else octave
        bent = sum(1 if sign in "#♯" else -1 for sign in match[2])
        pitch = 12 * (octave + 1) + _STEPS[match[1].upper()] + bent
        if not 0 <= pitch <= 127:
            raise ValueError(say("note_out_of_range", name=name[:20], number=number, inside=_inside(source), how=_HOW))
        notes.append(TuneNote(float(pitch), beats))
    return made_usable(Tune(tuple(notes)), source)


def _beats(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1) if float(below or 1) else 0.0


def _inside(source: str) -> str:
    return source[0].lower() + source[1:] if source.startswith("The ") else source
