"""What is its own of picture families on transformers, beside the suite of all families."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from checkpoints import edit_json
from tiny import FAMILIES

from regrow.core.denoiser import Prediction
from regrow.core.guidance import renormalised
from regrow.core.levels import Level
from regrow.core.noise import noise
from regrow.core.solvers import last, make_step, solve
from regrow.models.open import open_model

Checkpoint = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("home")


ALL = ("chroma", "lumina-2", "pixart-alpha", "pixart-sigma", "qwen-image", "sana", "z-image")


@pytest.mark.parametrize("name", ALL)
def test_latents_of_other_sides_are_those_of_diffusers_own_pipeline(checkpoint: Checkpoint, name: str) -> None:
    """Levels, positions and what guidance measures depend on the sides."""
    model, steps = open_model(checkpoint(name)), 4
    prompts, negatives = ["a cat", "two dogs, a long prompt"], ["a hat", "fog"]
    x = noise(FAMILIES[name].shape[1:], seeds=(11, 12))
    theirs = FAMILIES[name].reference(checkpoint(name), prompts, negatives, 5.0, steps, x)
    denoise = model.denoiser(model.condition(prompts), model.negative(negatives), 5.0)
    ours = last(solve(make_step("ddim"), denoise, x, model.grid(steps, shape=x.shape[1:])))
    assert (ours - theirs).abs().max() < 1e-4


def test_sizes_are_a_condition_of_pixart_alpha(checkpoint: Checkpoint) -> None:
    model, x = open_model(checkpoint("pixart-alpha")), noise((4, 8, 8), seeds=(1,))
    assert model.extent == (256, 256)
    level, condition = model.grid(4)[1], model.condition(["a cat"])
    wide = model.denoiser(condition)(torch.cat([x, x], 3), level).eps[..., :8]
    assert (wide - model.denoiser(condition)(x, level).eps).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "steps", "guidance", "is_guided"),
    [
        ("chroma", 40, 3.0, True),
        ("lumina-2", 30, 4.0, True),
        ("pixart-sigma", 20, 4.5, True),
        ("qwen-image", 50, 4.0, True),
        ("sana", 20, 4.5, True),
        ("z-image", 50, 5.0, True),
        ("z-image-turbo", 8, 1.0, False),
    ],
)
def test_what_its_makers_sample_with(
    checkpoint: Checkpoint, name: str, steps: int, guidance: float, is_guided: bool
) -> None:
    own = open_model(checkpoint(name)).own
    assert (own.steps, own.guidance, own.is_guided) == (steps, guidance, is_guided)


def test_levels_of_qwen_image_end_at_their_terminal(checkpoint: Checkpoint) -> None:
    model = open_model(checkpoint("qwen-image"))
    small, large = (model.grid(10, shape=(16, side, side)) for side in (4, 12))
    assert small[-2].sigma == pytest.approx(0.02)
    assert large[-2].sigma == pytest.approx(0.02)
    assert large[5].sigma > small[5].sigma + 0.01
    assert model.grid(1) == (Level(0.0, 1.0), Level(1.0, 0.0))


@pytest.mark.parametrize("name", ["lumina-2", "sana"])
def test_what_guidance_leads_away_from_comes_without_instruction(checkpoint: Checkpoint, name: str) -> None:
    model = open_model(checkpoint(name))
    plain, instructed = model.negative(["a cat"]), model.condition(["a cat"])
    assert plain.mask is not None
    assert instructed.mask is not None
    assert int(plain.mask.sum()) < int(instructed.mask.sum())
    assert torch.equal(model.unconditional(1).tokens, model.negative([""]).tokens)


def test_renormalised_guidance_keeps_lengths_and_is_off_at_1() -> None:
    def pair(x_t: torch.Tensor, level: Level) -> Prediction:
        v = torch.randn(x_t.shape, generator=torch.Generator().manual_seed(1))
        return Prediction(x_t - level.sigma * v, x_t + level.alpha * v)

    def length(v: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(v, dim=1, keepdim=True)

    x, level = torch.randn(2, 4, 4, 6, generator=torch.Generator().manual_seed(2)), Level(0.4, 0.6)
    both = pair(torch.cat([x, x]), level)
    positive = (both.eps - both.x0)[:2]
    guided = renormalised(pair, 5.0, length)(x, level)
    v = guided.eps - guided.x0
    torch.testing.assert_close(length(v), length(positive))
    assert (v - positive).abs().mean() > 0.1
    torch.testing.assert_close(renormalised(pair, 1.0, length)(x, level).x0, both.x0[:2])


def test_an_old_name_of_pixart_s_network_opens(checkpoint: Checkpoint) -> None:
    index = (checkpoint("pixart-alpha") / "model_index.json").read_text()
    assert '"Transformer2DModel"' in index
    assert type(open_model(checkpoint("pixart-alpha")).network).__name__ == "PixArtTransformer2DModel"


def test_a_folder_of_pixart_s_parts_reads_as_many_tokens_as_sigma(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint("pixart-sigma"), tmp_path / "mine"))
    edit_json(folder / "model_index.json", _class_name="PixArtMine")
    assert open_model(folder).condition(["a cat"]).tokens.shape[1] == 300
