"""The tiny checkpoints of the families are what the shared suite needs: diffusers runs them, prompts matter."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny import FAMILIES

Checkpoint = Callable[[str], Path]


def start(name: str) -> torch.Tensor:
    return torch.randn(FAMILIES[name].shape, generator=torch.Generator().manual_seed(11))


MATTERS = 0.005
"""Mean difference of latents, fifty times the largest that the shared suite allows."""
WORDED = [name for name, tiny in FAMILIES.items() if tiny.takes_words]


@pytest.mark.parametrize("name", WORDED)
def test_prompts_and_negatives_matter(checkpoint: Checkpoint, name: str) -> None:
    def run(prompts: list[str], negatives: list[str] | None = None, guidance: float = 1.0) -> torch.Tensor:
        return FAMILIES[name].reference(checkpoint(name), prompts, negatives, guidance, 3, start(name))

    plain = run(["a cat", "a dog"])
    assert plain.isfinite().all()
    assert plain.shape == FAMILIES[name].shape
    assert (run(["a hat", "two birds"]) - plain).abs().mean() > MATTERS
    if FAMILIES[name].guidance == 1:
        torch.testing.assert_close(run(["a cat", "a dog"], None, 5.0), plain, atol=0, rtol=0)
        return
    guided = run(["a cat", "a dog"], ["a hat", "a fog"], 5.0)
    assert (guided - run(["a cat", "a dog"], ["a car", "snow"], 5.0)).abs().mean() > MATTERS
    same = torch.equal(run(["a cat", "a dog"], None, 5.0), run(["a cat", "a dog"], ["", ""], 5.0))
    assert same == FAMILIES[name].empty_negative


def test_seconds_matter(checkpoint: Checkpoint) -> None:
    name = "stable-audio"
    whole, half = (
        FAMILIES[name].reference(checkpoint(name), ["a cat", "a dog"], None, 1.0, 3, start(name), seconds)
        for seconds in (None, (0.0, 0.3))
    )
    assert (whole - half).abs().max() > 1e-4


def test_sizes_matter(checkpoint: Checkpoint) -> None:
    own, large = (
        FAMILIES["sdxl"].reference(checkpoint("sdxl"), ["a cat", "a dog"], None, 1.0, 3, start("sdxl"), **sizes)
        for sizes in ({}, {"original_size": (512, 512)})
    )
    assert (own - large).abs().max() > 1e-3


@pytest.mark.parametrize("name", FAMILIES)
def test_they_are_small(checkpoint: Checkpoint, name: str) -> None:
    files = [path for path in checkpoint(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3e6
    assert not [path for path in files if path.suffix in (".bin", ".pt", ".ckpt")]
