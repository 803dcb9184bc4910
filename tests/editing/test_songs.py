"""Songs through the verbs, on a tiny model of sounds whose prompts hold lyrics."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import regrow
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.replay import replay, request_from
from regrow.editing.songs.lyrics import LYRICS_UNKNOWN, laid_out
from regrow.media.audio.sound import save
from regrow.models.families.stable_audio import StableAudio
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate

pytestmark = pytest.mark.usefixtures("home")
OLD, NEW = "[verse]\nold words", "[verse]\nnew ones"
CANNOT_SING = "cannot sing: leave out lyrics, language, bpm, key and time signature, or use a model that sings"


@pytest.fixture
def model(checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Model:
    """One that reads the whole prompt, lyrics too."""
    monkeypatch.setattr(StableAudio, "sings", True)
    return open_model(checkpoint("stable-audio"))


@pytest.fixture
def song(model: Model, tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    wave = torch.rand(2, model.size[1], generator=torch.Generator().manual_seed(3)) / 4 - 0.125
    save(path, wave, model.sound.rate)
    return path


@pytest.mark.parametrize(
    "change", [{"lyrics": NEW}, {"language": "de"}, {"bpm": 90}, {"key": "a minor"}, {"time_signature": "3/4"}]
)
def test_all_that_is_said_of_a_song_reaches_the_model_and_is_replayed(
    model: Model, tmp_path: Path, change: dict
) -> None:
    request = Generate("pop", lyrics=OLD, model=str(model.folder), steps=2)
    plain = regrow.generate(request, model=model)
    other = regrow.generate(replace(request, **change), model=model)
    assert not torch.equal(plain.items[0], other.items[0])
    (path,) = other.save(tmp_path / "other.wav")
    assert regrow.replay(path).identical


def test_other_lyrics_change_the_song_and_the_same_keep_it(model: Model, song: Path) -> None:
    changed = regrow.edit(song, source="pop", lyrics=OLD, to_lyrics=NEW, model=model, steps=3)
    same = regrow.edit(song, source="pop", lyrics=OLD, to_lyrics=OLD, model=model, steps=3)
    assert (same.frames[0] - same.codec).abs().max() < 1e-4
    assert (changed.frames[0] - changed.codec).abs().max() > 1e-3
    assert not [note for note in changed.notes if "empty" in note or note == LYRICS_UNKNOWN]


def test_an_edit_of_lyrics_is_replayed_and_shares_the_path_of_the_old_ones(model: Model, song: Path) -> None:
    request = Edit(song, source="pop", lyrics=OLD, to_lyrics=NEW, model=str(model.folder), steps=3)
    assert request.target == ("pop",)
    made = finish(edit(request, model))
    again = request_from(made.recipes[0], song.parent)
    assert finish(replay(made.recipes[0], again, model)).identical
    assert finish(edit(replace(request, to_lyrics="[verse]\nothers"), model)).reused
    assert not finish(edit(replace(request, lyrics=NEW), model)).reused


def test_a_style_alone_keeps_the_lyrics_and_unknown_ones_are_said(model: Model, song: Path) -> None:
    kept = regrow.edit(song, "pop", source="pop", lyrics=OLD, model=model, steps=3)
    assert (kept.frames[0] - kept.codec).abs().max() < 1e-4
    unknown = regrow.edit(song, source="pop", to_lyrics=NEW, model=model, steps=2)
    assert LYRICS_UNKNOWN in unknown.notes


def test_a_song_goes_on_with_its_lyrics(model: Model, song: Path) -> None:
    request = Extend(song, "pop", after=0.2, lyrics=OLD, model=str(model.folder), steps=2)
    first, second = (regrow.extend(replace(request, lyrics=words), model=model) for words in (OLD, NEW))
    assert not torch.equal(first.items[0], second.items[0])


def test_a_model_that_does_not_sing_says_so(song: Path, monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    monkeypatch.setattr(StableAudio, "sings", False)
    with pytest.raises(ValueError, match=CANNOT_SING):
        regrow.edit(song, "pop", source="pop", to_lyrics=NEW, model=model, steps=2)
    with pytest.raises(ValueError, match=CANNOT_SING):
        regrow.generate("pop", bpm=90, model=model, steps=2)
    with pytest.raises(ValueError, match="takes no reference sound: leave reference_sound out"):
        regrow.generate("pop", reference_sound=song, model=model, steps=2)
    with pytest.raises(ValueError, match="takes no notes: leave the melody out"):
        regrow.generate("pop", melody=song, model=model, steps=2)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"language": "English"}, 'language must be a code such as en, zh or ja; got "English"'),
        ({"bpm": 5}, "bpm must be from 20 to 400, or 0 for the model's choice; got 5"),
        ({"bpm": 900}, "--bpm must be from 20 to 400, or 0 for the model's choice; got 900"),
        ({"key": "H dur"}, 'key must be a note with major or minor, such as "A minor"; got "H dur"'),
        ({"time_signature": "waltz"}, 'time_signature must look like 4/4 or 3/4; got "waltz"'),
    ],
)
def test_what_no_song_has_is_said(settings: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Generate("pop", **settings)


def test_tags_stand_on_lines_of_their_own() -> None:
    assert laid_out("[verse] la la [chorus] lo") == "[verse]\nla la\n[chorus]\nlo"
    assert laid_out("[Verse 1]\nla\n\n[Chorus]\nlo\n") == "[Verse 1]\nla\n\n[Chorus]\nlo"
    assert laid_out("no tags") == "no tags"


def test_a_model_with_guidance_in_its_weights_is_sampled_without_and_says_so(model: Model, song: Path) -> None:
    distilled = copy(model)
    distilled.own = replace(model.own, is_guided=False, steps=2, guidance=1.0)
    quiet = regrow.generate("pop", model=distilled)
    assert quiet.recipes[0]["settings"]["guidance"] == 1
    assert quiet.recipes[0]["settings"]["steps"] == 2
    assert quiet.recipes[0]["figures"]["evaluations"] == 2
    asked_for = regrow.generate("pop", model=distilled, guidance=6.0)
    assert torch.equal(asked_for.items[0], quiet.items[0])
    assert any("has guidance built into its weights, so guidance 1 was used" in note for note in asked_for.notes)
    edited = regrow.edit(song, "rock", source="pop", model=distilled, steps=2)
    assert edited.recipes[0]["figures"]["evaluations"]["regrowth"] <= 4
    assert edited.recipes[0]["settings"]["guidance"] == 1
    with pytest.raises(ValueError, match="null_text has nothing to optimise: use another method"):
        regrow.edit(song, "rock", source="pop", model=distilled, steps=2, method="null_text")
