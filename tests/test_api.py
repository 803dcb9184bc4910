"""The public names: light to import, and as README shows them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import regrow

HEAVY = ("torch", "numpy", "diffusers", "transformers", "PIL", "tyro", "pydantic")


def test_importing_it_loads_nothing_heavy_and_every_name_is_there() -> None:
    code = (
        f"import sys, regrow; print([name for name in {HEAVY} if name in sys.modules], len(sys.modules)); dir(regrow)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith("[]"), out
    assert all(getattr(regrow, name) is not None for name in regrow.__all__)
    with pytest.raises(AttributeError, match="regrow has no 'regrow'; its public names are Edit, "):
        _ = regrow.regrow


def test_five_lines_edit_a_picture(home: None, checkpoint: Callable[[str], Path], image: Path, tmp_path: Path) -> None:
    model = regrow.open_model(checkpoint("sd-tiny"))
    shown: list[str] = []
    edited = regrow.edit(
        image,
        ["a dog", "a hat"],
        source="a cat",
        model=model,
        steps=3,
        watch=lambda progress: shown.append(progress.part),
    )
    first, second = edited.save(tmp_path / "dog.png")
    assert (first.name, second.name) == ("dog.png", "dog-2.png")
    assert set(shown) == {"invert", "regrow"}
    assert regrow.replay(first).identical
    whole = regrow.Edit(image, ("a dog", "a hat"), "a cat", str(model.folder), steps=3)
    assert all(torch.equal(a, b) for a, b in zip(regrow.edit(whole).items, edited.items, strict=True))
    made = regrow.generate("a cat", model=model, steps=2, seed=3)
    assert made.recipes[0]["settings"]["seed"] == 3
    assert regrow.interpolate(regrow.Interpolate("a cat", "a dog", frames=2, steps=1), model=model).shares == (0.0, 1.0)


def test_the_medium_of_a_file_chooses_the_embedded_model(home: None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There is no file .*clip.wav"):
        regrow.edit(tmp_path / "clip.wav", "a slow sad violin melody")
