"""Sound files whose header or samples are not what they should be: read right, or one sentence that names the file."""

import itertools
import re
import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from regrow.core.progress import finish
from regrow.editing.inspect import facts_of
from regrow.media.audio import decode
from regrow.media.audio.mel import MelSettings
from regrow.media.audio.sound import load, to_mono, within_full_scale
from regrow.media.files import MediaError
from regrow.training.training_data import sound_folder_data

RATE = 22_050
WAVE = (0.3 * np.sin(np.arange(RATE) / 10) + 0.1 * np.sin(np.arange(RATE) / 3)).astype(np.float32)


def encoded(kind: str = "WAV", samples: str | None = None, wave: np.ndarray = WAVE, rate: int = RATE) -> bytes:
    data = BytesIO()
    soundfile.write(data, wave, rate, samples, format=kind)
    return data.getvalue()


def said(path: Path) -> str:
    """Return the sentence with which a file is refused."""
    with pytest.raises(MediaError) as refused:
        load(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def all_formats() -> list[tuple[str, str]]:
    """Return every format and coding that libsndfile writes and reads again, but for headerless ones."""
    unreadable = {("AIFF", "DWVW_16"), ("AIFF", "DWVW_24")}
    kinds = [kind for kind in soundfile.available_formats() if kind not in ("RAW", "SD2")]
    pairs = itertools.chain(*([(kind, samples) for samples in soundfile.available_subtypes(kind)] for kind in kinds))
    return [pair for pair in pairs if soundfile.check_format(*pair) and pair not in unreadable]


@pytest.mark.parametrize(("kind", "samples"), all_formats())
def test_every_coding_is_read_also_what_cannot_seek(tmp_path: Path, kind: str, samples: str) -> None:
    rate = 8000 if samples == "OPUS" or "ADPCM" in samples or samples.startswith(("G7", "GSM")) else RATE
    try:
        (tmp_path / "a.mp3").write_bytes(encoded(kind, samples, WAVE[:8000], rate))
    except (soundfile.LibsndfileError, RuntimeError):
        pytest.skip("libsndfile does not write it at this rate")
    sound = load(tmp_path / "a.mp3")
    there = sound.wave[0].square().mean().sqrt() / np.sqrt(np.square(WAVE[:8000]).mean())
    assert sound.rate == rate or kind in ("HTK", "VOC", "WVE", "XI")  # which store it coarsely, or not
    assert 8000 <= sound.wave.shape[-1] < 8800
    assert 0.7 < float(there) < 1.4


@pytest.mark.parametrize("size", [0, 4, 3000, 0xFFFFFFFF, 0xFFFFFFF0])
@pytest.mark.parametrize("listed", [False, True])
def test_a_wav_that_was_never_finished_is_read_to_its_end(tmp_path: Path, size: int, listed: bool) -> None:
    whole = encoded("WAVEX" if listed else "WAV", "PCM_16")
    place = whole.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(
        whole[:4] + bytes(4) + whole[8:place] + struct.pack("<I", size) + whole[place + 4 :]
    )
    (tmp_path / "whole.wav").write_bytes(whole)
    assert torch.equal(load(tmp_path / "a.wav").wave, load(tmp_path / "whole.wav").wave)
    assert facts_of(tmp_path / "a.wav")["seconds"] == 1.0


def test_a_chunk_behind_the_samples_is_none_of_them(tmp_path: Path) -> None:
    whole = encoded("WAV", "PCM_16")
    (tmp_path / "a.wav").write_bytes(whole + b"LIST" + struct.pack("<I", 12) + b"INFOICMT" + bytes(4))
    assert load(tmp_path / "a.wav").wave.shape[-1] == RATE
    header = encoded("WAV", "PCM_16", WAVE[:0])
    (tmp_path / "b.wav").write_bytes(header + b"LIST" + struct.pack("<I", 8000) + b"INFO" + bytes(7996))
    assert "has 7 kB, but its header says it has no samples" in said(tmp_path / "b.wav")


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "W64", "RF64", "FLAC", "OGG", "AIFF", "AU", "CAF"])
def test_half_a_file_is_said_to_be_cut(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, RATE)
    whole = encoded(kind, wave=noise)
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) * 7 // 10])
    assert re.search("is incomplete, its end is missing|is damaged|is not a readable sound", said(tmp_path / "a.wav"))


def test_of_half_an_mp3_what_is_there_is_read_and_the_rest_said_to_miss(tmp_path: Path) -> None:
    whole = encoded("MP3")
    (tmp_path / "a.mp3").write_bytes(whole[: len(whole) // 2])
    sound = load(tmp_path / "a.mp3")
    assert 0.3 * RATE < sound.wave.shape[-1] < 0.7 * RATE
    assert re.match(r"The end of a\.mp3 may be missing: 0\.\d s of 1\.0 s are there\.", sound.notes[0])


@pytest.mark.parametrize(
    ("rate", "samples", "sentence"),
    [
        (
            1,
            90_000,
            r"lasts 25 hours according to its header \(1 sample a second\); the limit is 600 s: cut a part out",
        ),
        (
            1,
            400,
            "has 1 samples a second according to its header; the least is 1000: write it again with its true rate",
        ),
        (8000, 8000 * 601, "lasts 601 s; the limit is 600 s: cut a part out"),
        (2**31 - 1, RATE, "Hz, less than 0.01 s: give a longer sound"),
    ],
)
def test_limits_are_read_from_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int, samples: int, sentence: str
) -> None:
    (tmp_path / "a.wav").write_bytes(encoded("WAV", "PCM_U8", np.zeros(samples, np.float32), rate))
    if samples > RATE:
        monkeypatch.setattr(decode.Reader, "read", None)  # nothing may be decoded
    assert re.search(sentence, said(tmp_path / "a.wav"))


def test_a_rate_of_4_mhz_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(encoded("WAV", rate=1_000_000))
    assert load(tmp_path / "a.wav").rate == 1_000_000


def test_a_header_that_does_not_say_how_long_is_held_to_the_limit_while_it_is_read(tmp_path: Path) -> None:
    data = bytearray(encoded("FLAC"))
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(data)
    assert load(tmp_path / "a.flac").wave.shape[-1] == RATE
    with pytest.raises(MediaError, match=r"a\.flac lasts 1 s; the limit is 0\.5 s: cut a part out"):
        load(tmp_path / "a.flac", most_seconds=0.5)


@pytest.mark.parametrize("value", [1e29, -1e12, np.nan, -np.inf, 1e3])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_broken_sample_is_named_with_its_place(tmp_path: Path, value: float, channels: int) -> None:
    wave = np.stack([WAVE] * channels, 1)
    wave[11_025, -1] = value
    (tmp_path / "spike.wav").write_bytes(encoded("WAV", "FLOAT", wave))
    sentence = said(tmp_path / "spike.wav")
    assert re.search(
        r"holds a sample that is (far beyond full scale|NaN or infinite) \(sample 11025, at 0\.50 s, is", sentence
    )


def test_what_is_only_loud_is_not_broken(tmp_path: Path) -> None:
    for scale in (5.0, 32_768.0):  # the second as written by those who forget to divide
        (tmp_path / "hot.wav").write_bytes(encoded("WAV", "FLOAT", scale * WAVE))
        sound = load(tmp_path / "hot.wav")
        assert torch.equal(sound.wave[0], torch.from_numpy(scale * WAVE))
        assert within_full_scale(sound.wave).abs().max() == 1
    click = torch.from_numpy(WAVE)[None].clone()
    click[0, 9] = 5
    torch.testing.assert_close(within_full_scale(click)[:, 10:], click[:, 10:])


def test_channels_that_cancel_are_heard_by_the_loudest(tmp_path: Path) -> None:
    wave = torch.from_numpy(WAVE)
    assert torch.equal(to_mono(torch.stack([wave, -wave])), wave[None])
    assert torch.equal(to_mono(torch.stack([0.5 * wave, -0.55 * wave])), -0.55 * wave[None])
    assert torch.equal(to_mono(torch.stack([wave, wave.flip(-1)])), torch.stack([wave, wave.flip(-1)]).mean(0)[None])
    six = torch.zeros(6, RATE)
    six[4] = wave
    torch.testing.assert_close(to_mono(six), wave[None] / 6)


def test_a_training_skips_what_cannot_be_used_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path / "home"))
    (folder := tmp_path / "mine").mkdir()
    spike = WAVE.copy()
    spike[7] = 1e29
    files = {
        "good.flac": encoded("FLAC"), "phone.wav": encoded("WAV", "GSM610", rate=8000), "spike.wav":
        encoded("WAV", "FLOAT", spike), "slow.wav": encoded("WAV", "PCM_U8", np.zeros(90_000), 1),
        "cancel.wav": encoded("WAV", "PCM_16", np.stack([WAVE, -WAVE], 1)),
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).write_bytes(data)
    notes = "\n".join(finish(sound_folder_data(folder, 1, 64, MelSettings())).notes)
    assert notes.startswith("3 sounds, no captions")
    assert "skipped spike.wav: spike.wav holds a sample that is far beyond full scale (sample 7," in notes
    assert "skipped slow.wav: slow.wav lasts 25 hours according to its header" in notes
    assert "silent" not in notes


def test_a_header_that_points_before_the_file_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sound.aiff"
    soundfile.write(path, np.zeros((4000, 2)), 8000)
    whole = path.read_bytes()
    for place in range(12, 60):  # each size of a chunk below 0, among others
        path.write_bytes(whole[:place] + b"\xff\xff\xff\xf0" + whole[place + 4 :])
        with suppress(MediaError):
            load(path)
    assert capfd.readouterr().err == ""
