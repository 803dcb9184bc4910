"""Training on a folder of sounds as people have them: mixed formats and rates, and files that are none."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.media.audio.mel import MelSettings, to_mel, to_unit
from regrow.media.audio.sound import save
from regrow.media.captions.captioned import read_captioned
from regrow.media.captions.listing import SOUNDS
from regrow.media.files import MediaError
from regrow.models.open import open_model
from regrow.requests.generate import Generate
from regrow.requests.train import Train
from regrow.training.sound_folder import clips_of, starts_in
from regrow.training.stages import open_or_make
from regrow.training.train import train
from regrow.training.training_data import sound_folder_data, to_batch
from regrow.worlds.bandstand.playing import Phrase, play

SETTINGS = MelSettings()
FRAMES = 64


@pytest.fixture(autouse=True)
def at_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Genre folders with a long file, other rates and depths, stereo, and six files that cannot be used."""
    folder = tmp_path_factory.mktemp("mine")
    for genre in ("happy piano", "slow_violin"):
        (folder / genre).mkdir()
    wave = torch.from_numpy(play(Phrase(), 2.0).wave)
    quiet = torch.cat([wave, torch.zeros(1, 3 * FRAMES * SETTINGS.hop), wave[:, :5000]], -1)
    save(folder / "happy piano" / "long.flac", quiet, 22_050)
    soundfile.write(folder / "happy piano" / "eight.wav", wave[0].numpy(), 22_050, "PCM_U8")
    soundfile.write(folder / "happy piano" / "high.wav", wave[0].numpy(), 96_000, "PCM_24")
    for i in range(8):
        stereo = np.stack([play(Phrase.random(i), 1.1).wave[0]] * 2, 1)
        soundfile.write(folder / "slow_violin" / f"{i}.ogg", stereo, 22_050)
    save(folder / "slow_violin" / "silent.wav", torch.zeros(1, 9000), 22_050)
    soundfile.write(folder / "slow_violin" / "one.wav", np.zeros(1), 22_050)
    (folder / "slow_violin" / "broken.mp3").write_text("no sound")
    (folder / "slow_violin" / "cut.wav").write_bytes((folder / "happy piano" / "eight.wav").read_bytes()[:3000])
    (folder / "slow_violin" / "copy.ogg").write_bytes((folder / "slow_violin" / "0.ogg").read_bytes())
    (folder / "slow_violin" / "cover.png").write_text("a picture")
    return folder


def test_what_is_used_and_what_is_not_is_told_file_by_file(folder: Path) -> None:
    data = finish(sound_folder_data(folder, 1, FRAMES, SETTINGS))
    told = "\n".join(data.notes)
    assert data.notes[0].startswith("12 sounds, captions from folder names (happy piano, slow violin); ")
    for expected in (
        "happy piano/long.flac: 2 of its clips are silent (below -60 dB) and are left out.",
        "slow_violin/silent.wav: all of its clips are silent (below -60 dB) and are left out.",
        "skipped slow_violin/one.wav: slow_violin/one.wav holds 1 sample at 22050 Hz",
        "skipped slow_violin/broken.mp3: slow_violin/broken.mp3 is not a readable sound",
        "skipped slow_violin/cut.wav: slow_violin/cut.wav is incomplete, its end is missing",
        "skipped slow_violin/copy.ogg: slow_violin/copy.ogg is the same sound as slow_violin/0.ogg, so it is left out.",
        "skipped slow_violin/cover.png: slow_violin/cover.png does not look like a sound by its name",
    ):
        assert expected in told
    assert {data.caption(i, 0) for i in range(len(data.items))} == {"happy piano", "slow violin"}
    assert data.held_out >= 1


@given(st.integers(1, 500), st.integers(1, 40))
def test_every_sample_is_in_a_clip_and_every_clip_is_in_the_sound(samples: int, clip: int) -> None:
    starts = starts_in(samples, clip)
    covered = {place for start in starts for place in range(start, min(start + clip, samples))}
    assert covered == set(range(samples))
    assert all(start + clip <= max(samples, clip) for start in starts)


def test_clips_are_the_mels_of_the_files_parts_and_are_kept(tmp_path: Path) -> None:
    wave = torch.from_numpy(play(Phrase(), 2.0).wave)
    save(tmp_path / "a.wav", wave, 22_050)
    items = read_captioned(tmp_path, kind=SOUNDS).items
    clips = finish(clips_of(items, SETTINGS, FRAMES))
    size = FRAMES * SETTINGS.hop
    for mel, start in zip(to_batch(np.array(clips.mels)), starts_in(wave.shape[-1], size), strict=True):
        true = to_unit(to_mel(wave[None, :, start : start + size], SETTINGS), SETTINGS)[0]
        assert (mel - true).abs().max() < 2e-2  # 24 bits in the file, 16 in the array: seen near the floor
    again = clips_of(items, SETTINGS, FRAMES)
    assert list(again) == []


def test_nothing_but_silence_is_an_error(tmp_path: Path) -> None:
    save(tmp_path / "a.wav", torch.zeros(1, 9000), 22_050)
    with pytest.raises(MediaError, match=r"All 1 files in .* are silent: choose another folder"):
        finish(sound_folder_data(tmp_path, 1, FRAMES, SETTINGS))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "readme.md").write_text("nothing")
    with pytest.raises(MediaError, match="has no usable sound: put WAV"):
        read_captioned(tmp_path / "b", kind=SOUNDS)


def test_a_model_of_a_folder_of_sounds_generates(folder: Path) -> None:
    states = list(
        train(Train(folder, name="mine", medium="sound", new="tiny", steps=1, batch=1, hold_out=1, prompts=("a gong",)))
    )
    assert any(note.startswith("12 sounds") for state in states for note in state.notes)
    made = finish(generate(Generate("happy piano", model="mine", steps=2, duration=1.0), open_model("mine")))
    assert torch.stack(made.items).shape == (1, 1, 22_050)
    assert made.notes == ()


def test_a_new_model_of_mels_without_words_is_made_for_a_folder(folder: Path, tmp_path: Path) -> None:
    request = Train(folder, name="mels", medium="sound", new="tiny", stage="pixel", hold_out=1)
    model, data = finish(open_or_make(request, tmp_path / "start"))
    assert (model.family, model.size, model.relative) == ("mel-unet", (128, 256), False)
    assert data.extent == model.size
    x0 = model.encode(to_batch(np.array(data.items[:2])))
    assert model.forward(x0, torch.tensor([1.0, 2.0]), model.condition(["", ""])).shape == x0.shape


def test_a_model_that_knows_no_level_learns_clips_as_loud_as_can_be(
    folder: Path, checkpoint: Callable[[str], Path]
) -> None:
    start = str(checkpoint("audio-diffusion"))
    list(train(Train(folder, name="further", start=start, steps=1, batch=1, hold_out=1)))
    assert open_model("further").relative
    items = read_captioned(folder, kind=SOUNDS).items
    settings = open_model(start).mel
    assert settings
    clips = finish(clips_of(items, settings, 64, relative=True))
    theirs = open_model(start).encode(to_batch(np.array(clips.mels)))
    assert theirs.amax((1, 2, 3)).tolist() == pytest.approx([1.0] * len(theirs), abs=0.01)
    with pytest.raises(
        ValueError, match="was not trained with sound levels, which the bandstand varies: train it on a folder"
    ):
        list(train(Train(name="other", world="bandstand", start=start, steps=1)))
