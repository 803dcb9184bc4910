"""Quiet, loud and odd recordings: results are as loud as the file, have its channels, and keep what shall stay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from homes import sharing_engines
from torch import Tensor

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.editing.invert import describe
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.sound import load, save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.models.saving import write_new
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate
from regrow.worlds.bandstand.playing import VOCABULARY, Phrase, play

RATE = 22_050
LEVELS = [-6, -85]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "untrained"
    folder.mkdir()
    write_new(folder, seed=0, size="tiny", extent=(128, 512), objective="v", words=VOCABULARY, mel=MelSettings())
    return open_model(folder)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))


def decibels(wave: Tensor) -> float:
    return float(10 * wave.double().square().mean().log10())


def recording(path: Path, level: float = -25, gains: tuple[float, ...] = (1.0,)) -> Path:
    """Write a recording of an RMS in dB, as 32-bit floats, in channels of these gains."""
    wave = play(Phrase(), 1.2).wave[0]
    wave = wave * 10 ** ((level - decibels(torch.from_numpy(wave))) / 20)
    soundfile.write(path, np.stack([gain * wave for gain in gains], 1), RATE, "FLOAT")
    return path


def changing(path: Path, **settings: object) -> Edit:
    return Edit(path, ("a violin melody",), "a piano melody", steps=2, cache=False, **settings)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("level", LEVELS)
def test_edits_are_as_loud_beside_the_file_as_at_its_usual_level(model: Model, tmp_path: Path, level: int) -> None:
    usual, other = recording(tmp_path / "usual.wav"), recording(tmp_path / "other.wav", level)
    inside = slice(round(0.4 * RATE), round(0.8 * RATE))
    for settings in ({}, {"span": "0.4:0.8"}, {"method": "img2img"}):
        (at_usual,), (at_other,) = (finish(edit(changing(file, **settings), model)).items for file in (usual, other))
        assert decibels(at_other[:, inside]) - level == pytest.approx(decibels(at_usual[:, inside]) + 25, abs=1)
        if "span" in settings:
            assert torch.equal(at_other[:, : inside.start], load(other).wave[:, : inside.start])
            assert torch.equal(at_other[:, inside.stop :], load(other).wave[:, inside.stop :])


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_added_is_as_loud_beside_the_file_as_at_its_usual_level(
    model: Model, tmp_path: Path, level: int
) -> None:
    usual, other = recording(tmp_path / "usual.wav"), recording(tmp_path / "other.wav", level)
    request = Extend(usual, "a piano melody", 0.5, 0.5, steps=2)
    at_usual, at_other = (finish(extend(replace(request, sound=file), model)) for file in (usual, other))
    first, last = at_other.known
    for part in (slice(first), slice(last, None)):
        ours, theirs = (made.items[0][:, part] for made in (at_other, at_usual))
        assert decibels(ours) - level == pytest.approx(decibels(theirs) + 25, abs=1)
    save(tmp_path / "longer.wav", at_other.items[0], RATE, at_other.recipes[0])
    assert torch.equal(load(tmp_path / "longer.wav").wave[:, first:last], load(other).wave)


def test_between_two_levels_it_goes_in_steps_of_decibels(model: Model, tmp_path: Path) -> None:
    ends = recording(tmp_path / "a.wav", -45), recording(tmp_path / "b.wav", -65)
    made = finish(interpolate(Interpolate(str(ends[0]), str(ends[1]), ("a piano", "a piano"), 3, steps=2), model))
    levels = [decibels(item) for item in made.items]
    assert levels[0] - levels[1] == pytest.approx(10, abs=2)
    assert levels[1] - levels[2] == pytest.approx(10, abs=2)
    assert sum("dB louder for the computation" in note for note in made.notes) == 2


def test_beyond_full_scale_comes_back_beyond_it_and_is_replayed(model: Model, tmp_path: Path) -> None:
    hot = recording(tmp_path / "hot.wav", 0)
    assert float(load(hot).wave.abs().max()) > 2
    for request in (changing(hot, model=str(model.folder)), changing(hot, model=str(model.folder), span="0.4:0.8")):
        made = finish(edit(request, model))
        assert float(made.items[0].abs().max()) > 1
        out = tmp_path / f"{request.span is None}.wav"
        assert SOUND.save(out, made.items[0], made.recipes[0], made.rate) == ()
        assert torch.equal(load(out).wave, made.items[0])
        recipe = recipe_in(out)
        assert finish(replay(recipe, request_from(recipe, tmp_path), model)).identical


@pytest.mark.parametrize("gains", [(1.0, -1.0), (1.0, 0.25), (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)])
def test_results_have_the_channels_of_the_file(model: Model, tmp_path: Path, gains: tuple[float, ...]) -> None:
    file, mono = recording(tmp_path / "file.wav", gains=gains), recording(tmp_path / "mono.wav")
    (found,), (alone,) = (finish(edit(changing(path), model)).items for path in (file, mono))
    assert len(found) == len(gains)
    for channel, gain in zip(found, gains, strict=True):
        if gain:
            assert decibels(channel) == pytest.approx(decibels(gain * alone), abs=1)
        else:
            assert not channel.any()
    shape = found / torch.tensor(gains)[:, None]
    heard = [channel for channel, gain in zip(shape, gains, strict=True) if gain]
    for channel in heard[1:]:  # turned as in the file
        torch.testing.assert_close(channel, heard[0], atol=1e-5, rtol=1e-3)


def test_a_file_of_a_usual_level_is_left_at_it(model: Model, tmp_path: Path) -> None:
    file = recording(tmp_path / "a.wav", -24)
    on, off = (finish(edit(changing(file, normalize=switch), model)) for switch in ("on", "off"))
    torch.testing.assert_close(on.frames, off.frames, atol=1e-3, rtol=0)  # torch rounds otherwise in a batch
    assert not any("louder" in note or "quieter" in note for note in on.notes)
    request = replace(changing(file), strength=0.5)
    assert describe(request, model) != describe(replace(request, normalize="off"), model)


def test_an_older_recipe_is_made_as_it_was(model: Model, tmp_path: Path) -> None:
    """Without `normalize`: the file's own level, beyond full scale made quieter, mono, a batch computed together."""
    file = recording(tmp_path / "hot.wav", 0, (1.0, 1.0))
    settings = {"model": str(model.folder), "steps": 2, "cache": False, "normalize": "off"}
    request = Edit(file, ("a violin", "a flute"), "a piano", **settings)  # pyright: ignore[reportArgumentType]
    old = finish(edit(request, model))
    assert [len(item) for item in old.items] == [1, 1]
    assert max(float(item.abs().max()) for item in old.items) <= 1
    recipe = old.recipes[1]
    del recipe["settings"]["normalize"]
    again = finish(replay(recipe, request_from(recipe, tmp_path), model))
    assert again.identical
    assert torch.equal(again.item, old.items[1])


def test_a_melody_is_heard_at_any_level(model: Model, tmp_path: Path) -> None:
    asked = Generate("a flute")
    files = [recording(tmp_path / f"{level}.wav", level) for level in (-25, -70)]
    usual, quiet = (SOUND.load(file, model, asked).content for file in files)
    torch.testing.assert_close(usual, quiet, atol=0.05, rtol=0)


def test_a_sound_of_a_batch_is_the_same_alone(model: Model, tmp_path: Path) -> None:
    asked = Generate("a piano melody", steps=2, duration=1.0)
    both, alone = finish(generate(replace(asked, count=3), model)), finish(generate(replace(asked, seed=2), model))
    assert torch.equal(both.items[2], alone.items[0])
    file, targets = recording(tmp_path / "a.wav"), ("a violin", "a flute", "a gong")
    editing = Edit(file, targets, "a piano", steps=2, cache=False)
    both, alone = (finish(edit(replace(editing, target=some), model)) for some in (targets, targets[2:]))
    assert torch.equal(both.items[2], alone.items[0])
    longer = Extend(file, "a piano", 0.5, steps=2)
    both, alone = finish(extend(replace(longer, count=2), model)), finish(extend(replace(longer, seed=1), model))
    assert torch.equal(both.items[1], alone.items[0])
    frames = torch.stack([SOUND.load(recording(tmp_path / f"{i}.wav", -20 - i), model, None).content for i in range(3)])
    assert torch.equal(model.encode(frames)[2:], model.encode(frames[2:]))
