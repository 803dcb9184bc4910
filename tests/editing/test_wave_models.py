"""The verbs on a model that codes stereo waves, with latents of one place and no mel."""

from pathlib import Path

import pytest
import torch
from tiny.stable_audio import stable_audio

from regrow.core.progress import finish
from regrow.editing.edit import edit
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.inspect import inspect
from regrow.editing.interpolate import interpolate
from regrow.editing.replay import replay, request_from
from regrow.media.audio.sound import load, save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.edit import Edit
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate

RATE = 44_100


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("models") / "stable-audio"
    stable_audio(folder)
    return open_model(folder)


@pytest.fixture(autouse=True)
def at_home(home: None) -> None:
    """Nothing is kept from test to test."""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    save(path, torch.randn(2, RATE, generator=torch.Generator().manual_seed(0)) / 8, RATE)
    return path


def test_it_makes_stereo_of_the_duration_asked_for_and_loops(model: Model) -> None:
    request = Generate("a piano", model=str(model.folder), steps=2, duration=0.5)
    made = finish(generate(request, model))
    assert (made.items[0].shape, made.rate) == ((2, RATE // 2), RATE)
    assert finish(replay(made.recipes[0], request_from(made.recipes[0]), model)).identical
    loop = finish(generate(Generate("a piano", model=str(model.folder), steps=2, loop=True), model)).items[0]
    assert loop.shape[-1] % model.multiple == 0


@pytest.mark.parametrize("span", [None, "0.3:0.6"])
def test_an_edit_keeps_the_files_channels_and_what_is_outside_the_span(
    model: Model, clip: Path, span: str | None
) -> None:
    request = Edit(clip, ("a flute",), "a piano", model=str(model.folder), steps=2, span=span)
    edited, there = finish(edit(request, model)), load(clip).wave
    assert (edited.items[0].shape, edited.rate) == (there.shape, RATE)
    assert "notes" not in edited.recipes[0]["figures"]
    changed = (edited.items[0] != there).any(0).nonzero().flatten()
    if span:
        assert round(0.3 * RATE) <= int(changed.min()) < int(changed.max()) < round(0.6 * RATE)
    assert finish(replay(edited.recipes[0], request_from(edited.recipes[0], clip.parent), model)).identical


def test_it_goes_on_between_and_is_looked_into(model: Model, clip: Path, tmp_path: Path) -> None:
    longer = finish(extend(Extend(clip, "a piano", 0.25, 0.25, model=str(model.folder), steps=1), model))
    assert longer.items[0].shape == (2, RATE + 2 * round(0.25 * RATE))
    assert torch.equal(longer.items[0][:, slice(*longer.known)], load(clip).wave)
    save(tmp_path / "short.wav", load(clip).wave[:1, :9000], RATE)
    ends = Interpolate(str(clip), str(tmp_path / "short.wav"), ("a piano", "a flute"), 3, str(model.folder), steps=1)
    assert [item.shape for item in finish(interpolate(ends, model)).items] == [(2, RATE)] * 3
    assert finish(inspect(clip, "", 2, model)).lost["lost"].keys() == {"codec", "phase"}
