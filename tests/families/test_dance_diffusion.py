"""Dance Diffusion: its levels and steps against diffusers' IPNDM, what is done with its sounds, and broken folders."""

import itertools
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import edit_json
from diffusers import IPNDMScheduler
from tiny.dance_diffusion import RATE, SAMPLES, pipeline

import regrow
from regrow.core.crash import Crash
from regrow.core.denoiser import predict
from regrow.core.levels import SPACINGS, Level
from regrow.core.noise import noise
from regrow.core.progress import finish
from regrow.core.solvers import DPMpp2M, last, solve
from regrow.editing.extend import extend
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.media.audio.sound import load, save
from regrow.models.model import Model, ModelError
from regrow.models.open import open_model
from regrow.requests.extend import Extend
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(checkpoint: Callable[[str], Path]) -> Path:
    return checkpoint("dance-diffusion")


@pytest.fixture
def model(folder: Path) -> Model:
    return open_model(folder)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two channels that differ, in a length that is no multiple of the network's."""
    wave = torch.rand(2, 1500, generator=torch.Generator().manual_seed(1)) / 4 - 1 / 8
    save(tmp_path / "clip.wav", wave, RATE)
    return tmp_path / "clip.wav"


@pytest.mark.parametrize("steps", [1, 2, 7, 100, 1000])
def test_the_grid_is_diffusers_own(steps: int) -> None:
    theirs = IPNDMScheduler()
    theirs.set_timesteps(steps)
    grid = Crash().grid(steps)
    for name, numbers in (("alpha", theirs.alphas), ("sigma", theirs.betas)):
        ours = torch.tensor([getattr(level, name) for level in grid])
        torch.testing.assert_close(ours, numbers, atol=2e-4 if name == "alpha" else 1e-6, rtol=0)
    labels = torch.tensor([Crash().label(level) for level in grid[:-1]])
    torch.testing.assert_close(labels, theirs.timesteps, atol=2e-4, rtol=0)


def test_a_step_is_diffusers_own_of_first_order() -> None:
    theirs, grid = IPNDMScheduler(), Crash().grid(20)
    x, v = torch.randn(2, 1, 2, 64, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for index, (t, s) in enumerate(itertools.pairwise(grid)):
        theirs.set_timesteps(20)  # forgets the steps before, so that this one is of first order
        expected = theirs.step(v, theirs.timesteps[index], x).prev_sample
        if index:
            torch.testing.assert_close(predict(v, x, t, "v").at(s), expected, atol=1e-4, rtol=0)
    assert torch.equal(predict(v, x, grid[0], "v").x0, -v)  # where theirs divides 0 by 1e-8


def test_labels_and_levels_are_each_others_inverse() -> None:
    schedule = Crash()
    assert (schedule.level(0), schedule.level(1)) == (schedule.clean, schedule.noisiest)
    for label in (0.1, 0.5, 0.999):
        assert schedule.label(schedule.level(label)) == pytest.approx(label, abs=1e-12)
    for label in (-0.1, 1.1):
        with pytest.raises(ValueError, match="This noise schedule has labels from 0 to 1"):
            schedule.level(label)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [1, 3, 4, 1000])
def test_every_grid_leads_from_noise_to_clean(spacing: Any, steps: int) -> None:
    grid = Crash().grid(steps, spacing)
    assert (grid[0], grid[-1], len(grid)) == (Level(0.0, 1.0), Level(1.0, 0.0), steps + 1)
    assert all(level.alpha**2 + level.sigma**2 == pytest.approx(1, abs=1e-12) for level in grid)


def test_fine_steps_end_where_diffusers_pipeline_does(folder: Path, model: Model) -> None:
    """Its steps of fourth order and ours follow one path; from the level that its first step leads to."""
    steps, x = 100, noise((2, 128), [3])
    pipe = pipeline(folder, IPNDMScheduler)
    pipe.scheduler.set_timesteps(steps)
    theirs, grid = x, Crash().grid(steps)[1:]
    for index, t in enumerate(pipe.scheduler.timesteps):
        with torch.no_grad():
            output = pipe.unet(theirs, t).sample
        if index:
            theirs = pipe.scheduler.step(output, t, theirs).prev_sample
        else:
            pipe.scheduler._step_index = 1
    ours = last(solve(DPMpp2M(), model.denoiser(model.condition([""])), x, grid))
    assert (ours - theirs).abs().max() < 5e-3 * theirs.std()


def test_it_generates_any_length_in_stereo(model: Model) -> None:
    short, long = (finish(generate(Generate("", steps=3, duration=d), model)).items[0] for d in (0.1, 0.2))
    assert (short.shape, long.shape) == ((2, 1600), (2, 3200))
    assert long.abs().max() <= 1
    assert not torch.equal(long[0], long[1])
    loop = finish(generate(Generate("", steps=3, duration=0.2, loop=True), model)).items[0]
    assert loop.shape == (2, 3200)


def test_it_extends_and_keeps_what_there_is(model: Model, clip: Path) -> None:
    longer = finish(extend(Extend(clip, after=0.1, guidance=1.0, steps=3), model)).items[0]
    assert longer.shape == (2, 1500 + 1600)
    assert torch.equal(longer[:, :1500], load(clip).wave)


def test_it_interpolates_between_two_sounds(model: Model, clip: Path, tmp_path: Path) -> None:
    save(tmp_path / "other.wav", load(clip).wave.flip(-1), RATE)
    request = Interpolate(str(clip), str(tmp_path / "other.wav"), frames=3, steps=3)
    first, middle, end = finish(interpolate(request, model)).items
    torch.testing.assert_close(first, load(clip).wave, atol=1e-3, rtol=0)
    torch.testing.assert_close(end, load(tmp_path / "other.wav").wave, atol=1e-3, rtol=0)
    assert middle.isfinite().all()


def test_too_short_a_sound_is_refused_in_a_sentence(model: Model, clip: Path) -> None:
    rare = copy(model)
    rare.multiple = 1024  # as of the published networks 8192 is: two of them, where their padding needs three
    with pytest.raises(ValueError, match=r"takes sounds of 0\.19 s or more; got 0\.13 s"):
        regrow.edit(clip, "", model=rare, steps=2, guidance=1.0)


def test_a_file_that_says_the_width_of_the_time_opens_too(folder: Path, model: Model, tmp_path: Path) -> None:
    newer = shutil.copytree(folder, tmp_path / "newer")
    edit_json(newer / "unet" / "config.json", time_embedding_dim=16)
    edit_json(newer / "scheduler" / "scheduler_config.json", _class_name="DDIMScheduler", beta_schedule="linear")
    x, level = noise((2, SAMPLES), [1]), Crash().grid(10)[4]
    one, other = (each.denoiser(each.condition([""]))(x, level).x0 for each in (model, open_model(newer)))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("unet/config.json", {"sample_rate": None}, "must give a sample_rate in Hz; it says None"),
        (
            "unet/config.json",
            {"sample_size": 1023},
            "must give a sample_size of at least 3 times 8 samples; it says 1023",
        ),
        (
            "unet/config.json",
            {"sample_size": 16},
            "must give a sample_size of at least 3 times 8 samples; it says 16",
        ),
        ("unet/config.json", {"use_timestep_embedding": True}, "do not make a model"),
        (
            "unet/config.json",
            {"time_embedding_type": "positional"},
            "does not fit|do not make a model|UNet1DModel other than",
        ),
        ("unet/config.json", {"extra_in_channels": 0}, "do not make a model"),
        ("unet/config.json", {"in_channels": 3}, "do not make a model"),
        ("scheduler/scheduler_config.json", {"trained_betas": [0.1]}, "trained_betas, which regrow does not support"),
        ("model_index.json", {"unet": ["diffusers", "UNet2DModel"]}, "regrow supports UNet1DModel"),
        ("scheduler/scheduler_config.json", None, "scheduler_config.json is missing"),
        ("unet/diffusion_pytorch_model.safetensors", None, "is missing"),
    ],
)
def test_a_folder_that_does_not_fit_is_explained(
    folder: Path, tmp_path: Path, file: str, changes: dict[str, Any] | None, message: str
) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    if changes is None:
        (broken / file).unlink()
    else:
        edit_json(broken / file, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        open_model(broken)
    assert "\n" not in str(caught.value)
