"""Riffusion's scale against its published definition, the way back, and how a folder is known to be riffusion's."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import codec_kl, edit_json, unet
from torch import Tensor

from regrow.hub.publish import write_publishable
from regrow.hub.pulling import pull
from regrow.media.audio.mel import MelSettings, spectrum
from regrow.media.audio.sound import load, resample, to_mono
from regrow.models.codecs.codec import Identity
from regrow.models.codecs.riffusion import RATE, TRANSFORM, RiffusionFrames, RiffusionPictures, amplitudes
from regrow.models.errors import ModelError
from regrow.models.open import list_models, open_model, user_models
from regrow.models.sidecars.mel_file import write_mel

Checkpoint = Callable[[str], Path]
PIANO = Path(__file__).parents[2] / "examples" / "piano.flac"
FRAMES = RiffusionFrames(512)
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def piano() -> Tensor:
    sound = load(PIANO)
    return resample(to_mono(sound.wave), sound.rate, RATE)[:, : 3 * RATE]


def published(wave: Tensor, bands: int) -> Tensor:
    """riffusion's picture of a mono wave in [0, 1], from its settings: a centred transform, triangle by triangle."""
    transform = torch.stft(
        wave, 17_640, 441, 4410, torch.hann_window(4410), center=True, pad_mode="reflect", return_complex=True
    ).abs()[0]
    hertz = torch.arange(8821, dtype=torch.float64) * 2.5
    top = 2595 * math.log10(1 + 10_000 / 700)
    points = [700 * (10 ** (top * i / (bands + 1) / 2595) - 1) for i in range(bands + 2)]
    rows = []
    for low, middle, high in zip(points, points[1:], points[2:], strict=False):
        rows.append(torch.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)).clamp_min(0))
    sums = torch.stack(rows).float() @ transform
    return (1 - (sums / sums.max()) ** 0.25).flip(0)


def test_the_picture_is_the_published_one(piano: Tensor) -> None:
    codec = RiffusionPictures(Identity(3))
    ours = codec.encode(FRAMES.to_frames(piano[None], FRAMES.level_of(piano)))[0]
    assert torch.equal(ours[0], ours[1])
    assert torch.equal(ours[0], ours[2])
    # a frame of ours is centred in its hop, one of theirs on its first sample
    theirs = published(piano[:, 221:], 512) * 2 - 1
    inner = slice(12, -12)  # theirs are mirrored at the ends
    worst = (ours[0, :, : theirs.shape[1]][:, inner] - theirs[:, : ours.shape[2]][:, inner]).abs().max()
    assert worst < 2 / 255 / 4


def test_silence_is_white_and_the_lowest_band_is_at_the_bottom() -> None:
    codec = RiffusionPictures(Identity(3))
    tone = torch.sin(torch.arange(RATE) * 2 * math.pi * 110 / RATE)[None] / 2
    picture = codec.encode(FRAMES.to_frames(tone[None], FRAMES.level_of(tone)))[0]
    band = 2595 * math.log10(1 + 110 / 700) / (2595 * math.log10(1 + 10_000 / 700)) * 513 - 1
    assert abs(int(picture[0, :, 50].argmin()) - (511 - band)) < 1
    assert picture.min() == -1
    assert (codec.encode(FRAMES.to_frames(torch.zeros(1, 1, 4410))) == 1).all()
    frames = torch.rand(2, 1, 16, 32) * 2 - 1
    assert torch.equal(codec.decode(codec.encode(frames)), frames)


@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_the_way_back_keeps_magnitudes_and_level(piano: Tensor, gain: float) -> None:
    wave = piano * gain
    level = FRAMES.level_of(wave)
    back = FRAMES.to_waves(FRAMES.to_frames(wave[None], level), wave.shape[-1], level)
    assert abs(20 * math.log10(float(back.norm() / wave.norm()))) < 0.1
    before, after = amplitudes(wave[None], 512) / gain, amplitudes(back, 512) / gain
    audible = before > before.max() * 1e-3
    assert (20 * (after / before)[audible].log10()).abs().mean() < 1.0
    x, y = (spectrum(one, TRANSFORM).abs()[:, :1001] for one in (wave, back[0]))
    assert 20 * ((y - x).norm() / x.norm()).log10() < -20


def test_a_wave_without_a_level_gets_a_peak_and_silence_is_silent(piano: Tensor) -> None:
    frames = FRAMES.to_frames(piano[None, :, :RATE] / 100, FRAMES.level_of(piano / 100))
    assert FRAMES.to_waves(frames, RATE).abs().max() == pytest.approx(0.9)
    nothing = torch.full((1, 1, 512, 10), -1.0)
    assert FRAMES.is_silent(nothing)
    assert not FRAMES.to_waves(nothing, 4410).any()
    assert not FRAMES.is_silent(frames)
    assert FRAMES.level_of(torch.full((1, 4410), 1e-7)) == 1
    assert FRAMES.is_silent(FRAMES.to_frames(torch.full((1, 1, 4410), 1e-7)))


@pytest.fixture
def bare(checkpoint: Checkpoint, tmp_path: Path) -> Callable[[str], Path]:
    """From a name to a folder as it is published, with no `family.json`."""

    def folder(name: str) -> Path:
        shutil.copytree(checkpoint("riffusion"), tmp_path / name)
        (tmp_path / name / "family.json").unlink()
        return tmp_path / name

    return folder


def test_it_is_known_by_its_name_its_file_or_the_option(bare: Callable[[str], Path]) -> None:
    assert open_model(bare("Riffusion-model-v1")).family == "riffusion"
    assert open_model(bare("riffusion/v1")).family == "stable-diffusion"  # the folder above is not its name
    snapshot = bare("models--riffusion--riffusion-model-v1/snapshots/8f6f")
    assert open_model(snapshot).family == "riffusion"
    other = bare("other")
    assert open_model(other).medium.name == "picture"
    forced, spelled = open_model(other, as_family="riffusion"), open_model(f"riffusion:{other}")
    assert (forced.family, spelled.family, forced.medium.name) == ("riffusion", "riffusion", "sound")
    assert forced.name == spelled.name == f"riffusion:{other}"
    named = bare("not-riffusion")
    assert open_model(named, as_family="stable-diffusion").medium.name == "picture"
    (other / "family.json").write_text('{"family": "riffusion"}')
    assert open_model(other).size == (16, 32)


def test_a_mel_model_whose_name_holds_riffusion_stays_what_it_is(bare: Callable[[str], Path]) -> None:
    folder = bare("riffusion-of-mine")
    write_mel(folder, MelSettings(bands=16))
    codec = codec_kl()
    type(codec)(**{**codec.config, "in_channels": 1, "out_channels": 1}).save_pretrained(folder / "vae")
    assert open_model(folder).mel == MelSettings(bands=16)
    with pytest.raises(
        ModelError,
        match=r"opened as riffusion, but holds a mel\.json of another scale of spectrograms: open it with --as stable-",
    ):
        open_model(folder, as_family="riffusion")


BROKEN = {
    "no such family": (
        lambda folder: (folder / "family.json").write_text('{"family": "tango"}'),
        r"family\.json names an unknown family 'tango': use one of .*, riffusion, ",
    ),
    "no family": (
        lambda folder: (folder / "family.json").write_text("{}"),
        r'family\.json must hold the name of a "family"; got None\.$',
    ),
    "no JSON": (lambda folder: (folder / "family.json").write_text("riffusion"), r"family\.json is not valid JSON"),
    "too many bands": (
        lambda folder: edit_json(folder / "unet" / "config.json", sample_size=[1024, 16]),
        r"makes pictures too high for riffusion: \d+ of 2048 bands up to 10000 Hz hold no frequency",
    ),
    "a network of the bare kind": (
        lambda folder: edit_json(folder / "model_index.json", unet=["diffusers", "UNet2DModel"]),
        "The unet in .* is a UNet2DModel: regrow supports UNet2DConditionModel",
    ),
    "no text encoder": (lambda folder: shutil.rmtree(folder / "text_encoder"), "text_encoder/config.json is missing"),
    "inpainting": (
        lambda folder: unet(sample_size=(8, 16), in_channels=9).save_pretrained(folder / "unet"),
        "takes 9 channels and returns 4, but its codec makes 4",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_one_sentence(checkpoint: Checkpoint, tmp_path: Path, name: str) -> None:
    shutil.copytree(checkpoint("riffusion"), tmp_path / "broken")
    change, words = BROKEN[name]
    change(tmp_path / "broken")
    with pytest.raises(ModelError, match=words) as caught:
        open_model(tmp_path / "broken")
    assert "\n" not in str(caught.value)


def test_families_and_files_that_are_none_are_one_sentence(bare: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"--as names an unknown family 'tango': use one of .*"):
        open_model(bare("other"), as_family="tango")
    single = tmp_path / "riffusion-model-v1.ckpt"
    single.write_bytes(b"weights")
    with pytest.raises(ModelError, match="is a pickle"):
        open_model(single)
    with pytest.raises(ModelError, match="is a pickle"):
        open_model(single, as_family="riffusion")


def test_pull_and_push_keep_what_it_is(bare: Callable[[str], Path], tmp_path: Path) -> None:
    folder = pull(str(bare("riffusion-model-v1")), "tunes")
    assert json.loads((folder / "family.json").read_text()) == {"family": "riffusion"}
    assert open_model("tunes").family == "riffusion"
    assert (pull(f"riffusion:{bare('other')}") / "family.json").exists()
    assert pull(str(bare("more")), as_family="riffusion") == user_models() / "more"
    listed = {listed.name: (listed.family, listed.medium.name) for listed in list_models()}
    assert {listed[name] for name in ("tunes", "other", "more")} == {("riffusion", "sound")}
    assert open_model("tunes").content_hash == open_model(tmp_path / "riffusion-model-v1").content_hash
    pushed = write_publishable(open_model(tmp_path / "riffusion-model-v1"), "jane/tunes", tmp_path / "pushed")
    assert open_model(pushed).family == "riffusion"
    with pytest.raises(ModelError, match="names an unknown family 'tango'"):
        pull(str(tmp_path / "other"), "fails", as_family="tango")
    assert not (user_models() / "fails").exists()
    plain = pull(str(tmp_path / "other"), "pictures", as_family="stable-diffusion")
    assert not (plain / "family.json").exists()
