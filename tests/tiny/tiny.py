"""What a tiny checkpoint is to the shared suite."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@cache
def loaded(kind: Any, folder: Path, dtype: torch.dtype, **options: Any) -> Any:
    """Return a pipeline of diffusers, opened once: that takes longer than most of the runs with it."""
    pipe = kind.from_pretrained(folder, **options).to(dtype)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@dataclass(frozen=True)
class Tiny:
    """A tiny random checkpoint of a family, and diffusers' own sampling with it.

    Attributes:
        build: writes the checkpoint into a folder, and returns that.
        reference: `(folder, prompts, negatives, guidance, steps, start, **options) -> latents`.
        shape: of a start for two prompts, latents that it was made for or smaller ones.
        empty_negative: whether no negative prompt is the same as the empty one.
        guidance: that it is tested at; 1 for one that has guidance in its weights, and negatives matter nowhere.
        takes_words: whether it is conditioned on prompts; the reference of one that is not gets empty ones.
        shared: whether the shared suite runs it; not where another one differs in nothing that the suite looks at.
    """

    build: Callable[[Path], Path]
    reference: Callable[..., Tensor]
    shape: tuple[int, ...]
    empty_negative: bool = False
    guidance: float = 5.0
    takes_words: bool = True
    shared: bool = True
