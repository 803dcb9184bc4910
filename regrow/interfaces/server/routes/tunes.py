"""POST /api/tune: the notes of a song, or of one to be sung, for the piano roll of the page."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from regrow.interfaces.server.errors import Refused
from regrow.interfaces.server.files import Files
from regrow.interfaces.server.sessions import Asker, Caller
from regrow.interfaces.server.threads import in_thread
from regrow.media.files import MediaError
from regrow.requests.ranges import MOST_WORDS

if TYPE_CHECKING:
    from regrow.prompts.songs.tune_note import Tune
    from regrow.worlds.songbook.score import Note, Score

router = APIRouter(tags=["songs"])

FILE_ID = re.compile(r"[0-9a-f]{32}\.\w{1,8}|[\w-]+/[\w.-]+\.\w{1,8}")


class TuneRequest(BaseModel):
    """Words and a tune, as in requests for songs."""

    song: str = Field("", description="id of a song that the songbook sang; words and tune then change it")
    tune: str = Field("", max_length=100_000, description="names of notes, a text in ABC, or the id of a file")
    lyrics: str = Field("", max_length=MOST_WORDS)
    seed: int = Field(0, description="of a tune made by rule, where no tune is given")
    key: str = ""
    bpm: int = Field(0, ge=0, le=400)
    singer: str = ""


class SungNote(BaseModel):
    """A note as it is sung: `pitch` is a MIDI number, null for a rest; `start` and `beats` are in beats."""

    pitch: float | None
    start: float
    beats: float
    syllable: str = Field(
        description='the word that begins here; "-" where its next syllable does; "~" of a vowel held'
    )


class SungTune(BaseModel):
    """A tune as it would be sung; `text` holds the same notes in the form of a request's `tune`."""

    notes: list[SungNote]
    text: str
    lyrics: str
    bpm: float
    key: str
    singer: str
    lead: float = Field(description="seconds of silence before the first note")
    remarks: list[str]


@router.post("/api/tune")
async def tune(body: TuneRequest, caller: Asker, request: Request) -> SungTune:
    """Set words to a tune as `regrow sing` does, without singing."""
    return await in_thread(sung_tune, body, caller, request.app.state.files)


def sung_tune(request: TuneRequest, caller: Caller, files: Files) -> SungTune:
    """Return the notes of an existing song, or of one to be sung.

    Raises:
        Refused: a file is not the caller's, or `song` was not sung by the songbook.
        MediaError: a file cannot be read.
        ValueError: words and tune do not fit together, or one of them is invalid.
    """
    if request.song:
        score = _score_in(files.own(caller, request.song))
        if score is None:
            raise Refused(400, "no_song", field="song")
        return _answer(*_changed(score, _tune_of(request.tune), request), caller)
    if not FILE_ID.fullmatch(request.tune.strip()):
        return _answer(*_set(_tune_of(request.tune), request), caller)
    path = files.own(caller, request.tune.strip())
    # a song of the songbook records its notes; for any other sound, the melody is transcribed
    if score := _score_in(path):
        return _answer(*_set(_tune_of(tune_text(score.notes)), request), caller)
    return _answer(*_set(_tune_of(path), request), caller)


def _score_in(path: Path) -> "Score | None":
    from regrow.editing.songs.score import score_in

    try:
        return score_in(path)
    except MediaError:
        return None


def _tune_of(given: str | Path) -> "Tune | None":
    from regrow.prompts.songs.tune import read_tune, written_tune

    if isinstance(given, Path):
        return read_tune(str(given))
    return written_tune(given) if given.strip() else None


def _changed(score: "Score", tune: "Tune | None", request: TuneRequest) -> tuple["Score", tuple[str, ...]]:
    """Return a song with new words, notes, tempo and singer, as an edit would make it."""
    from regrow.prompts.songs.setting import in_range, with_tune, with_words

    score, remarks = replace(score, singer=request.singer or score.singer), ()
    if request.lyrics.strip():
        score, remarks = with_words(score, request.lyrics)
    if tune:
        score, more = with_tune(score, tune, key=request.key)
        remarks += more
    elif request.singer:
        score, more = in_range(score)
        remarks += more
    return replace(score, tempo=float(request.bpm) or score.tempo), remarks


def _set(tune: "Tune | None", request: TuneRequest) -> tuple["Score", tuple[str, ...]]:
    """Return words set to a tune, as for a new song; without words, only the notes."""
    from regrow.prompts.songs.lyrics import sung_words
    from regrow.prompts.songs.setting import TEMPO, score_of
    from regrow.worlds.songbook.score import HEART, Note, Score

    singer = request.singer or HEART
    words = request.lyrics.strip() or (tune.lyrics if tune else "")
    if tune and not words:
        notes = tuple(Note(note.pitch, note.beats) for note in tune.notes)
        return Score(notes, float(request.bpm or tune.tempo or TEMPO), singer), tune.remarks
    tempo = request.bpm or None
    return score_of(sung_words(words), tune, key=request.key, tempo=tempo, singer=singer, seed=request.seed)


def _answer(score: "Score", remarks: tuple[str, ...], caller: Caller) -> SungTune:
    from regrow.interfaces.server.wording import worded
    from regrow.prompts.songs.harmony import NAMES, key_of
    from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT

    notes, start = [], 0.0
    for note in score.notes:
        syllable = "~" if note.sung_on else note.word
        notes.append(SungNote(pitch=note.pitch, start=start, beats=note.beats, syllable=syllable))
        start += note.beats
    tonic, mode = key_of([note.pitch for note in score.notes], [note.beats for note in score.notes])
    return SungTune(
        notes=notes, text=tune_text(score.notes), lyrics=_lines(score), bpm=score.tempo,
        key=f"{NAMES[tonic]} {mode}", singer=score.singer, lead=LEAD * UNIT * FRAME,
        remarks=[worded(remark, caller.language) for remark in dict.fromkeys(remarks)],
    )  # fmt: skip


def _lines(score: "Score") -> str:
    """Return the words of a score; lines end at rests."""
    words = ("\n" if note.pitch is None else note.word for note in score.notes)
    return re.sub(r" *\n+ *", "\n", " ".join(word for word in words if word not in ("", "-"))).strip()


def tune_text(notes: "tuple[Note, ...]") -> str:
    """Return notes as text for `read_tune`: whole semitones, and beats unless they are 1."""
    from regrow.worlds.songbook.score import pitch_name

    return " ".join(
        ("R" if note.pitch is None else pitch_name(round(note.pitch))) + (f":{_beats(note.beats)}" * (note.beats != 1))
        for note in notes
    )


def _beats(beats: float) -> str:
    return f"{beats:.6f}".rstrip("0").rstrip(".")
