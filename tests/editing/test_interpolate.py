"""Between two pictures, and between two prompts: the ends are reproduced, and every step is made again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from homes import sharing_engines

from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.editing.interpolate import interpolate
from regrow.editing.replay import recipe_in, replay, request_from
from regrow.interfaces.cli import main
from regrow.media.image.picture import save
from regrow.models.model import Model
from regrow.models.open import open_model
from regrow.requests.generate import Generate
from regrow.requests.interpolate import Interpolate


@pytest.fixture(scope="module")
def model(checkpoint: Callable[[str], Path]) -> Model:
    return open_model(checkpoint("sd-tiny"))


@pytest.fixture
def ends(tmp_path: Path, model: Model) -> list[str]:
    """Two pictures, the second of another size than the model's."""
    height, width = model.size
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for i, path in enumerate(paths):
        size = (3, height + 8 * i, width)
        save(path, torch.rand(size, generator=torch.Generator().manual_seed(i)) * 2 - 1)
    return [str(path) for path in paths]


@pytest.mark.parametrize(("guidance", "strength"), [(None, 1.0), (2.0, 0.5)])
def test_the_ends_are_what_the_codec_makes_of_the_files(
    model: Model, ends: list[str], guidance: float | None, strength: float
) -> None:
    request = Interpolate(
        ends[0], ends[1], ("a cat", "a dog"), 3, model.name, steps=4, guidance=guidance, strength=strength
    )
    made = finish(interpolate(request, model))
    assert made.shares == (0.0, 0.5, 1.0)
    first = model.medium.load(Path(ends[0]), model, request)
    second = model.medium.load(Path(ends[1]), model, model.medium.like_first(request, first))
    for frame, content in zip(made.frames[[0, 2]], (first.content, second.content), strict=True):
        codec = model.decode(model.encode(content[None]))[0]
        assert (frame - codec).abs().max() < 2e-3
    assert (made.frames[1] - made.frames[0]).abs().max() > 0.05
    assert (made.frames[1] - made.frames[2]).abs().max() > 0.05


def test_between_prompts_the_ends_are_what_each_prompt_gives(model: Model) -> None:
    made = finish(interpolate(Interpolate("a cat", "a dog", frames=3, model=model.name, steps=4, seed=3), model))
    for frame, prompt in zip(made.frames[[0, 2]], ("a cat", "a dog"), strict=True):
        alone = finish(generate(Generate(prompt, model=model.name, steps=4, seed=3), model)).items[0]
        assert (frame - alone).abs().max() < 2e-3
    assert (made.frames[0] - made.frames[1]).abs().max() > 1e-3


def test_every_step_is_replayed(model: Model, ends: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(sharing_engines(tmp_path / "home")))
    out = tmp_path / "step.png"
    main(["interpolate", *ends, "--words", "a cat", "a dog", "--frames", "3", "--steps", "2", "--model", model.name,
          "--out", str(out)])  # fmt: skip
    assert (tmp_path / "step-sheet.png").stat().st_size > 1000
    for path in (out, tmp_path / "step-2.png", tmp_path / "step-3.png"):
        recipe = recipe_in(path)
        assert finish(replay(recipe, request_from(recipe, tmp_path), model)).identical
    Path(ends[1]).write_bytes(Path(ends[0]).read_bytes())
    with pytest.raises(ValueError, match="has changed since the result was made"):
        request_from(recipe_in(out), tmp_path)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Interpolate("a.png", "a dog"), "'a.png' is a picture and 'a dog' a prompt"),
        (Interpolate("a.png", "b.wav"), "'a.png' is a picture and 'b.wav' a sound"),
        (Interpolate("a.wav", "b.wav"), r"makes pictures; a\.wav is a sound\. Choose a model of sounds with --model"),
        (Interpolate("a cat", "a dog", ("a", "b")), "words describes two files"),
        (Interpolate("a cat", "a dog", duration=2.0), "duration is for sounds"),
    ],
)
def test_what_does_not_go_together_is_said(model: Model, request_: Interpolate, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        finish(interpolate(request_, model))
    with pytest.raises(ValueError, match="--frames must be from 2"):
        Interpolate("a cat", "a dog", frames=1)


def test_two_photographs_keep_the_shape_of_the_first(model: Model, tmp_path: Path) -> None:
    height, width = model.size
    sizes = ((2 * height, 4 * width), (3 * height, 2 * width))
    for name, size in zip("ab", sizes, strict=True):
        save(tmp_path / f"{name}.png", torch.rand(3, *size, generator=torch.Generator().manual_seed(1)) * 2 - 1)
    request = Interpolate(str(tmp_path / "a.png"), str(tmp_path / "b.png"), frames=2, model=model.name, steps=2)
    made = finish(interpolate(request, model))
    made_height, made_width = made.items[0].shape[1:]
    assert made_width / made_height == pytest.approx(2 * width / height, rel=0.1)
    assert any("the middle" in note for note in made.notes), "what is cropped of the second is said"
    square = finish(interpolate(replace(request, frame="crop"), model))
    assert square.items[0].shape == (3, height, width)
