"""What the benches grow from a caption and a seed is what `regrow generate` makes of them, tune included."""

from dataclasses import replace
from typing import Literal

import pytest
import torch

from regrow.benchmark.world_bench import grow
from regrow.core.progress import finish
from regrow.editing.generate import generate
from regrow.models.open import open_model
from regrow.requests.generate import Generate

pytestmark = pytest.mark.usefixtures("home")
CAPTIONS = {
    "storybook": ["a cat on a beach", "草地上的白色狐狸"],
    "bandstand": ["a slow sad piano melody", "a drum kit beat"],
}


@pytest.mark.parametrize("name", sorted(CAPTIONS))
def test_a_bench_grows_what_generate_makes(name: str) -> None:
    model, captions, seeds = open_model(name), CAPTIONS[name], [9_000_003, 9_000_009]
    found: dict[str, torch.Tensor] = {}
    kinds: tuple[Literal["on", "off"], ...] = ("on", "off")
    for details in kinds:
        settings = Generate("", steps=2, prompt_expansion=details)
        found[details] = grow(model, captions, seeds, settings)
        for i, (caption, seed) in enumerate(zip(captions, seeds, strict=True)):
            request = replace(settings, prompt=caption, seed=seed)
            if name == "storybook":
                made = finish(generate(request, model)).frames
            else:
                made = finish(generate(request, model)).frames
            assert torch.allclose(found[details][i], made[0], atol=1e-4)
    assert not torch.allclose(found["on"], found["off"], atol=0.1)
