"""Latents on disk, when two trainings want the same ones at once."""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from regrow.core.progress import Progress, finish
from regrow.training.latents import latents_of


def test_two_trainings_that_encode_the_same_do_not_spoil_it_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    pictures = np.random.default_rng(0).random((100, 1, 2, 2), dtype=np.float32)

    def encoding() -> Generator[Progress, None, np.ndarray]:
        return latents_of(nn.Identity(), torch.from_numpy, lambda part: pictures[part], len(pictures), "same", 8)

    one, other = encoding(), encoding()
    assert next(one).index == 8
    assert next(other).index == 0  # it waits
    first = finish(one)
    second = finish(other)
    for latents in (first, second):
        assert np.allclose(latents, pictures, atol=1e-3)
