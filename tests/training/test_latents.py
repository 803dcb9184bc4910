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


@pytest.mark.parametrize("kind", ["flipped", "cut", "empty", "another's"])
@pytest.mark.parametrize("broken_off", [False, True])
def test_damaged_latents_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, broken_off: bool
) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    pictures = np.random.default_rng(0).random((40, 1, 2, 2), dtype=np.float32)

    def encoding(content: str) -> Generator[Progress, None, np.ndarray]:
        return latents_of(nn.Identity(), torch.from_numpy, lambda part: pictures[part], 40, content, 2)

    folder = tmp_path / "cache" / "latents"
    if broken_off:  # after the first 32 were counted
        walk = encoding("same")
        for _ in range(18):
            next(walk)
        walk.close()
        (path,) = folder.glob("*.part")
    else:
        finish(encoding("same"))
        (path,) = folder.glob("*.npy")
    whole = path.read_bytes()
    pictures = 1 - pictures
    finish(encoding("another"))
    (other,) = (found for found in folder.glob("*.npy") if found != path)
    pictures = 1 - pictures
    damaged = {
        "flipped": whole[:150] + bytes([whole[150] ^ 4]) + whole[151:], "cut": whole[:200], "empty": b"",
        "another's": other.read_bytes(),
    }  # fmt: skip
    path.write_bytes(damaged[kind])
    assert np.allclose(finish(encoding("same")), pictures, atol=1e-3)
    assert len(list(folder.glob("*.npy"))) == 2


def test_a_broken_off_encoding_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGROW_HOME", str(tmp_path))
    pictures = np.random.default_rng(0).random((40, 1, 2, 2), dtype=np.float32)

    def encoding() -> Generator[Progress, None, np.ndarray]:
        return latents_of(nn.Identity(), torch.from_numpy, lambda part: pictures[part], 40, "same", 2)

    walk = encoding()
    for _ in range(18):
        next(walk)
    walk.close()
    assert next(encoding()).index == 34
