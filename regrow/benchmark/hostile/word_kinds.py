"""Texts that users type, and files of notes and recipes: prompts, lyrics, tunes, scores, recipes."""

import json
import struct
from functools import cache
from pathlib import Path

import torch
from PIL.PngImagePlugin import PngInfo

from regrow.benchmark.hostile.kind import Kind, write_json
from regrow.benchmark.hostile.media_kinds import drawn, write_picture
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.generate import generate
from regrow.editing.inspect import facts_of
from regrow.editing.recipe import Recipe
from regrow.editing.replay import embeddings_of, loras_of, recipe_in, request_from
from regrow.editing.songs.score import score_in
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.image.tag import KEY
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.prompts.expand_edit import detailed
from regrow.prompts.expand_generate import in_full
from regrow.prompts.songs.lyrics import sung_words
from regrow.prompts.songs.setting import score_of
from regrow.prompts.songs.tune import read_tune
from regrow.prompts.typed import typed
from regrow.requests.edit import Edit
from regrow.requests.generate import Generate
from regrow.worlds.songbook.alignment import align
from regrow.worlds.songbook.score import read_score

ABC = """X:1
T:Air
M:4/4
L:1/8
Q:1/4=120
K:Gmaj
|: G2 B2 d2 B2 | "Am"A2 c2 e2 c2 | [GB]4 z4 |1 G8 :|2 (3GAB G6 |]
w: How I won- der what you are __ up a- bove
"""
XML_NOTE = (
    "<note><pitch><step>{}</step><octave>4</octave></pitch><duration>6</duration><voice>1</voice>"
    "<type>quarter</type><lyric><syllabic>single</syllabic><text>la</text></lyric></note>"
)
MUSICXML = (
    '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list><score-part id="P1"><part-name>Air'
    '</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes><divisions>6</divisions><key>'
    "<fifths>0</fifths></key><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    '<direction><sound tempo="90"/></direction>' + "".join(map(XML_NOTE.format, "CDEF")) + "</measure></part>"
    "</score-partwise>"
)
MIDI = b"".join(
    (
        b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480) + b"MTrk" + struct.pack(">I", 49),
        b"\0\xff\x51\3\7\xa1\x20" + b"\0\xff\3\3Air",
        *(bytes((0, 0x90, pitch, 100, 0x83, 0x60, 0x80, pitch, 0)) for pitch in (60, 62, 64)),
        b"\0\x90\x43\x64\0\xff\x2f\0",
    )
)
PROMPTS = ("an orange cat on a beach, not a dog", "make the cat a blue puppy; remove the sun", "一只橙色的猫在海滩上")


def _typed(path: Path) -> str:
    """Return typed text, which may hold lone surrogates as a shell passes them."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def _make_tunes(folder: Path) -> None:
    (folder / "tune.abc").write_text(ABC, encoding="utf-8")
    (folder / "tune.musicxml").write_text(MUSICXML, encoding="utf-8")
    length = len(MIDI) - 22
    (folder / "tune.mid").write_bytes(MIDI[:18] + struct.pack(">I", length) + MIDI[22:])
    (folder / "names.txt").write_text("C4 D4 | E4:2 R F#4:1/2 Bb3 -:0.5 G4:1.5", encoding="utf-8")


def _read_tune(folder: Path, name: str) -> None:
    read_tune(str(folder / name))


def _make_words(folder: Path) -> None:
    (folder / "prompts.txt").write_text("\n".join(PROMPTS), encoding="utf-8")


@cache
def _model(name: str) -> Model:
    return open_model(name)


def _read_words(folder: Path, name: str) -> None:
    text = _typed(folder / name)
    for model in (_model("storybook"), _model("bandstand")):
        typed(model, text, PROMPTS[0])
        in_full(Generate(text, model=model.name), model)
    request = Edit(folder / name, tuple(text.splitlines()) or ("",), text)
    detailed(
        _model("storybook"), torch.zeros(1, *_model("storybook").latent_shape(128, 128)), request.source, request.target
    )


def _make_lyrics(folder: Path) -> None:
    (folder / "lyrics.txt").write_text("Twinkle, twinkle 2 little stars\nhow I {w AA N D} over", encoding="utf-8")
    (folder / "tune.txt").write_text("C4 C4 G4 G4 A4 A4 G4:2", encoding="utf-8")


def _read_lyrics(folder: Path, name: str) -> None:
    lyrics, tune = (_typed(folder / file) for file in ("lyrics.txt", "tune.txt"))
    request = Generate("", model="songbook", lyrics=lyrics, tune=tune)
    score, _ = score_of(sung_words(request.lyrics), read_tune(request.tune))
    align(read_score(score.text))


def _make_scores(folder: Path) -> None:
    score, _ = score_of(sung_words("twinkle little star"), read_tune("C4 C4 G4 G4 A4:2 R"))
    (folder / "score.txt").write_text(score.text, encoding="utf-8")


def _read_score(folder: Path, name: str) -> None:
    align(read_score(_typed(folder / name)))


def _make_recipes(folder: Path) -> None:
    """Write the recipes of an edit, a generated picture and a song; only their requests are read."""
    write_picture(folder / "in.png")
    edited = finish(edit(Edit(folder / "in.png", ("a dog",), "a cat", steps=1, cache=False), _model("storybook")))
    write_json(folder / "edit.json", edited.recipes[0])
    made = finish(generate(Generate("a cat", steps=1), _model("storybook")))
    write_json(folder / "generate.json", made.recipes[0])


def _read_recipe(folder: Path, name: str) -> None:
    info = PngInfo()
    text = (folder / name).read_bytes().decode("utf-8", "replace")
    info.add_itxt(KEY, text)
    drawn().save(folder / "out.png", pnginfo=info)
    facts_of(folder / "out.png")
    recipe = recipe_in(folder / "out.png")
    request_from(recipe, folder)
    loras_of(recipe, folder)
    embeddings_of(recipe, folder)


def _make_songs(folder: Path) -> None:
    made = finish(generate(Generate("", model="songbook", lyrics="la", tune="C4", steps=1), _model("songbook")))
    write_json(folder / "song.json", made.recipes[0])


def _read_song(folder: Path, name: str) -> None:
    try:
        recipe: Recipe = json.loads((folder / name).read_bytes())
    except (ValueError, RecursionError, OSError):  # no valid file could hold this
        return
    if isinstance(recipe, dict) and len(json.dumps(recipe)) < 500_000:
        SOUND.save(
            folder / "song.flac", torch.zeros(1, 4000), json.loads(json.dumps(recipe).replace("NaN", "0")), 24_000
        )
        facts_of(folder / "song.flac")
        align(score_in(folder / "song.flac"))


def word_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this file."""
    return (
        Kind("tunes", _make_tunes, ("*",), _read_tune, 2.0),
        Kind("words", _make_words, ("*",), _read_words, places=False),
        Kind("lyrics", _make_lyrics, ("*",), _read_lyrics, places=False),
        Kind("scores", _make_scores, ("*",), _read_score, places=False),
        Kind("recipes", _make_recipes, ("*.json",), _read_recipe, 1.5, places=False),
        Kind("song-recipes", _make_songs, ("*.json",), _read_song, 0.5, places=False),
    )
