"""Random noise with a seed for each sample.

Sample i of a batch is drawn from a generator that only its own seed feeds, so it does not depend on the batch it
is in, and can be drawn again alone.
"""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def noise(shape: Sequence[int], seeds: Sequence[int], dtype: torch.dtype = torch.float32) -> Float[Tensor, " b *rest"]:
    """Return standard normal noise, one seed per sample, drawn on the CPU.

    The draw is the one that diffusers' pipelines make from `generator=[torch.Generator().manual_seed(s), ...]`.

    Args:
        shape: of one sample, without the batch.
        seeds: one per sample, each in [-2^63, 2^64).
        dtype: drawn in this type: the same seed gives different numbers in float32 and float64.
    """
    draws = [torch.randn((1, *shape), generator=torch.Generator().manual_seed(s), dtype=dtype) for s in seeds]
    return torch.cat(draws)


def derive_seed(*parts: int | str) -> int:
    """Return a 63-bit seed that is a function of the parts and of nothing else (BLAKE2b of their text)."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
