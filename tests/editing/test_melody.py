"""What a model is told of the notes: it reaches the network, cell by cell, and the verbs that tell it are replayed."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from regrow.benchmark.baselines import baselines
from regrow.benchmark.editors import Setting, Task
from regrow.core.guidance import mix
from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.melody import can_listen, condition_on_notes
from regrow.editing.replay import replay, request_from
from regrow.interfaces.cli import main
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.media.audio.piano_roll import STANDARD, PlayedNote, matches
from regrow.media.audio.sound import save
from regrow.media.files import MediaError
from regrow.models.model import Model, ModelError
from regrow.models.open import open_model
from regrow.models.probes.transcriber import FILE, Transcriber, TranscriberNetwork, write_transcriber
from regrow.models.saving import save_model, write_new
from regrow.models.sidecars.piano_roll_file import PIANO_ROLL_FILE
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.training.note_conditioning import PianoRolls
from regrow.worlds.bandstand.playing import VOCABULARY, Phrase, play

NOTES = (PlayedNote(0.3, 0.4, 60), PlayedNote(1.0, 0.2, 67))
WORDS = "a slow sad piano melody"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Never trained, but its kernels for the notes are not zero, and its transcriber finds something anywhere."""
    folder = tmp_path_factory.mktemp("models") / "untrained"
    folder.mkdir()
    write_new(
        folder,
        seed=0,
        size="tiny",
        extent=(128, 512),
        objective="v",
        words=VOCABULARY,
        mel=MelSettings(),
        piano_roll=True,
    )
    torch.manual_seed(0)
    network = TranscriberNetwork(128, STANDARD.keys)
    torch.nn.init.constant_(network.head.bias, -0.5)
    write_transcriber(folder, Transcriber(network, MelSettings(), STANDARD, {}))
    opened = open_model(folder)
    torch.nn.init.normal_(opened.network.conv_in.weight[:, opened.latent_channels :], std=0.05)
    opened.codec_network.decoder.layers[-1].bias += 0.5  # into the middle of its range
    return opened


@pytest.fixture(autouse=True)
def at_home(home: None) -> None:
    """Nothing is kept from test to test."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    save(path, torch.from_numpy(play(Phrase(), 1.3).wave), 22_050)
    return path


def test_notes_change_what_is_predicted_and_no_notes_are_zeros(model: Model) -> None:
    x = torch.randn(1, *model.latent_shape(128, 128), generator=torch.Generator().manual_seed(0))
    level = model.schedule.grid(4)[1]
    condition = model.condition([WORDS])
    plain = model.denoiser(condition)(x, level)
    playing = condition_on_notes(model, NOTES, x.shape[-1])
    heard = playing.denoiser(condition)(x, level)
    assert heard.x0.shape == x.shape
    assert float((heard.x0 - plain.x0).abs().max()) > 1e-3
    zeros = torch.cat([x, torch.zeros(1, STANDARD.channels(16), *x.shape[-2:])], 1)
    labels = torch.tensor([model.schedule.label(level)], dtype=torch.float32)
    assert torch.equal(model.forward(model.beside(x), labels, condition), model.forward(zeros, labels, condition))
    guided = playing.denoiser(condition, guidance=2.0)(x.repeat(2, 1, 1, 1), level)
    torch.testing.assert_close(guided.x0[0], guided.x0[1])


def test_guidance_leads_away_from_the_other_words_and_from_no_notes(model: Model) -> None:
    x = torch.randn(2, *model.latent_shape(128, 128), generator=torch.Generator().manual_seed(0))
    level = model.schedule.grid(4)[1]
    wish, away = model.condition([WORDS]), model.condition(["a fast happy flute melody"])
    playing = condition_on_notes(model, NOTES, x.shape[-1])
    guided = playing.denoiser(wish, away, 3.0)(x, level)
    expected = mix(playing.denoiser(wish)(x, level), model.denoiser(away)(x, level), 3.0)
    torch.testing.assert_close(guided.x0, expected.x0, rtol=1e-3, atol=1e-3)


def test_each_window_of_a_long_sound_is_told_its_own_part(model: Model) -> None:
    """With as many cells as two windows, apart by a whole one, the second window hears the notes of its own time."""
    width = model.size[1] // model.factor
    x = torch.randn(1, model.latent_channels, 8, 2 * width, generator=torch.Generator().manual_seed(0))
    level, condition = model.schedule.grid(4)[1], model.condition([WORDS])
    cell = model.factor * 256 / 22_050
    late = [replace(note, onset=note.onset + width * cell) for note in NOTES]
    whole = condition_on_notes(model, late, 2 * width).denoiser(condition)(x, level)
    # the last quarter belongs to the last window alone
    part = condition_on_notes(model, NOTES, width).denoiser(condition)(x[..., width:], level)
    quarter = width // 2
    torch.testing.assert_close(whole.x0[..., -quarter:], part.x0[..., -quarter:], rtol=1e-4, atol=1e-4)


def test_contours_that_do_not_fit_are_named(model: Model) -> None:
    x = torch.zeros(1, *model.latent_shape(128, 128))
    level, condition = model.schedule.grid(4)[1], model.condition([WORDS])
    with pytest.raises(ValueError, match="The piano roll has 5 cells, but the latents have 8"):
        condition_on_notes(model, NOTES, 5).denoiser(condition)(x, level)
    two = model.condition_on_notes(torch.zeros(2, STANDARD.channels(16), 8, 8))
    with pytest.raises(ValueError, match="2 piano rolls do not fit a batch of 1"):
        two.denoiser(condition)(x, level)


def test_an_edit_tells_the_notes_unless_they_are_free(model: Model, clip: Path) -> None:
    request = Edit(clip, ("a slow sad violin melody",), WORDS, model=str(model.folder), steps=3, cache=False)
    kept, free = (finish(edit(replace(request, notes=notes), model)) for notes in ("keep", "free"))
    assert kept.recipes[0]["figures"]["notes"] > 0
    assert free.recipes[0]["figures"]["notes"] == 0
    assert float((kept.frames - free.frames).abs().max()) > 1e-4  # an untrained codec saturates nearly everywhere
    # and under its own words it is still the codec's
    same = finish(edit(replace(request, target=(WORDS,), guidance=1.0), model))
    torch.testing.assert_close(same.frames[0], same.codec, rtol=1e-3, atol=1e-3)


def test_paths_with_and_without_notes_are_kept_apart(model: Model, clip: Path) -> None:
    request = Edit(clip, ("a slow sad violin melody",), WORDS, model=str(model.folder), steps=3)
    first = finish(edit(request, model))
    assert not finish(edit(replace(request, notes="free"), model)).reused
    assert not first.reused
    assert finish(edit(request, model)).reused


def test_a_melody_gives_its_notes_and_its_length_and_is_replayed(model: Model, clip: Path) -> None:
    request = Generate("a slow sad violin melody", model=str(model.folder), steps=2, melody=clip)
    made = finish(generate(request, model))
    assert made.items[0].shape[-1] == SOUND.load(clip, model, None).wave.shape[-1]
    assert "notes of the melody are played" in made.notes[0]
    again = request_from(made.recipes[0], clip.parent)
    filled = replace(request, guidance=4.0, solver="dpmpp_2m")  # which the request left to the model
    assert replace(again, model=request.model) == filled
    assert finish(replay(made.recipes[0], again, model)).identical
    save(clip, torch.zeros(1, 100), 22_050)
    with pytest.raises(MediaError, match="has changed since the result was made"):
        request_from(made.recipes[0], clip.parent)


def test_what_is_added_is_told_the_notes_from_where_it_grows(
    model: Model, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[float]] = []

    def spy(model: Model, notes: Sequence[PlayedNote], cells: int) -> Model:
        seen.append([note.onset for note in notes])
        return condition_on_notes(model, notes, cells)

    monkeypatch.setattr("regrow.editing.extend.condition_on_notes", spy)
    monkeypatch.setattr("regrow.editing.extend.going_on", lambda *_: (PlayedNote(-0.4, 0.2, 62), *NOTES))
    request = Extend(clip, WORDS, after=0.5, before=0.5, model=str(model.folder), steps=1)
    extended = finish(extend(request, model))
    cell = model.multiple * 256 / 22_050
    known = 1.3 - np.ceil(1.3 / cell) * cell  # whole cells of it are seen beside what is added behind it
    added = -np.ceil(0.5 / cell) * cell  # and whole cells are added before it
    onsets = [-0.4, *(note.onset for note in NOTES)]
    assert seen == [pytest.approx([onset - first for onset in onsets], abs=1e-3) for first in (known, added)]
    free = finish(extend(replace(request, notes="free"), model))
    assert len(seen) == 2
    assert not torch.equal(free.items[0], extended.items[0])
    again = finish(replay(extended.recipes[0], request_from(extended.recipes[0], clip.parent), model))
    assert again.identical


def test_a_melody_for_what_cannot_play_one_is_one_sentence(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["generate", "a violin", "--melody", str(clip), "--duration", "3"])
    assert "A sound from a melody is as long as the melody: leave duration and loop out" in capsys.readouterr().err


def test_a_folder_whose_notes_do_not_fit_its_network_is_named(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(model.folder, folder)
    (folder / PIANO_ROLL_FILE).write_text(json.dumps({"lowest": 36, "keys": 60, "steps": 4}))
    with pytest.raises(ModelError, match=r"its contour\.json says 129 more"):
        open_model(folder)
    (folder / PIANO_ROLL_FILE).write_text(json.dumps({"lowest": 36, "keys": -1, "steps": 8}))
    with pytest.raises(ModelError, match="cannot be used: keys must be a whole number"):
        open_model(folder)


def test_a_trained_copy_keeps_the_transcriber(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "copy")
    assert (tmp_path / "copy" / FILE).read_bytes() == (model.folder / FILE).read_bytes()
    copy = open_model(tmp_path / "copy")
    assert can_listen(copy)
    (tmp_path / "copy" / FILE).unlink()
    assert not can_listen(copy)


def test_rivals_run_on_a_network_that_can_be_told_notes(model: Model) -> None:
    unit = to_unit(
        to_mel(torch.from_numpy(play(Phrase(), 1.0).wave)[None, :, : 32 * 256], MelSettings()), MelSettings()
    )
    pair = next(baseline for baseline in baselines() if baseline.name == "ddim pair")
    made = pair.run(model, Task(unit, [WORDS], ["a slow sad violin melody"], [0]), Setting(0.1, 2))
    assert made.shape == unit.shape


def test_training_hears_most_of_the_notes_a_little_wrong() -> None:
    """Three samples in ten are told nothing; what is told depends on the seed alone."""
    piano_rolls = PianoRolls(lambda i: NOTES if i else None, 16, 16, STANDARD, MelSettings())
    found = piano_rolls.of([1] * 200, list(range(200)))
    says = found[:, -1, 0, 0]
    assert 0.6 < float((says == 1).float().mean()) < 0.8
    assert torch.equal(found[:5], piano_rolls.of([1] * 5, list(range(5))))
    assert not piano_rolls.of([0] * 50, list(range(50))).any()
    assert torch.equal(found[says == 0], piano_rolls.nothing(int((says == 0).sum())))
    total = found[says == 1].sum((1, 2, 3))
    assert np.unique(total.numpy().round(2)).size > 50  # onsets and durations differ


def test_the_shipped_transcriber_reads_notes_it_never_saw() -> None:
    model = open_model("bandstand")
    assert can_listen(model)
    from regrow.models.probes.transcriber import read_transcriber

    assert model.piano_roll is not None
    transcriber = read_transcriber(model.folder, MelSettings(), model.piano_roll)
    found = asked = both = 0
    for seed in range(9_800_000, 9_800_012):
        played = play(Phrase.random(seed))
        mel = to_unit(to_mel(torch.from_numpy(played.wave)[None], MelSettings()), MelSettings())[0]
        heard = transcriber.notes(mel)
        found, asked, both = found + len(heard), asked + len(played.notes), both + matches(heard, played.notes)
    assert 2 * both / (found + asked) > 0.95
