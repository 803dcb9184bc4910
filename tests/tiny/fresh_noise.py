"""The noise that samplers draw anew in every step, the same for diffusers and for regrow."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor


def drawn(step: int, shape: Sequence[int]) -> Tensor:
    """Return what a sampler draws in its step `step`, counted from 0; each sample's own."""
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(1000 + step), dtype=torch.float64)


def by_steps() -> Callable[..., Tensor]:
    """Return a stand-in of `regrow.core.noise.noise` that draws these, one call a step."""
    steps = count()

    def noise(shape: Sequence[int], seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
        return drawn(next(steps), (len(seeds), *shape)).to(dtype)

    return noise


@contextmanager
def scheduler_draws(
    module: str = "diffusers.schedulers.scheduling_flow_match_euler_discrete",
) -> Iterator[None]:
    """Let a scheduler of diffusers draw them, by its module: the flow's."""
    steps = count()

    def randn_tensor(shape: Sequence[int], dtype: torch.dtype, **_: Any) -> Tensor:
        return drawn(next(steps), shape).to(dtype)

    with patch(f"{module}.randn_tensor", randn_tensor):
        yield
