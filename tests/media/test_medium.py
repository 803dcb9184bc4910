"""Media: what a file becomes for a model and how results go back, also for a model that codes stereo waves."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from regrow.media.audio.medium import MEDIUM as SOUND
from regrow.media.audio.sound import load, save
from regrow.media.files import MediaError
from regrow.media.image.medium import MEDIUM as PICTURE
from regrow.media.medium import Medium, media, medium_named, medium_of
from regrow.models.codecs.wave import WaveFrames

CELL, RATE = 64, 8000


class WaveModel:
    """A model whose latents `b c t` are cells of a wave; nothing is lost in them."""

    name, size, multiple, factor = "waves", (1, 40 * CELL), CELL, CELL
    medium, sound, usual_length = SOUND, WaveFrames(RATE, 2), 40 * CELL

    def encode(self, frames: Tensor) -> Tensor:
        return frames.unfold(-1, CELL, CELL).movedim(-1, 2).flatten(1, 2)

    def decode(self, latents: Tensor) -> Tensor:
        return latents.unflatten(1, (2, CELL)).movedim(2, -1).flatten(2)

    def latent_shape(self, *places: int) -> tuple[int, ...]:
        return 2 * CELL, places[-1] // CELL


def request(**settings: object) -> SimpleNamespace:
    """What an operation asks for, with everything at rest."""
    return SimpleNamespace(**{"seconds": None, "duration": None, "loop": False, "image": "clip.wav", **settings})


def clip(path: Path, channels: int, rate: int = RATE) -> Path:
    noise = torch.randn(channels, round(0.33 * rate), generator=torch.Generator().manual_seed(channels)) / 8
    save(path, noise, rate)
    return path


def test_every_folder_with_a_medium_is_one_and_fills_in_all_of_it() -> None:
    assert set(media()) == {PICTURE, SOUND}
    operations = {name for name, value in vars(Medium).items() if callable(value) and not name.startswith("_")}
    operations.remove("require")  # which all share
    for medium in media():
        assert all(getattr(type(medium), name) is not getattr(Medium, name) for name in operations), medium
        assert medium.ending in medium.kind.suffixes
    assert [medium_named(name) for name in ("a.PNG", "a.ogg", "a.txt", None)] == [PICTURE, SOUND, None, None]
    assert medium_of("a.img") is PICTURE


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_codec_of_waves_gives_the_file_back_in_its_own_channels(tmp_path: Path, channels: int) -> None:
    model, file = WaveModel(), clip(tmp_path / "clip.wav", channels)
    frame = SOUND.load(file, model, request())
    assert frame.content.shape == (2, frame.wave.shape[-1] + -frame.wave.shape[-1] % CELL)
    assert ("are mixed to one." in " ".join(frame.notes)) == (channels == 6)
    decoded = model.decode(model.encode(frame.content[None]))
    (item,), _, rate = SOUND.restore(frame, decoded, model, request(), None)
    there = load(file).wave
    assert (rate, item.shape) == (RATE, there.shape)
    if channels < 6:
        torch.testing.assert_close(item, there)
    torch.testing.assert_close(item.square().mean(-1), there.square().mean(-1))  # each as loud as it was


def test_a_file_of_another_rate_comes_back_in_it(tmp_path: Path) -> None:
    model, file = WaveModel(), clip(tmp_path / "clip.wav", 2, 22_050)
    frame = SOUND.load(file, model, request())
    (item,), _, rate = SOUND.restore(frame, frame.content[None], model, request(), None)
    assert (rate, item.shape) == (22_050, load(file).wave.shape)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_outside_a_span_every_sample_and_every_channel_stays(tmp_path: Path, channels: int) -> None:
    model, file = WaveModel(), clip(tmp_path / "clip.wav", channels)
    asked = request(spans=((0.1, 0.2),), image=file)
    frame = SOUND.load(file, model, asked)
    latents = model.encode(frame.content[None])
    region = SOUND.region(asked, frame, model, latents)
    assert region is not None
    assert region.latents.shape == (1, 1, latents.shape[-1])
    assert region.latents.flatten().nonzero().flatten().tolist() == list(range(12, 25))
    (item,), _, _ = SOUND.restore(frame, 0.5 * frame.content[None], model, asked, region)
    there = load(file).wave
    changed = (item != there).any(0).nonzero().flatten()
    assert item.shape == there.shape
    assert 800 <= int(changed.min()) < int(changed.max()) < 1600
    with pytest.raises(ValueError, match=r"ends at 0\.33 s"):
        SOUND.region(request(spans=((0.4, 0.5),)), frame, model, latents)


def test_new_sounds_have_the_length_that_is_asked_for_and_loops_whole_cells() -> None:
    model = WaveModel()
    plain, loop = SOUND.extent(request(duration=0.3), model), SOUND.extent(request(duration=0.3, loop=True), model)
    assert (plain.samples, plain.shape) == (2400, (2 * CELL, 38))
    assert (loop.samples, loop.shape) == (38 * CELL, (2 * CELL, 38))
    assert SOUND.extent(request(), model).samples == 40 * CELL
    latents = torch.randn(1, *loop.shape, generator=torch.Generator().manual_seed(0)) / 8
    (wave,) = SOUND.render(latents, model.decode(latents), model, loop)
    torch.testing.assert_close(wave, model.decode(latents)[0])  # a codec that loses nothing has no seam
    (wave,) = SOUND.render(latents, model.decode(latents), model, plain)
    assert wave.shape == (2, 2400)


def test_two_sounds_are_as_long_as_the_longer_one(tmp_path: Path) -> None:
    model = WaveModel()
    save(tmp_path / "short.wav", torch.full((2, 100), 0.1), RATE)
    first, second = (
        SOUND.load(path, model, request()) for path in (clip(tmp_path / "a.wav", 2), tmp_path / "short.wav")
    )
    both = SOUND.pair(first, second, (0.0, 1.0))
    assert both.content.shape == (2, *first.content.shape)
    assert both.extent.samples == first.wave.shape[-1]
    assert both.notes[-1] == "The shorter sound was extended with silence."
    assert SOUND.distance(both.content[0], both.content[0], model) == {"mel": 0.0}
    assert float(SOUND.distance(both.content[0], both.content[1], model)["mel"] or 0) > 1
    assert SOUND.pictures(both.content, model).shape[:2] == (2, 3)
    assert SOUND.preview(load(tmp_path / "short.wav").wave, RATE, model).shape[0] == 3


def test_silence_and_the_other_medium_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "silent.wav", torch.zeros(2, 1000), RATE)
    with pytest.raises(MediaError, match="is silent"):
        SOUND.load(tmp_path / "silent.wav", WaveModel(), request())
    with pytest.raises(ValueError, match="waves is a model of sounds: use a model of pictures, such as --model"):
        PICTURE.check(None, WaveModel())
    with pytest.raises(ValueError, match="region and mask are for pictures"):
        SOUND.check(SimpleNamespace(mask=None, region="0,0,1,1"), WaveModel())
