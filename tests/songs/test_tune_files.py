"""Tunes from names of notes, MIDI, MusicXML and ABC: real files, written here."""

import random
import re
import struct
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from regrow.media.files import MediaError
from regrow.prompts.songs.tune import read_tune
from regrow.prompts.songs.tune_files import tune_of_file
from regrow.prompts.songs.tune_note import Tune, TuneNote
from regrow.worlds.songbook.score import MOST_NOTES

TPQ = 480


def line(tune: Tune) -> list[tuple[float | None, float]]:
    return [(note.pitch, round(note.beats, 4)) for note in tune.notes]


def varied(value: int) -> bytes:
    """Return a number as MIDI writes lengths."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(128 | (value & 127))
    return bytes(reversed(groups))


def midi(path: Path, tracks: Sequence[Sequence[tuple[float, bytes]]]) -> Path:
    """Write a file of MIDI: of each track (beat, event)."""
    data = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), TPQ)
    for track in tracks:
        body, now = b"", 0
        for beat, event in sorted(track, key=lambda item: item[0]):
            tick = round(beat * TPQ)
            body += varied(tick - now) + event
            now = tick
        body += b"\0\xff\x2f\0"
        data += b"MTrk" + struct.pack(">I", len(body)) + body
    path.write_bytes(data)
    return path


def played(
    notes: Sequence[tuple[float, float, int]], channel: int = 0, velocity: int = 100
) -> list[tuple[float, bytes]]:
    """Return the events of (start, end, pitch); the end of a note comes before the start of the next."""
    events = [(end, bytes([0x80 | channel, pitch, 0])) for _, end, pitch in notes]
    return events + [(start, bytes([0x90 | channel, pitch, velocity])) for start, _, pitch in notes]


def meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind, len(data)]) + data


def tempo(bpm: float) -> bytes:
    return meta(0x51, round(60e6 / bpm).to_bytes(3, "big"))


def musicxml(measures: Sequence[str]) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list><score-part id="P1">'
    head += "<part-name>Tune</part-name></score-part></part-list><part id='P1'>"
    first = "<attributes><divisions>6</divisions><key><fifths>0</fifths></key>"
    first += "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    bars = [f'<measure number="{i}">{first if i == 1 else ""}{bar}</measure>' for i, bar in enumerate(measures, 1)]
    return head + "".join(bars) + "</part></score-partwise>"


def xml_note(step: str, octave: int, sixths: int, lyric: str = "", syllabic: str = "single", tie: str = "") -> str:
    words = f"<lyric><syllabic>{syllabic}</syllabic><text>{lyric}</text></lyric>" if lyric else ""
    ties = "".join(f'<tie type="{kind}"/>' for kind in tie.split())
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{pitch}<duration>{sixths}</duration>{ties}<voice>1</voice>{words}</note>"


# names of notes


def test_names_of_notes_are_read() -> None:
    tune = read_tune("C4 C4 | G4 G4 | A A G:2 |")
    assert line(tune) == [(60, 1), (60, 1), (67, 1), (67, 1), (69, 1), (69, 1), (67, 2)]
    assert (tune.tempo, tune.lyrics, tune.remarks) == (None, "", ())


def test_octaves_accidentals_beats_and_rests_are_read() -> None:
    tune = read_tune("R:2 F#5:0.5 g♭ b♭3:3/4 - R:0.5 Bb Cb4, E♯:1. R")
    assert line(tune) == [(78, 0.5), (78, 1), (58, 0.75), (None, 1.5), (58, 1), (59, 1), (65, 1)]


def test_what_is_out_of_range_is_moved_by_octaves_and_said() -> None:
    assert line(read_tune("C7 E7")) == [(72, 1), (76, 1)]
    tune = read_tune("C2 E2 G2")
    assert [pitch for pitch, _ in line(tune)] == [48, 52, 55]
    assert tune.remarks == ("The tune was moved up an octave to fit the range of C3 to C6.",)
    wide = read_tune("A1 C4 C7")
    assert all(48 <= note.pitch <= 84 for note in wide.sung if note.pitch is not None)
    assert [round(note.pitch or 0) % 12 for note in wide.sung] == [9, 0, 0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "has no notes that can be sung"),
        ("R R:2", "has no notes that can be sung"),
        ("C4 H4", '"H4", item 2 of the tune'),
        ("C99", '"C99", item 1'),
        ("C4:0", "must last 0.01 to 64 beats"),
        ("C4:1/0", "must last 0.01 to 64 beats"),
        ("C4:9999", "must last 0.01 to 64 beats"),
        ("C4:nan", "is not a note"),
        ("C4 " * 1_000_000, "a song may have 2,000"),
        ("none.mid", "There is no file none.mid"),
        ("~none/x.abc", "There is no file"),
        ("folder/none", "There is no file"),
        ("C4\0", "is not a note"),
    ],
)
def test_what_is_no_tune_is_said_in_a_sentence(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=re.escape(part)) as problem:
        read_tune(text)
    assert "\n" not in str(problem.value)
    assert len(str(problem.value)) < 300


# MIDI


def test_midi_keeps_pitches_beats_rests_and_tempo(tmp_path: Path) -> None:
    notes = [(2.0, 3.0, 60), (3.0, 3.45, 62), (3.5, 4.0, 62), (5.0, 7.0, 64)]
    tune = read_tune(str(midi(tmp_path / "a.mid", [[(0.0, tempo(90)), *played(notes)]])))
    assert line(tune) == [(60, 1), (62, 0.5), (62, 0.5), (None, 1), (64, 2)]
    assert tune.tempo == 90
    assert not tune.remarks


def test_of_a_midi_piano_the_highest_line_is_sung(tmp_path: Path) -> None:
    melody = [(i, i + 1, pitch) for i, pitch in enumerate((72, 74, 76, 77, 79, 77, 76, 74))]
    chords = [(2 * i, 2 * i + 2, pitch) for i in range(4) for pitch in (48, 52, 55)]
    inner = [(i + 0.5, i + 1, 64) for i in range(8)]
    tune = read_tune(str(midi(tmp_path / "piano.mid", [played([*melody, *chords, *inner])])))
    assert line(tune) == [(pitch, 1) for _, _, pitch in melody]
    assert tune.remarks == ("Of simultaneous notes, the highest is sung.",)


def test_a_part_that_is_named_as_a_voice_is_taken(tmp_path: Path) -> None:
    flute = [(i / 2, i / 2 + 0.5, 84 - i % 3) for i in range(16)]
    voice = [(float(i), i + 1.0, 60 + i) for i in range(4)]
    path = midi(
        tmp_path / "x", [[(0.0, meta(3, b"Flute")), *played(flute)], [(0.0, meta(3, b"Vocals")), *played(voice, 1)]]
    )
    tune = read_tune(str(path))
    assert line(tune) == [(60, 1), (61, 1), (62, 1), (63, 1)]
    assert tune.remarks == ('The tune is taken from part "Vocals", one of 2 parts, because of its name.',)


def test_midi_loudness_becomes_levels(tmp_path: Path) -> None:
    track = played([(0, 1, 60)], velocity=100) + played([(1, 2, 62)], velocity=50) + played([(2, 3, 64)], velocity=1)
    assert [note.level for note in read_tune(str(midi(tmp_path / "a.mid", [track]))).notes] == [0, -12, -12]


def test_a_note_that_is_never_released_lasts_to_the_end(tmp_path: Path) -> None:
    track = [(0.0, bytes([0x90, 60, 90])), *played([(1.0, 2.0, 64)])]
    assert line(read_tune(str(midi(tmp_path / "a.mid", [track])))) == [(60, 1), (64, 1)]


def test_a_midi_file_that_would_take_minutes_is_refused(tmp_path: Path) -> None:
    path = midi(tmp_path / "long.mid", [played([(i / 8, i / 8 + 0.1, 60) for i in range(60_000)])])
    with pytest.raises(ValueError, match=r"long\.mid has more than 400 kB"):
        read_tune(str(path))


def test_drums_are_no_tune(tmp_path: Path) -> None:
    path = midi(tmp_path / "drums.mid", [played([(i, i + 0.5, 36) for i in range(8)], channel=9)])
    with pytest.raises(ValueError, match=r"drums.mid has no notes with a pitch"):
        read_tune(str(path))


def test_half_a_midi_file_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    data = midi(tmp_path / "a.mid", [[(0.0, tempo(90))], played([(i, i + 1, 60) for i in range(9)])]).read_bytes()
    for length in range(1, len(data)):
        (tmp_path / "half.mid").write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"half\.mid"):
            read_tune(str(tmp_path / "half.mid"))


def test_damaged_midi_is_a_tune_or_a_sentence(tmp_path: Path) -> None:
    data = midi(tmp_path / "a.mid", [played([(i, i + 1, 60 + i) for i in range(12)])]).read_bytes()
    draw = random.Random(0)
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(draw.randint(1, 4)):
            damaged[draw.randrange(len(data))] = draw.randrange(256)
        (tmp_path / "d.mid").write_bytes(damaged)
        try:
            assert read_tune(str(tmp_path / "d.mid")).sung
        except ValueError as error:
            problem = str(error)
            assert "d.mid" in problem or problem.startswith('"')


def test_too_many_notes_of_a_file_are_refused(tmp_path: Path) -> None:
    path = midi(tmp_path / "long.mid", [played([(i / 4, i / 4 + 0.25, 60) for i in range(MOST_NOTES + 1)])])
    with pytest.raises(ValueError, match=r"long.mid has 2,001 notes; a song may have"):
        read_tune(str(path))


# MusicXML


def test_musicxml_gives_notes_words_ties_and_tuplets(tmp_path: Path) -> None:
    bars = [
        xml_note("C", 4, 6, "Hel", "begin") + xml_note("D", 4, 6, "lo", "end") + xml_note("E", 4, 12, tie="start"),
        xml_note("E", 4, 6, tie="stop") + "<note><rest/><duration>6</duration></note>"
        + xml_note("F", 4, 4, "my") + xml_note("F", 4, 4, "dear") + xml_note("F", 4, 4, "world"),
    ]  # fmt: skip
    (tmp_path / "a.musicxml").write_text(musicxml(bars), encoding="utf-8")
    tune = read_tune(str(tmp_path / "a.musicxml"))
    assert line(tune) == [(60, 1), (62, 1), (64, 3), (None, 1), *[(65, 0.6667)] * 3]
    assert [note.sung_on for note in tune.notes] == [False, False, True, False, False, False, False]
    assert tune.lyrics == "Hello\nmy dear world"
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("score.xml", musicxml(bars))
    assert read_tune(str(tmp_path / "a.mxl")) == tune
    assert tune.key == ""  # fifths without a mode
    stated = musicxml(bars).replace("<fifths>0</fifths>", "<fifths>-3</fifths><mode>minor</mode>")
    (tmp_path / "b.musicxml").write_text(stated, encoding="utf-8")
    assert read_tune(str(tmp_path / "b.musicxml")).key == "C minor"


def test_a_file_is_known_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_text(musicxml([xml_note("C", 4, 24)]), encoding="utf-16")
    assert line(read_tune(str(tmp_path / "a.mid"))) == [(60, 4)]
    (tmp_path / "b.xml").write_text("X:1\nL:1/4\nK:C\nCDE|\n")
    assert line(read_tune(str(tmp_path / "b.xml"))) == [(60, 1), (62, 1), (64, 1)]
    (tmp_path / "c.txt").write_text("\ufeffC4 D4\n")
    assert line(read_tune(str(tmp_path / "c.txt"))) == [(60, 1), (62, 1)]


def test_repeats_are_played_and_grace_notes_left_out(tmp_path: Path) -> None:
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><voice>1</voice></note>"
    repeat = '<barline location="right"><repeat direction="backward"/></barline>'
    bar = grace + xml_note("C", 5, 12) + xml_note("D", 5, 12) + repeat
    (tmp_path / "r.xml").write_text(musicxml([bar, xml_note("E", 5, 24)]))
    assert line(read_tune(str(tmp_path / "r.xml"))) == [(72, 2), (74, 2), (72, 2), (74, 2), (76, 4)]


def test_of_two_voices_the_one_with_words_is_sung(tmp_path: Path) -> None:
    above = xml_note("C", 5, 24).replace("<voice>1", "<voice>2")
    back = "<backup><duration>24</duration></backup>"
    bar = xml_note("E", 4, 12, "sing") + xml_note("F", 4, 12, "low") + back + above
    (tmp_path / "v.xml").write_text(musicxml([bar]))
    tune = read_tune(str(tmp_path / "v.xml"))
    assert (line(tune), tune.lyrics) == ([(64, 2), (65, 2)], "sing low")


def test_of_a_chord_the_highest_note_is_sung(tmp_path: Path) -> None:
    chord = xml_note("C", 4, 24) + xml_note("G", 4, 24).replace("<note>", "<note><chord/>")
    (tmp_path / "c.xml").write_text(musicxml([chord]))
    tune = read_tune(str(tmp_path / "c.xml"))
    assert line(tune) == [(67, 4)]
    assert tune.remarks == ("Of simultaneous notes, the highest is sung.",)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.99])
def test_half_a_musicxml_is_refused(tmp_path: Path, cut: float) -> None:
    text = musicxml([xml_note("C", 4, 24)] * 4)
    (tmp_path / "h.xml").write_text(text[: int(cut * len(text))])
    with pytest.raises(ValueError, match=r"h\.xml"):
        read_tune(str(tmp_path / "h.xml"))


def test_archives_and_entities_are_no_traps(tmp_path: Path) -> None:
    bomb = musicxml([xml_note("C", 4, 24)]).replace(
        "<score-partwise", '<!DOCTYPE x [<!ENTITY a "b">]><score-partwise', 1
    )
    (tmp_path / "e.xml").write_text(bomb)
    with pytest.raises(ValueError, match="entities"):
        read_tune(str(tmp_path / "e.xml"))
    with zipfile.ZipFile(tmp_path / "big.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * (65 * 2**20))
    with pytest.raises(ValueError, match="unpacks to more than 64 MiB"):
        read_tune(str(tmp_path / "big.mxl"))
    with zipfile.ZipFile(tmp_path / "other.mxl", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ValueError, match="without MusicXML"):
        read_tune(str(tmp_path / "other.mxl"))
    (tmp_path / "picture.xml").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(ValueError, match="holds no readable tune: give MIDI"):
        read_tune(str(tmp_path / "picture.xml"))


# ABC


def test_abc_gives_notes_words_tempo_and_a_pick_up() -> None:
    tune = read_tune(
        "X:1\nT:A\nM:3/4\nL:1/8\nQ:1/4=90\nK:G\nD2|G2 (3ABc d2|z2 {g}f4|]\nw:a won-der-ful_ thing is love\n"
    )
    third = 0.3333
    assert line(tune) == [(62, 1), (67, 1), (69, third), (71, third), (72, third), (74, 1), (None, 1), (78, 2)]
    assert [note.sung_on for note in tune.sung] == [False, False, False, False, True, False, False]
    assert tune.lyrics == "a wonderful thing is love"
    assert tune.tempo == 90


@pytest.mark.parametrize(
    ("field", "key"),
    [("C", "C major"), ("Gm", "G minor"), ("Bb", "Bb major"), ("F#m", "F# minor"), ("Ador", ""), ("HP", "")],
)
def test_abc_states_its_key(field: str, key: str) -> None:
    assert read_tune(f"X:1\nM:4/4\nL:1/4\nK:{field}\nCDEF|\n").key == key


def test_abc_without_length_has_eighths_and_the_first_of_two_tunes_is_taken() -> None:
    tune = read_tune("X:1\nK:C\nC2D2|\nX:2\nK:C\nE8|")
    assert line(tune) == [(60, 1), (62, 1)]
    assert tune.remarks == ("The file has 2 tunes; the first is used.",)


def test_of_abc_voices_the_highest_is_taken() -> None:
    tune = read_tune("X:1\nM:4/4\nL:1/4\nK:C\nV:1\nCDEF|\nV:2\nGABc|\n")
    assert line(tune) == [(67, 1), (69, 1), (71, 1), (72, 1)]
    assert "from part 2, one of 2 parts, as it is the highest" in tune.remarks[0]


@pytest.mark.parametrize(
    "text", ["X:1\n", "X:1\nK:C\n", "X: [[ ||| K:", "X:1\nM:4/4\nL:1/4\nK:C\nz4|", "X:1\nL:1/0\nK:C\nC|"]
)
def test_abc_without_a_tune_is_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Tt]he tune .*\.$"):
        read_tune(text)


def test_a_long_note_becomes_several_that_go_on(tmp_path: Path) -> None:
    tune = read_tune(str(midi(tmp_path / "a.mid", [played([(0.0, 130.0, 60)])])))
    assert tune.notes == tuple(TuneNote(60.0, 130 / 3, 0.0, i > 0) for i in range(3))


def test_without_music21_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(ValueError, match=re.escape("pip install 'regrow[songs]'")):
        read_tune("X:1\nK:C\nC|")
    assert line(read_tune("C4")) == [(60, 1)]


def test_repeats_and_notes_beyond_any_song_are_not_counted_out() -> None:
    head, line = "X:1\nM:4/4\nL:1/8\nK:C\n", "|: C2 D2 E2 F2 |1 G8 :|2 c8 |]\n"
    few, many = read_tune(head + line * 20), read_tune(head + line * 80)
    assert (len(few.notes), few.remarks) == (200, ())
    assert (len(many.notes), many.remarks) == (480, ("It has more than 60 repeat marks, which are left out.",))
    with pytest.raises(MediaError, match="holds about 9000 notes, and 8000 are read"):
        read_tune(head + "C D E " * 3000)
    with pytest.raises(MediaError, match="holds about 8001 notes"):
        tune_of_file(musicxml([xml_note("C", 4, 6) * 8001]).encode(), "long.musicxml")
