"""Songs of a model that sings scores: sung, other words, another tune, another voice, a further line; and refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regrow import api
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.editing.replay import request_from
from regrow.editing.result import Result
from regrow.editing.songs.accompany import chord_notes
from regrow.editing.songs.score import score_in, singer_of
from regrow.media.audio import sound, voice
from regrow.media.audio.medium import MEDIUM
from regrow.media.files import MediaError
from regrow.models.families.singer import Singer
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.worlds.songbook.alignment import FRAME, LEAD, UNIT, align
from regrow.worlds.songbook.score import read_score

WORDS, TUNE = "twinkle twinkle little star", "C4 C4 G4 G4 A4 A4 G4:2"
SCORE = "# singer: heart\n# tempo: 100\nC4 1 lˈɑ la"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    made = tmp_path_factory.mktemp("singer") / "tiny"
    Singer.write_new(made, seed=0, size="tiny")
    opened = open_model(made)
    torch.nn.init.normal_(opened.network.conv_out.weight, std=0.05)
    return opened


@pytest.fixture
def song(model: Model, tmp_path: Path) -> Path:
    made = finish(generate(Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2), model))
    return saved(made, tmp_path / "song.wav")


def rms(wave: torch.Tensor) -> float:
    """Return the level of a wave: a rounding can change single samples much, where a voice is analysed."""
    return float(wave.square().mean().sqrt())


def saved(made: Result, path: Path) -> Path:
    assert made.rate
    MEDIUM.save(path, made.items[0], made.recipes[0], made.rate)
    return path


def test_a_song_is_as_long_as_its_notes_and_its_file_holds_them(song: Path) -> None:
    score = score_in(song)
    assert score.words == ("twinkle", "twinkle", "little", "star")
    assert [note.pitch for note in score.notes] == [60, 60, 67, 67, 69, 69, 67]
    loaded = sound.load(song)
    assert loaded.rate == voice.RATE
    assert loaded.wave.shape[-1] == align(score).frames * voice.HOP


def test_the_embedded_singer_is_as_loud_as_other_files() -> None:
    request = Generate("", model="songbook", lyrics=WORDS, tune=TUNE)
    wave = finish(generate(request, open_model("songbook"))).items[0]
    assert -23 < 10 * float(wave.square().mean().log10()) < -17
    assert float(wave.abs().max()) <= 1


def test_its_recipe_sings_it_again_without_dictionary_or_tune(song: Path, model: Model) -> None:
    recipe = MEDIUM.read_recipe(song)
    assert recipe
    request = request_from(recipe)
    assert isinstance(request, Generate)
    assert (request.lyrics, request.tune) == ("", "")
    again = finish(generate(request, model))
    assert MEDIUM.result_hash(again.items[0]) == recipe["result"]["hash"]


def test_other_words_change_nothing_else(song: Path, model: Model) -> None:
    edited = finish(edit(Edit(song, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model))
    before, after = sound.load(song).wave, edited.items[0]
    [(begin, end)] = Edit(song, to_lyrics="x", span=edited.recipes[0]["settings"]["span"]).spans
    changed = torch.nonzero((before != after)[0]).flatten().double() / voice.RATE
    assert begin <= float(changed.min())
    assert float(changed.max()) <= end
    star = align(score_in(song)).segments
    # the consonants before the vowel may take another share of the note before, whose vowel stays
    assert begin >= next(s for s in star if s.phone == "ᵊ" and s.note == 5).start * 2 * FRAME + 0.1
    assert end < next(s for s in star if s.phone == "ɑ").end * 2 * FRAME


def test_two_words_change_in_two_spans(song: Path, model: Model) -> None:
    edited = finish(edit(Edit(song, to_lyrics="wrinkle twinkle little car", steps=2, cache=False), model))
    spans = edited.recipes[0]["settings"]["span"].split(",")
    assert len(spans) == 2
    same = (sound.load(song).wave == edited.items[0])[0]
    between = slice(*(round(float(spans[i].split(":")[1 - i]) * voice.RATE) for i in (0, 1)))
    assert same[between].all()


def test_an_edit_can_be_edited(song: Path, model: Model, tmp_path: Path) -> None:
    first = finish(edit(Edit(song, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model))
    path = saved(first, tmp_path / "first.wav")
    assert score_in(path).words[-1] == "car"
    second = finish(edit(Edit(path, to_lyrics=WORDS, steps=2, cache=False), model))
    assert score_in(saved(second, tmp_path / "second.wav")) == score_in(song)


def test_another_tune_keeps_the_words_and_may_be_longer(song: Path, model: Model) -> None:
    edited = finish(edit(Edit(song, tune="G4 G4 E4 E4 F4 D4 C4:4", steps=2, cache=False), model))
    target = read_score(edited.recipes[0]["settings"]["target"][0])
    assert target.words == score_in(song).words
    assert [note.pitch for note in target.notes] == [67, 67, 64, 64, 65, 62, 60]
    assert edited.items[0].shape[-1] == align(target).frames * voice.HOP > sound.load(song).wave.shape[-1]


@pytest.mark.parametrize("change", [{"bpm": 200}, {"tune": "G4:0.5 G4:0.5 E4:0.5 E4:0.5 F4:0.5 D4:0.5 C4"}])
def test_a_shorter_song_ends_with_its_notes_and_can_be_edited(
    song: Path, model: Model, tmp_path: Path, change: dict[str, Any]
) -> None:
    edited = finish(edit(Edit(song, **change, steps=2, cache=False), model))
    path = saved(edited, tmp_path / "short.wav")
    assert sound.load(path).wave.shape[-1] == align(score_in(path)).frames * voice.HOP < sound.load(song).wave.shape[-1]
    again = finish(edit(Edit(path, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model))
    assert again.items[0].shape == edited.items[0].shape


def test_another_singer_sings_all_of_it(song: Path, model: Model) -> None:
    edited = finish(edit(Edit(song, singer="low", steps=2, cache=False), model))
    settings = edited.recipes[0]["settings"]
    assert settings["span"] is None
    assert read_score(settings["target"][0]).singer == "low"


def test_a_song_goes_on(song: Path, model: Model, tmp_path: Path) -> None:
    longer = finish(extend(Extend(song, lyrics="how I wonder", tune="F4 E4 D4 C4", steps=2), model))
    before = sound.load(song).wave
    assert torch.equal(longer.items[0][:, : before.shape[-1]], before)
    path = saved(longer, tmp_path / "longer.wav")
    assert score_in(path).words == ("twinkle", "twinkle", "little", "star", "how", "I", "wonder")
    recipe = MEDIUM.read_recipe(path)
    assert recipe
    request = request_from(recipe, tmp_path)
    assert isinstance(request, Extend)
    again = finish(extend(replace(request, sound=song), model))
    assert MEDIUM.result_hash(again.items[0]) == recipe["result"]["hash"]


def test_a_hummed_tune_is_sung(model: Model, tmp_path: Path) -> None:
    seconds = torch.arange(voice.RATE // 2) / voice.RATE
    notes = [
        sum(0.1 / k * torch.sin(2 * torch.pi * k * hertz * seconds) for k in (1, 2, 3)) for hertz in (262, 330, 392)
    ]
    gap = torch.zeros(voice.RATE // 10)
    sound.save(tmp_path / "hum.wav", torch.cat([part for note in notes for part in (note, gap)])[None], voice.RATE)
    sung = finish(generate(Generate("la la la", tune=str(tmp_path / "hum.wav"), steps=1), model))
    pitches = [note.pitch for note in read_score(sung.recipes[0]["settings"]["prompt"]).notes if note.phones]
    assert pitches == [60, 64, 67]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lyrics": ""}, 'needs words to sing, such as "twinkle twinkle little star"'),
        ({"lyrics": "la", "duration": 3.0}, "as long as its notes"),
        ({"lyrics": "la", "language": "zh"}, "sings English words on notes and has no language"),
        ({"lyrics": "la", "singer": "bob"}, "no singer bob"),
        ({"lyrics": "la", "tune": "H4"}, "is not a note"),
        ({"lyrics": "la", "bpm": 400}, "tempo must be"),
    ],
)
def test_what_cannot_be_sung_is_refused(model: Model, settings: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        finish(generate(Generate("", **settings), model))  # pyright: ignore[reportArgumentType]


def test_a_span_that_leaves_out_some_of_the_change_is_refused(song: Path, model: Model) -> None:
    for changes, said in (
        ({"to_lyrics": "dinkle twinkle little car", "span": "0:1"}, "not all of it in the span 0:1"),
        ({"bpm": 140, "span": "1:2"}, "changes the whole song, not only the span 1:2"),
        ({"singer": "low", "span": "0:2"}, "changes the whole song"),
    ):
        with pytest.raises(ValueError, match=said):
            finish(edit(Edit(song, **changes, steps=2, cache=False), model))
    wide = Edit(song, to_lyrics="dinkle twinkle little star", span="0:1", steps=2, cache=False)
    assert torch.equal(finish(edit(wide, model)).items[0][:, voice.RATE :], sound.load(song).wave[:, voice.RATE :])


def test_words_of_the_same_sound_change_nothing(model: Model, tmp_path: Path) -> None:
    request = Generate("", model="tiny", lyrics="two cats sat there", tune="C4 D4 E4 C4:2", seed=5, steps=2)
    path = saved(finish(generate(request, model)), tmp_path / "two.wav")
    with pytest.raises(ValueError, match="the new words sound like the old ones"):
        finish(edit(Edit(path, to_lyrics="too cats sat their", steps=2, cache=False), model))


def test_another_singer_gets_a_tune_in_its_range(model: Model, tmp_path: Path) -> None:
    request = Generate("", model="tiny", lyrics="high we go now", tune="F5:2 G5 A4 C5", steps=2)
    path = saved(finish(generate(request, model)), tmp_path / "high.wav")
    edited = finish(edit(Edit(path, singer="low", steps=2, cache=False), model))
    target = read_score(edited.recipes[0]["settings"]["target"][0])
    assert [note.pitch for note in target.notes] == [65, 67, 57, 60]
    assert "The tune was moved down an octave to fit the range of the singer low." in edited.notes
    both = finish(edit(Edit(path, singer="low", tune="C5:2 D5 E5 F5", steps=2, cache=False), model))
    assert max(note.pitch or 0 for note in read_score(both.recipes[0]["settings"]["target"][0]).notes) <= 69


@pytest.mark.parametrize("accompany", ["", "soft piano"])
def test_in_a_quiet_copy_new_words_are_as_quiet(model: Model, tmp_path: Path, accompany: str) -> None:
    request = Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2, accompany=accompany)
    made = finish(generate(request, model))
    path = saved(made, tmp_path / "song.wav")
    quiet = saved(replace(made, items=(made.items[0] * 0.25,)), tmp_path / "quiet.wav")
    edits = [
        finish(edit(Edit(file, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model)).items[0]
        for file in (path, quiet)
    ]
    assert rms(edits[1] - 0.25 * edits[0]) < 0.02 * rms(edits[1])


def test_what_plays_below_goes_on_in_a_longer_song(model: Model, tmp_path: Path) -> None:
    request = Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2, accompany="soft piano")
    path = saved(finish(generate(request, model)), tmp_path / "mixed.wav")
    longer = finish(extend(Extend(path, lyrics="la la", tune="C4 C4:2", steps=2), model))
    assert "played anew" in " ".join(longer.notes)
    whole = saved(longer, tmp_path / "longer.wav")
    edited = finish(edit(Edit(whole, to_lyrics=WORDS + " la ha", steps=2, cache=False), model))
    [(begin, end)] = Edit(path, to_lyrics="x", span=edited.recipes[0]["settings"]["span"]).spans
    same = (sound.load(whole).wave == edited.items[0])[0]
    assert same[: int(begin * voice.RATE)].all()
    assert begin > sound.load(path).wave.shape[-1] / voice.RATE
    assert end <= longer.items[0].shape[-1] / voice.RATE
    plain = saved(finish(generate(replace(request, accompany=""), model)), tmp_path / "plain.wav")
    alone = finish(extend(Extend(plain, lyrics="la la", tune="C4 C4:2", steps=2), model))
    below = longer.items[0] - alone.items[0]
    new = below[:, sound.load(path).wave.shape[-1] : -voice.RATE // 2]
    assert rms(new) > 0.2 * rms(below)


def test_python_finds_the_singer_of_a_file(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(api, "_opened", lambda request, *_: asked.append(request.model))
    monkeypatch.setattr(api, "finish", lambda *_: None)
    monkeypatch.setattr(api.editing, "edit", lambda *_: None)
    monkeypatch.setattr(api.extending, "extend", lambda *_: None)
    api.edit(song, to_lyrics="la")
    api.extend(Extend(song, lyrics="la"))
    assert asked == ["songbook", "songbook"]


def test_what_cannot_be_edited_is_refused(song: Path, model: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already has these words"):
        finish(edit(Edit(song, to_lyrics=WORDS, cache=False), model))
    wave = sound.load(song).wave
    sound.save(tmp_path / "plain.wav", wave, voice.RATE)
    with pytest.raises(MediaError, match="was not sung by regrow's singer"):
        finish(edit(Edit(tmp_path / "plain.wav", to_lyrics="la", cache=False), model))
    sound.save(tmp_path / "cut.wav", wave[:, 4800:], voice.RATE, MEDIUM.read_recipe(song))
    with pytest.raises(MediaError, match="was cut or stretched"):
        finish(edit(Edit(tmp_path / "cut.wav", to_lyrics="la", cache=False), model))
    with pytest.raises(ValueError, match="nothing between two"):
        finish(interpolate(Interpolate(str(song), str(song)), model))
    with pytest.raises(ValueError, match="A song is continued by one line of lyrics"):
        finish(extend(Extend(song, lyrics="la", before=2.0), model))


def test_a_model_of_other_sounds_sings_no_notes() -> None:
    with pytest.raises(ValueError, match="does not sing notes: leave tune out, or add --model songbook"):
        finish(generate(Generate("a piano", model="bandstand", tune="C4"), open_model("bandstand")))


def test_who_sang_a_file_is_known(song: Path, tmp_path: Path) -> None:
    assert singer_of(song) == "songbook"  # the one that sang it is no model that has a name here
    sound.save(tmp_path / "plain.wav", sound.load(song).wave, voice.RATE)
    assert singer_of(tmp_path / "plain.wav") is None


@pytest.mark.parametrize(
    "settings",
    [[], ["la"], "la", None, {"target": 5}, {"prompt": ["la"]}],
    ids=["empty list", "list", "word", "null", "target of a number", "prompt in a list"],
)
def test_a_song_s_recipe_whose_settings_are_none_holds_no_words(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    sound.save(path, torch.zeros(1, 2400), voice.RATE, {"settings": settings, "result": {"index": 0}})
    with pytest.raises(MediaError, match=r"song\.wav was not sung by regrow's singer"):
        score_in(path)
    assert singer_of(path) is None


@pytest.mark.parametrize("model", ["songbook", ["songbook"], 5, {"name": 5}], ids=["word", "list", "number", "name"])
def test_a_song_s_recipe_that_names_no_model_was_sung_by_the_embedded_one(model: Any, tmp_path: Path) -> None:
    path, settings = tmp_path / "song.wav", {"prompt": SCORE}
    sound.save(path, torch.zeros(1, 2400), voice.RATE, {"settings": settings, "model": model})
    assert singer_of(path) == "songbook"


def test_what_plays_below_stays_below(model: Model, tmp_path: Path) -> None:
    plain = finish(generate(Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2), model))
    request = Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2, accompany="soft piano")
    mixed = finish(generate(request, model))
    below = mixed.items[0] - plain.items[0]
    level = 10 * torch.log10(below.square().mean() / plain.items[0].square().mean())
    assert float(level) == pytest.approx(-12, abs=0.5)
    path = saved(mixed, tmp_path / "mixed.wav")
    edited = finish(edit(Edit(path, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model))
    alone = finish(edit(Edit(saved(plain, tmp_path / "plain.wav"), to_lyrics="twinkle twinkle little car", steps=2,
                             cache=False), model))  # fmt: skip
    spans = edited.recipes[0]["settings"]["span"]
    [(begin, end)] = Edit(path, to_lyrics="x", span=spans).spans
    file = sound.load(path).wave
    same = (file == edited.items[0])[0]
    assert same[: int(begin * voice.RATE)].all()
    assert same[int(end * voice.RATE) + 1 :].all()
    assert rms(edited.items[0] - below - alone.items[0]) < 0.02 * rms(alone.items[0])
    again = finish(edit(Edit(saved(edited, tmp_path / "edited.wav"), to_lyrics=WORDS, steps=2, cache=False), model))
    assert again.recipes[0]["figures"]["accompaniment"]["words"] == "soft piano"


def test_what_plays_below_goes_with_the_tempo(model: Model, tmp_path: Path) -> None:
    request = Generate("", model="tiny", lyrics=WORDS, tune=TUNE, steps=2, accompany="soft piano")
    path = saved(finish(generate(request, model)), tmp_path / "mixed.wav")
    faster = finish(edit(Edit(path, bpm=200, steps=2, cache=False), model)).recipes[0]["figures"]["accompaniment"]
    second = chord_notes(read_score(faster["score"]))[3]  # after a chord of three notes and two beats
    assert second.onset == pytest.approx(2 * 60 / 200 + LEAD * UNIT * FRAME)
    kept = finish(edit(Edit(path, to_lyrics="twinkle twinkle little car", steps=2, cache=False), model))
    assert "tempo: 100" in kept.recipes[0]["figures"]["accompaniment"]["score"]


def test_a_recipe_that_names_a_tune_is_not_followed(song: Path, tmp_path: Path) -> None:
    recipe = MEDIUM.read_recipe(song)
    assert recipe
    secret = tmp_path / "secret.txt"
    secret.write_text("C4 D4")
    recipe["settings"] |= {"prompt": "la la", "tune": str(secret)}
    with pytest.raises(MediaError, match="names a tune"):
        request_from(recipe)
