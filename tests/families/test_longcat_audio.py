"""LongCat-AudioDiT: what is its own, beside the suite of all families."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from tiny import FAMILIES
from tiny.longcat_audio import CELLS

from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.models.model import Model
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
NAME = "longcat-audio"
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def folder(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(checkpoint(NAME), tmp_path / "mine"))


def sampled(model: Model, prompts: list[str], x: torch.Tensor, steps: int = 4) -> torch.Tensor:
    return last(solve(make_step("ddim"), model.denoiser(model.condition(prompts)), x, model.grid(steps)))


def test_a_folder_without_a_scheduler_is_read_as_diffusers_pipeline_is_made(folder: Path) -> None:
    assert not (folder / "scheduler").exists()  # diffusers saves none
    model, x = open_model(folder), noise((8, 40), [1])
    theirs = FAMILIES[NAME].reference(folder, ["a cat"], None, 1.0, 4, x)
    assert (sampled(model, ["a cat"], x) - theirs).abs().max() < 1e-4


def test_a_scheduler_is_left_aside_as_by_diffusers_and_that_is_said(folder: Path) -> None:
    FlowMatchEulerDiscreteScheduler(invert_sigmas=False, shift=2.0).save_pretrained(folder / "scheduler")
    model, x = open_model(folder), noise((8, 40), [1])
    theirs = FAMILIES[NAME].reference(folder, ["a cat"], None, 1.0, 4, x)
    assert (sampled(model, ["a cat"], x) - theirs).abs().max() < 1e-4
    assert any(
        "scheduler_config.json is ignored, as LongCat-AudioDiT always uses evenly spaced levels" in note
        for note in model.notes
    )


def test_prompts_are_read_in_small_letters_without_quotes(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint(NAME))
    plain, written = (model.condition([prompt]) for prompt in ("a loud cat", '  A "loud”\n CAT '))
    assert torch.equal(plain.tokens, written.tokens)


def test_words_that_are_cut_are_named(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint(NAME))
    with pytest.warns(UserWarning, match=r"reads 511 tokens of a prompt; these words were ignored: z z z$"):
        tokens = model.condition(["a " * 254 + "b z z z"]).tokens
    assert tokens.shape[1] == 512


def test_a_prompt_is_the_same_beside_a_longer_one(checkpoint: Checkpoint) -> None:
    model, x, level = open_model(checkpoint(NAME)), noise((8, 40), (1, 2)), open_model(checkpoint(NAME)).grid(4)[1]
    prompts = ["a cat", "a very long prompt about many dogs"]
    for together in (False, True):
        both = model.batched(together).denoiser(model.condition(prompts))(x, level).x0
        for i, prompt in enumerate(prompts):
            alone = model.denoiser(model.condition([prompt]))(x[i : i + 1], level).x0
            torch.testing.assert_close(both[i : i + 1], alone, atol=1e-5, rtol=0)


def test_no_negative_prompt_is_as_many_zeros_as_each_prompt_has_words(checkpoint: Checkpoint) -> None:
    model, x = open_model(checkpoint(NAME)), noise((8, 40), (1, 2))
    prompts = ["a cat", "a very long prompt about many dogs"]
    theirs = FAMILIES[NAME].reference(checkpoint(NAME), prompts, None, 3.0, 4, x)
    for negative in (None, model.negative([""]), model.negative(["", ""])):
        denoise = model.denoiser(model.condition(prompts), negative, 3.0)
        assert (last(solve(make_step("ddim"), denoise, x, model.grid(4))) - theirs).abs().max() < 1e-4
    mixed = model.denoiser(model.condition(prompts), model.negative(["a fog", ""]), 3.0)(x, model.grid(4)[1]).x0
    words = model.denoiser(model.condition(prompts[:1]), model.condition(["a fog"]), 3.0)(x[:1], model.grid(4)[1]).x0
    torch.testing.assert_close(mixed[:1], words, atol=1e-5, rtol=0)


def test_sizes_are_those_of_the_files(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint(NAME))
    assert (model.size, model.sound.rate, model.windows) == ((1, CELLS * 512), 6000, (CELLS,))
    assert (model.own.steps, model.own.guidance, model.own.solver) == (16, 4.0, "ddim")
