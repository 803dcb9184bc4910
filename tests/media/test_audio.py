"""Sound files of every format, as other programs write them, and broken on purpose."""

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regrow.media.audio.sound import check_savable, load, read_recipe, resample, save, to_mono, wave_hash
from regrow.media.files import MediaError

RECIPE = {"words": "慢速钢琴 – a slow piano", "much": ["x" * 100] * 200}
"""Larger than what libsndfile keeps in a WAV by itself."""
OF_A_FILE = {"input": {"file": "x"}, "settings": {"normalize": "on"}}


def sine(seconds: float = 0.5, rate: int = 22_050, hertz: float = 440.0, channels: int = 1) -> torch.Tensor:
    t = torch.arange(round(seconds * rate)) / rate
    return 0.5 * torch.sin(2 * np.pi * hertz * t).expand(channels, -1).contiguous()


FORMATS = [
    ("wav", "PCM_U8", 2e-2),
    ("wav", "PCM_16", 1e-4),
    ("wav", "PCM_24", 1e-6),
    ("wav", "FLOAT", 1e-7),
    ("wav", "DOUBLE", 1e-7),
    ("flac", "PCM_16", 1e-4),
    ("aiff", "PCM_16", 1e-4),
    ("au", "PCM_16", 1e-4),
    ("w64", "PCM_16", 1e-4),
    ("ogg", "VORBIS", 0.1),
    ("ogg", "OPUS", 0.2),
    ("mp3", "MPEG_LAYER_III", 0.2),
]


@pytest.mark.parametrize(("kind", "samples", "error"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_is_read(tmp_path: Path, kind: str, samples: str, error: float, channels: int) -> None:
    rate = 48_000 if samples == "OPUS" else 44_100
    path = tmp_path / f"sound.{kind}"
    wave = sine(rate=rate, channels=channels)
    soundfile.write(path, wave.T.numpy(), rate, samples)
    sound = load(path)
    assert (sound.rate, len(sound.wave), sound.notes) == (rate, channels, ())
    middle = slice(rate // 8, rate // 4)
    if kind == "mp3":  # its encoder begins with silence of its own
        assert abs(float(sound.wave[:, middle].square().mean().sqrt()) - 0.5 / 2**0.5) < 0.01
    else:
        assert sound.wave.shape == wave.shape
        assert (sound.wave - wave)[:, middle].abs().max() < error


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_the_recipe_travels_in_the_file_which_others_still_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"sound{suffix}"
    wave = sine(0.3001, channels=2)
    assert save(path, wave, 22_050, RECIPE) == ()
    assert read_recipe(path) == RECIPE
    theirs, rate = soundfile.read(path, always_2d=True)
    assert (theirs.shape, rate) == (tuple(wave.T.shape), 22_050)
    if suffix != ".ogg":
        assert np.abs(theirs - wave.T.numpy()).max() < 2**-23
    save(path, wave, 22_050)
    assert read_recipe(path) is None


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_a_file_name_that_is_no_utf_8_stays_in_the_recipe(tmp_path: Path, suffix: str) -> None:
    recipe = {**RECIPE, "image": "/x/\udcff 猫.wav"}
    save(tmp_path / f"sound{suffix}", sine(), 22_050, recipe)
    assert read_recipe(tmp_path / f"sound{suffix}") == recipe


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_what_a_program_wrote_to_a_pipe_is_whole(tmp_path: Path, size: int) -> None:
    """It could not know the length, and left the largest there is in the header."""
    path = tmp_path / "piped.wav"
    soundfile.write(path, sine()[0].numpy(), 22_050, "PCM_16")
    data, place = path.read_bytes(), path.read_bytes().index(b"data") + 4
    path.write_bytes(data[:4] + struct.pack("<I", size) + data[8:place] + struct.pack("<I", size) + data[place + 4 :])
    assert load(path).wave.shape == sine().shape
    path, whole = tmp_path / "piped.flac", tmp_path / "whole.flac"
    save(whole, sine(), 22_050)
    data = bytearray(whole.read_bytes())
    data[21] &= 0xF0  # the samples in all: 36 bits, 0 if they are not known
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert torch.equal(load(path).wave, load(whole).wave)


def test_a_comment_of_somebody_else_is_no_recipe(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_16") as file:
        file.comment = json.dumps({"words": "mine"})
        file.write(np.zeros(800, np.float32))
    assert read_recipe(tmp_path / "a.wav") is None


def test_a_damaged_recipe_is_said(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 8000, 1, "PCM_16") as file:
        file.comment = 'regrow {"words": '
        file.write(np.zeros(800, np.float32))
    with pytest.raises(MediaError, match="damaged recipe"):
        read_recipe(tmp_path / "a.flac")


def test_what_is_beyond_full_scale_is_said_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, 4 * sine()[0].numpy(), 22_050, "FLOAT")
    sound = load(path)
    assert sound.notes == ("loud.wav exceeds full scale by 6.0 dB.",)
    assert torch.equal(sound.wave, 4 * sine())
    (said,) = save(tmp_path / "loud.flac", 4 * sine(), 22_050)
    assert "samples beyond full scale were clipped; save as .wav to keep them" in said
    assert save(path, sound.wave, 22_050, RECIPE) == ()
    assert torch.equal(load(path).wave, sound.wave)
    assert wave_hash(sound.wave) != wave_hash(1.001 * sound.wave)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_samples_of_24_bits_are_saved_as_they_are(tmp_path: Path, suffix: str) -> None:
    steps = torch.tensor([[-(2**23), -(2**23) + 1, -(2**22) - 1, -1, 0, 1, 2**22 + 1, 2**23 - 1]])
    wave = steps.repeat(1, 20) / 2**23
    save(tmp_path / f"a{suffix}", wave, 1000, OF_A_FILE)
    assert torch.equal(load(tmp_path / f"a{suffix}").wave, wave)


def test_a_result_from_a_file_holds_floats_exactly_and_no_time(tmp_path: Path) -> None:
    wave = torch.rand(2, 9000, generator=torch.Generator().manual_seed(0)) * 1e-5
    save(tmp_path / "a.wav", wave, 22_050, OF_A_FILE)
    assert torch.equal(load(tmp_path / "a.wav").wave, wave)
    assert read_recipe(tmp_path / "a.wav") == OF_A_FILE
    data = (tmp_path / "a.wav").read_bytes()
    assert data[data.index(b"PEAK") + 12 :][:4] == bytes(4)


def test_an_mp3_whose_length_is_a_guess_is_read(tmp_path: Path) -> None:
    """Without its encoder's tag the length follows from the bit rate of the first frame, which need not be kept."""
    path = tmp_path / "plain.mp3"
    wave = torch.cat([torch.zeros(1, 40_000), sine(2.0)], -1)
    soundfile.write(path, wave.T.numpy(), 22_050, "MPEG_LAYER_III", bitrate_mode="VARIABLE")
    data = path.read_bytes()
    size = 4 + data[4:2000].find(data[:2])  # the first frame holds the tag
    path.write_bytes(data[size:])
    assert load(path).wave.shape[-1] > 20_000


def broken(folder: Path) -> dict[str, tuple[Path, str]]:
    good = folder / "good.wav"
    save(good, sine(), 22_050)
    cases = {
        "missing": (folder / "none.wav", "There is no file"),
        "folder": (folder, "is a folder"),
    }
    contents = {
        "text.wav": (b"this is no sound at all", "is not a readable sound"),
        "empty.wav": (b"", "is empty"),
        "header.wav": (good.read_bytes()[:44], "is incomplete, its end is missing|holds 0 samples"),
        "cut.wav": (good.read_bytes()[:5000], "is incomplete, its end is missing"),
    }
    for name, (data, message) in contents.items():
        (folder / name).write_bytes(data)
        cases[name] = (folder / name, message)
    waves = {
        "one.wav": (np.zeros(1), "holds 1 sample at 8000 Hz"),
        "nothing.wav": (np.zeros(0), "holds 0 samples"),
        "nan.wav": (np.full(800, np.nan), "NaN or infinite"),
        "infinite.wav": (np.full(800, np.inf), "NaN or infinite"),
    }
    for name, (values, message) in waves.items():
        soundfile.write(folder / name, values, 8000, "FLOAT")
        cases[name] = (folder / name, message)
    for name in ("cut.flac", "cut.ogg"):
        path = folder / name
        save(path, torch.rand(1, 30_000) - 0.5, 22_050)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        cases[name] = (path, "is incomplete, its end is missing|is damaged|is not a readable sound")
    return cases


def test_what_cannot_be_used_is_said_in_one_sentence_that_names_the_file(tmp_path: Path) -> None:
    for name, (path, message) in broken(tmp_path).items():
        try:
            load(path)
            raise AssertionError(f"{name} was read")
        except MediaError as problem:
            said = str(problem)
        assert re.search(message, said), name
        assert str(path) in said, name
        assert "\n" not in said


def test_a_sound_of_hours_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.wav", sine(), 22_050)
    monkeypatch.setattr("regrow.media.audio.decode.MOST_VALUES", 1000)
    with pytest.raises(MediaError, match="channels, too much to read at once"):
        load(tmp_path / "a.wav")


def test_what_cannot_be_saved_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    save(path, sine(), 22_050)
    before = path.read_bytes()
    with pytest.raises(MediaError, match="NaN"):
        save(path, sine() * torch.nan, 22_050)
    with pytest.raises(MediaError, match="is not one of a sound format"):
        check_savable(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match=r"cannot be written, as the folder .* does not exist"):
        save(tmp_path / "no" / "a.wav", sine(), 22_050)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


rates = st.sampled_from([8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])


@settings(max_examples=30, deadline=None)
@given(rates, rates, st.integers(400, 4000), st.integers(1, 2))
def test_the_length_law_of_resampling(rate: int, to: int, samples: int, channels: int) -> None:
    wave = torch.zeros(channels, samples)
    assert resample(wave, rate, to).shape == (channels, round(samples * to / rate))


def test_resampling_keeps_a_tone_and_there_and_back_is_the_same() -> None:
    wave = sine(1.0, 22_050, 1000.0)
    there = resample(wave, 22_050, 48_000)
    assert (there - sine(1.0, 48_000, 1000.0))[:, 2000:-2000].abs().max() < 1e-3
    assert (resample(there, 48_000, 22_050) - wave)[:, 1000:-1000].abs().max() < 1e-3
    assert resample(wave, 22_050, 22_050) is wave


def test_channels_are_mixed_by_their_mean() -> None:
    assert torch.equal(to_mono(torch.tensor([[1.0, 0.0], [0.0, 0.5]])), torch.tensor([[0.5, 0.25]]))
