"""Written music is read in a process of its own, which is ended when it takes too long."""

import signal
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from regrow.media.files import MediaError
from regrow.prompts.songs import written_music
from regrow.prompts.songs.tune import read_tune
from regrow.prompts.songs.tune_files import tune_of_abc, tune_of_file

OVERFULL = "X:1\nM:4/4\nL:1/8\nK:G\n|: G2 B2 d2 B2 " + "| A2 c2 e2 c2B2 " * 500 + "|\n"
"""Bars that do not fit their metre, which music21 takes 20 seconds to bar anew."""
FAR = (
    '<?xml version="1.0"?><score-partwise>'
    '<part-list><score-part id="P"><part-name>a</part-name></score-part></part-list>'
    '<part id="P"><measure number="1"><attributes><divisions>1</divisions></attributes>'
    "<note><pitch><step>C</step><octave>4000000000</octave></pitch><duration>2</duration></note>"
    "<note><pitch><step>D</step><octave>4</octave></pitch><duration>2</duration></note>"
    "</measure></part></score-partwise>"
)


def test_what_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written_music, "PROGRAM", "while True: pass")
    monkeypatch.setattr(written_music, "PATIENCE", 0.5)
    with pytest.raises(MediaError, match=r"a\.abc takes more than 8 seconds to read: save the melody alone"):
        tune_of_abc(OVERFULL, "a.abc")


def test_a_process_that_reads_for_too_long_is_ended_by_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    program = f"from regrow.prompts.songs import written_music as one; one.MOST_SECONDS = 2; {written_music.PROGRAM}"
    reading = subprocess.run(
        [sys.executable, "-c", program, "abc"], input=OVERFULL.encode(), capture_output=True, check=False, timeout=60
    )
    assert reading.returncode == -signal.SIGXCPU
    monkeypatch.setattr(written_music, "PROGRAM", "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    with pytest.raises(MediaError, match="takes more than 8 seconds"):
        tune_of_abc(OVERFULL, "a.abc")


def test_a_pitch_beyond_any_octave_comes_into_range(tmp_path: Path) -> None:
    (tmp_path / "far.xml").write_text(FAR)
    pitches = [note.pitch for note in read_tune(str(tmp_path / "far.xml")).sung]
    assert len(pitches) == 2
    assert all(pitch is not None and 48 <= pitch <= 84 for pitch in pitches)


def test_a_damaged_archive_is_one_sentence() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", "<score-partwise>" + "".join(f"<note>{i}</note>" for i in range(500)))
    whole = packed.getvalue()
    for place in range(45, len(whole) - 100, len(whole) // 40):  # most of them end in zlib, not in zipfile
        damaged = whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
        with pytest.raises(MediaError, match=r"a\.mxl"):
            tune_of_file(damaged, "a.mxl")
