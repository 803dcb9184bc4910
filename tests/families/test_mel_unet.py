"""Folders of diffusers' AudioDiffusionPipeline: mels as librosa makes them, in float, and what is ours opens there."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import ddim, last, solve
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.mel import MelSettings, filters, slope
from regrow.media.audio.sound import load, save
from regrow.models.codecs.mel import PEAK
from regrow.models.model import Model, ModelError
from regrow.models.open import open_model
from regrow.models.saving import save_model, write_new_pixel
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.worlds.bandstand.playing import Phrase, play

RATE = 22_050
Checkpoint = Callable[[str], Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    save(tmp_path / "clip.wav", 0.05 * torch.from_numpy(play(Phrase(), 1.2).wave), RATE)
    return tmp_path / "clip.wav"


def their_picture(wave: np.ndarray, settings: MelSettings) -> np.ndarray:
    """diffusers' Mel.audio_slice_to_image as librosa computes it, before the 8 bits: bands divided by their width."""
    assert settings.low == 0
    mels = np.linspace(0, 15 + 27 * np.log(settings.high / 1000) / np.log(6.4), settings.bands + 2)
    hertz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))
    bins = np.fft.rfftfreq(settings.window, 1 / settings.rate)
    below = (bins - hertz[:-2, None]) / np.diff(hertz)[:-1, None]
    above = (hertz[2:, None] - bins) / np.diff(hertz)[1:, None]
    weights = np.maximum(0, np.minimum(below, above)) * (2 / (hertz[2:] - hertz[:-2]))[:, None]
    window = torch.hann_window(settings.window)
    spectrum = torch.stft(torch.from_numpy(wave), settings.window, settings.hop, window=window, pad_mode="constant",
                          return_complex=True).abs().square().numpy()  # fmt: skip
    power = weights @ spectrum
    decibels = 10 * np.log10(np.maximum(power, 1e-20) / power.max())
    return np.maximum(decibels, settings.floor) / -settings.floor * 2 + 1


def test_a_folder_from_the_hub_hears_librosas_mels_without_their_8_bits(checkpoint: Checkpoint, clip: Path) -> None:
    model = open_model(checkpoint("audio-diffusion"))
    assert (model.family, model.size, model.medium.name, model.relative) == ("mel-unet", (32, 64), "sound", True)
    settings = MelSettings(RATE, 2048, 512, 32, 0.0, RATE / 2, -80.0)
    assert model.mel == settings
    heard = SOUND.load(clip, model, None)
    # their frames lie half a hop earlier
    theirs = their_picture(np.pad(heard.wave[0].numpy(), (256, 2048)), settings)[:, 1:]
    ours = model.encode(heard.content[None])[0, 0].numpy()
    frames = heard.wave.shape[-1] // 512
    assert np.abs(ours[:, :frames] - theirs[:, :frames]).max() < 1e-3


def test_what_is_heard_comes_back_as_loud_and_silence_as_silence(checkpoint: Checkpoint, clip: Path) -> None:
    model = open_model(checkpoint("audio-diffusion"))
    heard = SOUND.load(clip, model, None)
    there = model.decode(model.encode(heard.content[None]))
    loud = heard.content[None] > -0.25  # above the floor of the widest band
    assert (there - heard.content[None])[loud].abs().max() < 0.01
    silence = torch.full((1, 1, 32, 64), -1.0)
    assert torch.equal(model.decode(model.encode(silence)), silence)
    request = Edit(clip, ("",), model=str(model.folder), steps=3, guidance=1.0, cache=False)
    (wave,) = finish(edit(request, model)).items
    before, after = (float(10 * torch.log10(w.square().mean())) for w in (load(clip).wave, wave))
    assert after == pytest.approx(before, abs=1.5)


@pytest.mark.parametrize("name", ["audio-diffusion", "latent-audio-diffusion"])
def test_both_kinds_generate_and_are_edited_without_words(checkpoint: Checkpoint, clip: Path, name: str) -> None:
    model = open_model(checkpoint(name))
    made = finish(generate(Generate("", guidance=1.0, steps=2, count=2, duration=2.0), model))
    assert torch.stack(made.items).shape == (2, 1, 2 * RATE)
    assert torch.stack(made.items).abs().amax(-1).flatten().tolist() == pytest.approx([PEAK, PEAK])
    request = Edit(clip, ("",), model=str(model.folder), steps=3, guidance=1.0, cache=False)
    edited = finish(edit(request, model))
    assert (edited.frames[0] - edited.codec).abs().max() < 2e-3
    longer = finish(extend(Extend(clip, after=0.5, guidance=1.0, steps=2), model)).items[0]
    there = load(clip).wave
    assert torch.equal(longer[:, : there.shape[-1]], there)
    assert longer.shape[-1] == there.shape[-1] + RATE // 2
    with pytest.raises(ValueError, match="takes no prompts"):
        finish(generate(Generate("a piano", steps=2), model))


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("mel/mel_config.json", {"y_res": 64}, "was made for 32 mel bands and 64 frames, but .* says 64 and 64"),
        ("mel/mel_config.json", {"hop_length": 0}, "The mel setting hop must be a whole number above 0"),
        ("mel/mel_config.json", {"top_db": "loud"}, "mel_config.json cannot be used"),
        ("mel/mel_config.json", {"n_fft": 64, "hop_length": 16}, "hold no frequency"),
        ("model_index.json", {"mel": None}, "names no mel"),
        ("model_index.json", {"unet": ["diffusers", "UNet2DConditionModel"]}, "regrow supports UNet2DModel"),
        ("mel/mel_config.json", None, "mel_config.json is missing"),
    ],
)
def test_a_folder_that_does_not_fit_is_explained(
    checkpoint: Checkpoint, tmp_path: Path, file: str, changes: dict[str, Any] | None, message: str
) -> None:
    folder = shutil.copytree(checkpoint("audio-diffusion"), tmp_path / "broken")
    path = folder / file
    if changes is None:
        path.unlink()
    else:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError, match=message):
        open_model(folder)


def test_bands_are_weighted_as_librosas(checkpoint: Checkpoint) -> None:
    settings = MelSettings(window=2048, hop=512, low=0.0)
    area = (filters(settings).double() * 10 ** (slope(settings).double()[:, None] / 10)).sum(1)
    wide = slice(64, None)  # of these the sum over bins is the area
    assert float(area[wide].std() / area[wide].mean()) < 0.02


@pytest.fixture
def pipeline_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    """diffusers' pipeline with a librosa that makes no sound of the pictures: they are what is compared."""
    silent = SimpleNamespace(mel_to_audio=lambda power, **_: np.zeros(8))
    librosa = ModuleType("librosa")
    librosa.__dict__.update(db_to_power=lambda decibels: decibels, feature=SimpleNamespace(inverse=silent))
    monkeypatch.setitem(sys.modules, "librosa", librosa)
    for name in [name for name in sys.modules if "audio_diffusion" in name]:
        monkeypatch.delitem(sys.modules, name)
    from diffusers.pipelines.deprecated.audio_diffusion import mel, pipeline_audio_diffusion

    monkeypatch.setattr(mel, "librosa", librosa, raising=False)
    monkeypatch.setattr(mel, "_librosa_can_be_imported", True)
    monkeypatch.setattr(diffusers, "Mel", mel.Mel)  # a dummy where there is no librosa
    return pipeline_audio_diffusion.AudioDiffusionPipeline


def test_what_is_ours_opens_in_diffusers_and_grows_the_same_mel(tmp_path: Path, pipeline_class: Any) -> None:
    write_new_pixel(
        tmp_path / "new", seed=0, size="small", extent=(32, 64), objective="epsilon",
        mel=MelSettings(window=2048, hop=512, bands=32, low=0.0),
    )  # fmt: skip
    save_model(open_model(tmp_path / "new"), tmp_path / "ours", torch.float32)
    model: Model = open_model(tmp_path / "ours")
    assert (model.family, model.relative, model.size) == ("mel-unet", False, (32, 64))
    pipe = pipeline_class.from_pretrained(tmp_path / "ours")
    assert (pipe.mel.x_res, pipe.mel.y_res, pipe.mel.hop_length, pipe.mel.top_db) == (64, 32, 512, 100)
    x = noise((1, 32, 64), [3])
    pipe.set_progress_bar_config(disable=True)
    (picture,), _ = pipe(noise=x.clone(), steps=4, return_dict=False)
    ours = last(solve(ddim, model.denoiser(model.condition([""])), x, model.schedule.grid(4)))
    ours = ((ours.clamp(-1, 1) + 1) * 127.5)[0, 0].numpy()
    assert np.abs(ours - np.asarray(picture, np.float32)).max() <= 1
