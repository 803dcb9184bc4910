"""A whole training on played phrases in small: a model of sounds in the Stable Diffusion layout."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.models.model import ModelError
from regrow.models.open import open_model
from regrow.requests.train import Train
from regrow.training.train import train
from regrow.training.training_data import to_batch
from regrow.training.world_data import played
from regrow.worlds.bandstand.playing import Phrase, play

TINY = Train(name="tiny", world="bandstand", new="tiny", scenes=6, hold_out=2, steps=2, batch=2, prompts=("a piano",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        stages = [state.stage for state in train(TINY)]
    assert list(dict.fromkeys(stages)) == ["read", "codec", "encode", "denoiser"]
    return home / "models" / "tiny"


def test_what_is_trained_opens_with_its_mel_settings_and_grows_clips_of_any_length(trained: Path) -> None:
    model = open_model(trained)
    assert (model.medium.name, model.mel, model.size) == ("sound", MelSettings(), (128, 512))
    for frames in (512, 192):
        x = noise(model.latent_shape(128, frames), [1])
        found = last(solve(ddim, model.denoiser(model.condition(["a slow piano melody"])), x, model.schedule.grid(2)))
        assert model.decode(found).shape == (1, 1, 128, frames)


def test_a_codec_alone_is_written_with_the_scale_that_a_denoiser_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    list(
        train(Train(name="codec", world="bandstand", new="tiny", stage="codec", scenes=4, hold_out=1, steps=1, batch=2))
    )
    model = open_model(tmp_path / "models" / "codec")
    mel = MelSettings()
    waves = torch.stack([torch.from_numpy(play(Phrase.random(i), 512 * mel.hop / mel.rate).wave) for i in range(3)])
    assert float(model.encode(to_unit(to_mel(waves, mel), mel)).std()) == pytest.approx(1, abs=0.05)


def test_a_sample_sheet_and_the_facts_of_training_are_kept(trained: Path) -> None:
    assert list((trained / "samples").glob("*.png"))
    facts = json.loads((trained / "training.json").read_text())
    assert facts["data"] == "bandstand"
    assert set(facts["stages"]) == {"codec", "denoiser"}


def test_a_sound_model_learns_no_pictures(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="is a model of sounds and cannot be trained on pictures"):
        list(train(Train(name="other", world="storybook", start=str(trained), steps=1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bands": 64}, "was made for 128 mel bands, but .* says 64"),
        ({"hop": 0}, "The mel setting hop must be a whole number above 0"),
        ({"rate": "fast"}, "The mel setting rate must be"),
        ({"colour": 1}, "The mel settings must be exactly .*check colour"),
        (None, "takes 1 channels: pictures have 3, and sounds need a mel.json"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    trained: Path, tmp_path: Path, change: dict[str, object] | None, message: str
) -> None:
    folder = shutil.copytree(trained, tmp_path / "changed")
    file = folder / "mel.json"
    if change is None:
        file.unlink()
    else:
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        open_model(folder)


def test_what_is_learned_is_what_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    settings, phrase = MelSettings(), Phrase.random(5)
    array = finish(played([phrase], settings, 128, processes=1))
    wave = torch.from_numpy(play(phrase, 128 * settings.hop / settings.rate).wave)[None]
    expected = to_unit(to_mel(wave, settings), settings)
    assert (to_batch(array) - expected).abs().max() < 1e-3  # float16
    assert not list((tmp_path / "cache" / "played").glob(".*"))
