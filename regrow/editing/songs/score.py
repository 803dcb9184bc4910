"""Requests of a model that sings notes: words and a tune become the score that is its prompt.

A recipe then holds the score itself, so that a replay needs no dictionary, and no file that the tune was in.
"""

import math
from dataclasses import replace
from pathlib import Path

from regrow.editing.songs.changing import changed_score, check_span, spans_of_changes
from regrow.media.audio import sound
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.files import MediaError
from regrow.messages.message import say
from regrow.models.model import Model
from regrow.models.open import has_model
from regrow.prompts.songs.harmony import NAMES, key_of
from regrow.prompts.songs.lyrics import sung_words
from regrow.prompts.songs.setting import score_of
from regrow.prompts.songs.tune import read_tune
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.invert import Invert
from regrow.requests.song_options import SongOptions
from regrow.worlds.songbook.alignment import FRAME, align
from regrow.worlds.songbook.score import SINGERS, Note, Score, is_score, read_score

BREATH = 0.7
"""Seconds between two lines, at least: the end of a song, and the consonants before the next line's first vowel."""
EMBEDDED_SINGER = "songbook"
CONSUMED = {"lyrics": "", "tune": "", "singer": "", "bpm": 0, "key": ""}
"""What a score says in place of the request."""


def scored(request: Generate, model: Model) -> tuple[Generate, Model, tuple[str, ...]]:
    """Return a request whose prompt is a score, the model made ready for it, and sentences for the user.

    Raises:
        MediaError: the tune's file cannot be read.
        ValueError: there are no words, or the model sings no notes and is given some.
    """
    if not model.reads_scores:
        _refuse_notes(request, model)
        return request, model, ()
    if request.duration is not None or request.loop:
        raise ValueError(say("song_sets_duration"))
    _refuse_styles(request, model)
    if is_score(request.prompt):
        score, notes = read_score(request.prompt), ()
    else:
        tune = read_tune(request.tune) if request.tune else None
        text = request.lyrics or request.prompt or (tune.lyrics if tune else "")
        if not text:
            raise ValueError(say("singer_needs_words", name=model.name))
        singer = request.singer or model.singers[0]
        score, notes = score_of(
            sung_words(text), tune, key=request.key, tempo=request.bpm or None, singer=_voice(singer, model),
            seed=request.seed,
        )  # fmt: skip
        score = replace(score, singer=singer)
        notes = (*(tune.remarks if tune else (say("tune_made_by_rule"),)), *notes)
    return replace(request, prompt=score.text, **CONSUMED), model.of_score(score.text), notes


def scored_edit(request: Edit, model: Model) -> tuple[Edit, Model, tuple[str, ...]]:
    """Return an edit from the score of its file to that of each target, in the spans in which they differ.

    Raises:
        MediaError: the file says of no score, or not the one that it holds; or the tune's file cannot be read.
        ValueError: nothing changes, or the model sings no notes and is given some.
    """
    if not model.reads_scores:
        _refuse_notes(request, model)
        return request, model, ()
    _refuse_styles(request, model)
    old = read_score(request.source) if is_score(request.source) else score_in(request.image)
    _check_length(request.image, old)
    notes: tuple[str, ...] = ()
    targets = []
    for target in request.target:
        new, said = changed_score(request, old, target)
        notes = (*notes, *said)
        targets.append(new)
    longest = max([old, *targets], key=lambda score: align(score).frames)
    changed = spans_of_changes(old, targets)
    check_span(request, changed)
    span = request.span or changed
    texts = tuple(new.text for new in targets)
    request = replace(request, source=old.text, target=texts, to_lyrics="", span=span, guidance=1.0, **CONSUMED)
    return request, model.of_score(old.text, align(longest).frames), tuple(dict.fromkeys(notes))


def scored_path(request: Invert, model: Model) -> tuple[Invert, Model]:
    """Return an inversion under the score of its file, and the model made ready for that; both as they are for others.

    Raises:
        MediaError: the file says of no score, or not the one that it holds.
    """
    if not model.reads_scores:
        return request, model
    score = read_score(request.source) if is_score(request.source) else score_in(request.image)
    _check_length(request.image, score)
    return replace(request, source=score.text), model.of_score(score.text)


def scored_extension(request: Extend, model: Model) -> tuple[Extend, Model, tuple[str, ...]]:
    """Return a request whose prompt is the score of a song and of the line that is sung after it.

    Raises:
        MediaError: the file says of no score, or not the one that it holds; or the tune's file cannot be read.
        ValueError: there are no words, or the model sings no notes and is given some.
    """
    if not model.reads_scores:
        _refuse_notes(request, model)
        return request, model, ()
    _refuse_styles(request, model)
    if not is_score(request.prompt) and (request.before or request.after != Extend.after):
        raise ValueError(say("song_sets_extension"))
    old = score_in(request.sound)
    _check_length(request.sound, old)
    if is_score(request.prompt):
        whole, notes = read_score(request.prompt), ()
    else:
        whole, notes = _with_line(request, old, model)
    seconds = (align(whole).frames - align(old).frames) * FRAME
    request = replace(request, prompt=whole.text, after=seconds, notes="free", guidance=1.0, **CONSUMED)
    return request, model.of_score(whole.text), notes


def _with_line(request: Extend, old: Score, model: Model) -> tuple[Score, tuple[str, ...]]:
    """Return a score with another line behind it, in its key, tempo and voice, after a breath."""
    if not (text := request.lyrics or request.prompt):
        raise ValueError(say("song_goes_on_with_words", name=request.sound.name))
    tune = read_tune(request.tune) if request.tune else None
    tonic, mode = key_of([note.pitch for note in old.notes], [note.beats for note in old.notes])
    key = request.key or ("" if tune else f"{NAMES[tonic]} {mode}")
    if request.bpm or request.singer:
        raise ValueError(say("song_goes_on_as_it_is"))
    line, notes = score_of(
        sung_words(text), tune, key=key, tempo=old.tempo, singer=_voice(old.singer, model), seed=request.seed
    )
    breath = math.ceil(BREATH * old.tempo / 60)
    return old.with_notes((*old.notes, Note(None, breath), *line.notes)), (*(tune.remarks if tune else ()), *notes)


def singer_of(path: Path) -> str | None:
    """Return the model that sang a file, or the embedded one where that is not here; None where none sang it."""
    try:
        score_in(path)
    except MediaError:
        return None
    model = (SOUND.read_recipe(path) or {}).get("model")
    name = model.get("name") if isinstance(model, dict) else None
    return name if isinstance(name, str) and has_model(name) else EMBEDDED_SINGER


def score_in(path: Path) -> Score:
    """Return the score that a song was sung from, as its file says.

    Raises:
        MediaError: it says of none.
    """
    recipe = SOUND.read_recipe(path) or {}
    settings, result = recipe.get("settings"), recipe.get("result")
    settings = settings if isinstance(settings, dict) else {}
    index = result.get("index", 0) if isinstance(result, dict) else 0
    texts = settings.get("target")
    text = settings.get("prompt")
    if isinstance(texts, list) and isinstance(index, int) and 0 <= index < len(texts):
        text = texts[index]
    if not isinstance(text, str) or not is_score(text):
        raise MediaError(say("file_holds_no_score", path=path, name=path.name))
    return read_score(text)


def _voice(singer: str, model: Model) -> str:
    """Return the songbook's singer in whose place one of a model's is: they have the same notes.

    Raises:
        ValueError: the model has no such singer.
    """
    if singer not in model.singers:
        raise ValueError(
            say("no_such_singer", name=model.name, singer=singer[:40], singers=" and ".join(model.singers))
        )
    return SINGERS[model.singers.index(singer)]


def _check_length(path: Path, score: Score) -> None:
    seconds, loaded = align(score).frames * FRAME, sound.load(path)
    there = loaded.wave.shape[-1] / loaded.rate
    if abs(there - seconds) > FRAME:
        raise MediaError(say("score_of_other_length", path=path, seconds=there, scored=seconds))


def _refuse_notes(request: SongOptions, model: Model) -> None:
    names = [name for name in ("tune", "singer", "accompany") if getattr(request, name, "")]
    if names:
        raise ValueError(say("model_sings_no_notes", name=model.name, names=" and ".join(names)))


def _refuse_styles(request: SongOptions, model: Model) -> None:
    names = [name for name in ("language", "time_signature", "negative", "melody", "reference_sound")
             if getattr(request, name, "")]  # fmt: skip
    if names:
        raise ValueError(say("singer_heeds_none", name=model.name, names=" or ".join(names)))
