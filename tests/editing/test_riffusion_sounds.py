"""The verbs on riffusion's spectrograms: any length, spans, levels, replays of a folder that does not say its kind."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.inspect import inspect
from regrow.editing.interpolate import interpolate
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.interfaces.cli import main
from regrow.interfaces.server.jobs.models import known_model
from regrow.media.audio.sound import load, resample, save, to_mono
from regrow.models.codecs.codec import Identity
from regrow.models.codecs.riffusion import RiffusionFrames, RiffusionPictures
from regrow.models.model import Model
from regrow.models.open import open_model, user_models
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate

RATE = 44_100
PIANO = Path(__file__).parents[2] / "examples" / "piano.flac"
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("riffusion"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second and a half of a piano in stereo at another rate, four windows of the tiny model long."""
    path, sound = tmp_path / "clip.wav", load(PIANO)
    wave = resample(to_mono(sound.wave), sound.rate, 32_000)[:, 8000:56_000]
    save(path, torch.cat([wave, 0.5 * wave]), 32_000)
    return path


def decibels(wave: Tensor) -> float:
    return float(10 * wave.double().square().mean().log10())


def test_it_makes_sounds_of_any_length_and_loops(model: Model) -> None:
    for seconds in (0.1, 1.0):  # less than a window, and four of them
        request = Generate("a piano", model=str(model.folder), steps=2, duration=seconds)
        made = finish(generate(request, model))
        assert (made.items[0].shape, made.rate) == ((1, round(seconds * RATE)), RATE)
        assert made.items[0].abs().max() == pytest.approx(0.9)
        assert finish(replay(made.recipes[0], request_from(made.recipes[0]), model)).identical
    loop = finish(generate(replace(request, duration=None, loop=True), model)).items[0]
    assert loop.shape[-1] == model.size[1] * 441


def test_a_span_changes_and_all_else_stays_sample_for_sample(model: Model, clip: Path) -> None:
    request = Edit(clip, ("a flute",), "a piano", model=str(model.folder), steps=2, span="0.5:0.9")
    edited, there = finish(edit(request, model)), load(clip).wave
    assert (edited.items[0].shape, edited.rate) == (there.shape, 32_000)
    assert f"{model.name} works up to 10000 Hz: higher frequencies of clip.wav are left out." in edited.notes
    changed = (edited.items[0] != there).any(0).nonzero().flatten()
    assert 0.5 * 32_000 <= int(changed.min()) < int(changed.max()) < 0.9 * 32_000
    assert finish(replay(edited.recipes[0], request_from(edited.recipes[0], clip.parent), model)).identical


@pytest.mark.parametrize("gain", [0.5, 1e-3])
def test_an_edit_comes_back_at_the_files_level(model: Model, clip: Path, tmp_path: Path, gain: float) -> None:
    """With a codec and words that change nothing, the result is the file but for phase, whatever its level."""
    there = load(clip).wave * gain
    save(tmp_path / "quiet.wav", there, 32_000, {"input": {}, "settings": {"normalize": "on"}})
    whole = replace(model, codec=RiffusionPictures(Identity(3)), waves=RiffusionFrames(512), size=(512, 32))
    frame = whole.medium.load(tmp_path / "quiet.wav", whole, Edit(tmp_path / "quiet.wav", ("a",), "a"))
    decoded = whole.decode(whole.encode(frame.content[None]))
    (back,) = whole.medium.restore(frame, decoded, whole, Edit(tmp_path / "quiet.wav", ("a",), "a"), None).items
    assert back.shape == there.shape
    assert abs(decibels(back) - decibels(there)) < 0.2
    assert (back[1] - 0.5 * back[0]).abs().max() < 1e-3 * back.abs().max()


def test_it_goes_on_and_between_and_is_looked_into(model: Model, clip: Path, tmp_path: Path) -> None:
    there = load(clip).wave
    longer = finish(extend(Extend(clip, "a piano", 0.25, 0.6, model=str(model.folder), steps=1), model))
    assert longer.items[0].shape == (2, there.shape[-1] + round(0.85 * 32_000))
    assert torch.equal(longer.items[0][:, slice(*longer.known)], there)
    save(tmp_path / "short.wav", there[:1, :9000] / 30, 32_000)
    ends = Interpolate(str(clip), str(tmp_path / "short.wav"), ("a piano", "a flute"), 3, str(model.folder), steps=1)
    between = finish(interpolate(ends, model)).items
    assert [item.shape for item in between] == [(1, round(there.shape[-1] / 32_000 * RATE))] * 3
    assert decibels(between[0]) > decibels(between[1]) > decibels(between[2])
    inspected = finish(inspect(clip, "", 2, model))
    assert inspected.lost["lost"].keys() == {"codec", "phase"}
    assert inspected.page is not None


def test_as_riffusion_survives_a_replay(
    checkpoint: Callable[[str], Path],
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(checkpoint("riffusion"), "tunes")
    Path("tunes/family.json").unlink()
    options = ["--model", "tunes", "--as", "riffusion", "--steps", "2", "--engine", "torch"]
    main(["generate", "a piano", *options, "--out", "made.wav"])
    main(["edit", str(clip), "--target", "a flute", "--source", "a piano", *options, "--out", "edited.wav"])
    for name in ("made.wav", "edited.wav"):
        recipe = recipe_in(Path(name))
        assert recipe["settings"]["model"] == recipe["model"]["name"] == "riffusion:tunes"
        capsys.readouterr()
        main(["replay", name, "--engine", "torch"])
        assert "the same, bit for bit" in capsys.readouterr().out
    monkeypatch.chdir(clip.parent.parent)
    recipe = recipe_in(tmp_path / "made.wav")
    request = request_from(recipe, tmp_path)  # by the folder that is named
    assert request.model == f"riffusion:{tmp_path / 'tunes'}"
    assert finish(replay(recipe, request, open_model(request.model))).identical


def test_a_pulled_one_is_a_sound_model_of_the_page_and_replays(
    checkpoint: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(checkpoint("riffusion"), tmp_path / "other")
    (tmp_path / "other" / "family.json").unlink()
    main(["models", "pull", str(tmp_path / "other"), "--as", "riffusion", "--name", "tunes"])
    assert json.loads((user_models() / "tunes" / "family.json").read_text()) == {"family": "riffusion"}
    assert known_model("tunes") == "tunes"
    made = finish(generate(Generate("a piano", model="tunes", steps=1, duration=0.2), open_model("tunes")))
    (path,) = made.save(tmp_path / "made.wav")
    recipe = recipe_in(path)
    assert known_model(recipe["settings"]["model"]) == "riffusion:tunes"
    request = request_from(recipe)
    assert finish(replay(recipe, request, open_model(request.model))).identical
    capsys.readouterr()
    main(["models", "show", str(tmp_path / "other"), "--as", "riffusion", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert (facts["family"], facts["medium"]) == ("riffusion", "sound")
