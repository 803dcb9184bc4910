"""Encoded prompts, the condition of a network besides the noisy latents and their level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regrow.core.interpolation import lerp
from regrow.messages.message import say

GUIDANCE = "guidance"
"""Key in `Condition.extra` for networks that take guidance as an input: one number per prompt."""


@dataclass(frozen=True)
class Condition:
    """Encoded prompts, one row per prompt.

    Attributes:
        tokens: one vector per token, shape `b tokens dim`; `b 0 0` for unconditional networks.
        mask: which tokens count, `b tokens`; None where all do.
        extra: further tensors by name, each with one row per prompt, such as a pooled embedding or a duration.
    """

    tokens: Float[Tensor, "b tokens dim"]
    mask: Bool[Tensor, "b tokens"] | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    def cat(self, other: "Condition") -> "Condition":
        """Return both batches, this one's first; the shorter one is padded with zeros that are masked out.

        Raises:
            ValueError: the two do not hold the same tensors.
        """
        first, second, masked = self._alike(other)
        mask = torch.cat([first._full_mask(), second._full_mask()]) if masked else None
        extra = {name: torch.cat([tensor, second.extra[name]]) for name, tensor in first.extra.items()}
        return Condition(torch.cat([first.tokens, second.tokens]), mask, extra)

    def expand(self, batch: int) -> "Condition":
        """Return one row per sample: a single prompt is repeated, one prompt per sample is returned as it is.

        Raises:
            ValueError: neither 1 nor `batch` prompts.
        """
        if len(self.tokens) not in (1, batch):
            raise ValueError(say("batch_of_prompts_differs", batch=batch, count=len(self.tokens)))
        return self._each(lambda tensor: tensor.expand(batch, *tensor.shape[1:]))

    def rows(self, chosen: slice | Sequence[int]) -> "Condition":
        """Return some of the prompts."""
        return self._each(lambda tensor: tensor[chosen])

    def lerp(self, other: "Condition", shares: Float[Tensor, " n"]) -> "Condition":
        """Interpolate linearly from this prompt (share 0) to another (share 1).

        A token that only one of the prompts masks out is masked out only at that prompt's end of the line.

        Raises:
            ValueError: the two do not hold the same tensors.
        """
        first, second, masked = self._alike(other)
        mask = None
        if masked:
            inside = shares[:, None].to(first.tokens.device)
            mask = (first._full_mask() & (inside < 1)) | (second._full_mask() & (inside > 0))
        extra = {name: lerp(tensor, second.extra[name], shares) for name, tensor in first.extra.items()}
        return Condition(lerp(first.tokens, second.tokens, shares), mask, extra)

    def padded(self, length: int) -> "Condition":
        """Pad tokens to a length with zeros that are masked out."""
        missing = length - self.tokens.shape[1]
        if not missing:
            return self
        tokens = torch.cat([self.tokens, self.tokens.new_zeros(len(self.tokens), missing, self.tokens.shape[2])], 1)
        masked = torch.zeros(len(tokens), missing, dtype=torch.bool, device=tokens.device)
        return Condition(tokens, torch.cat([self._full_mask(), masked], 1), self.extra)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Its tensors in a fixed order: tokens unless empty, mask if any, then `extra` by name."""
        mask = () if self.mask is None else (self.mask,)
        return (
            *((self.tokens,) if self.tokens.numel() else ()),
            *mask,
            *(self.extra[name] for name in sorted(self.extra)),
        )

    def with_tensors(self, tensors: Sequence[Tensor]) -> "Condition":
        """Return a condition of the same structure with other tensors, in the order of the property `tensors`."""
        rest = list(tensors)
        tokens = rest.pop(0) if self.tokens.numel() else self.tokens
        mask = None if self.mask is None else rest.pop(0)
        return Condition(tokens, mask, dict(zip(sorted(self.extra), rest, strict=True)))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Condition":
        mask = None if self.mask is None else change(self.mask)
        return Condition(change(self.tokens), mask, {name: change(tensor) for name, tensor in self.extra.items()})

    def _full_mask(self) -> Bool[Tensor, "b tokens"]:
        if self.mask is not None:
            return self.mask
        return torch.ones(self.tokens.shape[:2], dtype=torch.bool, device=self.tokens.device)

    def _alike(self, other: "Condition") -> tuple["Condition", "Condition", bool]:
        """Return this one and another, padded to the longer one's tokens, and whether either has a mask."""
        if set(self.extra) != set(other.extra):
            raise ValueError(say("prompts_of_two_models", first=sorted(self.extra), second=sorted(other.extra)))
        length = max(self.tokens.shape[1], other.tokens.shape[1])
        first, second = self.padded(length), other.padded(length)
        return first, second, first.mask is not None or second.mask is not None
