"""A whole training in small: what it writes opens here and in diffusers, and is never overwritten."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from regrow.core.noise import noise
from regrow.core.solvers import ddim, last, solve
from regrow.families.new import new_tokenizer
from regrow.families.registry import open_model
from regrow.operations.dataset import drawn
from regrow.operations.requests import Train
from regrow.operations.train import train
from regrow.worlds.storybook import VOCABULARY, Scene, captions, draw

TINY = Train("tiny", size=64, scenes=8, codec_steps=2, denoiser_steps=2, batch=2)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(home))


@pytest.fixture(scope="module")
def trained(home: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGROW_HOME", str(home))
        stages = [state.stage for state in train(TINY)]
    assert list(dict.fromkeys(stages)) == ["draw", "codec", "encode", "denoiser"]
    return home / "models" / "tiny"


def test_what_is_trained_opens_here_and_in_diffusers(trained: Path) -> None:
    model = open_model("tiny")
    assert (model.size, model.prediction_type, model.folder) == ((64, 64), "v", trained)
    pipe = StableDiffusionPipeline.from_pretrained(trained, torch_dtype=torch.float32, safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    x = noise(model.latent_shape(64, 64), [1])
    words = "an orange cat on a beach"
    theirs = pipe(words, latents=x, num_inference_steps=5, guidance_scale=1.0, output_type="latent").images  # pyright: ignore
    ours = last(solve(ddim, model.denoiser(model.condition([words])), x, model.schedule.grid(5)))
    assert (ours - theirs).abs().max() < 1e-4


def test_a_model_is_never_overwritten(trained: Path) -> None:
    with pytest.raises(ValueError, match="exists already and is never overwritten"):
        next(train(TINY))


def test_drawn_scenes_are_kept_and_are_the_drawings(home: Path) -> None:
    scenes = [Scene.random(seed) for seed in range(3)]
    pictures, masks = drawn(scenes, 32)
    assert np.array_equal(pictures[2], draw(scenes[2], 32).picture)
    assert np.array_equal(masks[1], draw(scenes[1], 32).mask)
    kept = sorted((home / "cache" / "drawn").iterdir())
    drawn(scenes, 32)
    assert sorted((home / "cache" / "drawn").iterdir()) == kept
    assert not [path for path in kept if path.name.startswith(".")]


def test_every_word_of_the_world_is_one_token(tmp_path: Path) -> None:
    tokenizer = new_tokenizer(VOCABULARY)
    assert all(len(tokenizer.tokenize(word)) == 1 for word in VOCABULARY)
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    longest = max((text for seed in range(200) for text in captions(Scene.random(seed))), key=len)
    assert again(longest).input_ids == tokenizer(longest).input_ids
    assert len(again(longest).input_ids) <= again.model_max_length
    assert again.decode(again("a wombat").input_ids, skip_special_tokens=True) == "a wombat"
