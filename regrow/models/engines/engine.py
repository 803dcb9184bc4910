"""The interface of an engine, which computes a checkpoint's networks instead of torch."""

from collections.abc import Sequence
from typing import Protocol

from jaxtyping import Float, Int
from torch import Tensor

from regrow.models.codecs.codec import CodecEngine, Way


class Engine(CodecEngine, Protocol):
    """An engine that computes networks instead of torch. Torch computes what is not overridden."""

    def __call__(
        self, x_t: Float[Tensor, "b c *places"], labels: Float[Tensor, " b"], condition: Sequence[Tensor]
    ) -> Float[Tensor, "b c *places"]:
        """Return the denoising network's output.

        Args:
            x_t: noisy latents, with any extra channels.
            labels: one per sample.
            condition: `Condition.tensors`, one row per sample.
        """
        ...

    def coded(self, way: Way, x: Float[Tensor, "b c *places"]) -> Float[Tensor, "b k *places"] | None:
        """Return the codec's output for frames, or for latents in its own scale; None leaves it to torch."""
        return None

    def encoded_words(self, ids: Int[Tensor, "b tokens"]) -> Float[Tensor, "b tokens dim"] | None:
        """Return the text encoder's output for token ids; None leaves it to torch."""
        return None
